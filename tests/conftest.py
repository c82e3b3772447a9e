"""The engines that tests run on, fresh databases on them, and the whole system for the tests that need it.

A test that asks for an engine starts that engine alone, and the session keeps it. With `WAYSTATION_TEST_CONTAINERS=1`
and a Docker engine, the engines run in containers instead. The whole system, on embedded engines of its own, is only
for tests that go through the gateway or kill processes.
"""

import gc
import os
import secrets
import signal
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines import Engines, running_postgres, running_store, running_valkey

# Modules that only some tests need are imported where they are used, so that a single test starts quickly.
if TYPE_CHECKING:
    from xdist.remote import Producer

    from common.store import ObjectStore
    from deploy.local.stack import StartedStack
    from tests.databases import Databases
    from tests.scheduling import BySystem

ROOT = Path(__file__).parent.parent
LIMITS = (
    *("UPLOAD_COUNT", "ERROR_COUNT", "GUESS_GLOBAL_COUNT"),
    *("ACCOUNT_CALLS_PER_MINUTE", "LOGIN_FAILURE_ADDRESS_COUNT", "LOGIN_FAILURE_ACCOUNT_COUNT"),
    *("FILE_UPLOADER_UPLOADS_PER_MINUTE", "PUBLIC_ROOMS", "PUBLIC_ROOMS_PER_ACCOUNT", "ROOMS_PER_ACCOUNT"),
    *("ACCOUNT_MESSAGES_PER_MINUTE", "ROOM_MESSAGES_PER_MINUTE", "INBOX_UNANSWERED"),
    *("LIVE_CONNECTIONS", "LIVE_CONNECTIONS_PER_ACCOUNT", "LIVE_CONNECTIONS_PER_ADDRESS"),
)

# Each HTTP client reads all certificates of the system at first: 25 ms of processor time. No test needs any, but
# some clients want one: this one's key was never kept.
os.environ["SSL_CERT_FILE"] = str(ROOT / "tests" / "authority.pem")
os.environ.pop("SSL_CERT_DIR", None)

MakeDatabase = Callable[[Path], str]

__all__ = ["ROOT", "Engines", "MakeDatabase"]


def pytest_configure() -> None:
    """Let a run that is told to end tear its fixtures down, also one whose shell has made it ignore SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, neither meanwhile nor later among what lives as long as the process."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "BySystem":
    from tests.scheduling import BySystem

    return BySystem(config, log)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with ExitStack() as opened:
        if os.environ.get("WAYSTATION_TEST_CONTAINERS") == "1":
            from tests import containers

            if containers.engine_answers():
                yield Engines(opened, containers.running_postgres, containers.running_valkey, containers.running_store)
                return
        folder = tmp_path_factory.mktemp("engines")
        yield Engines(
            opened, partial(running_postgres, folder), partial(running_valkey, folder), partial(running_store, folder)
        )


@pytest.fixture(scope="session")
def postgres_url(engines: Engines) -> str:
    return engines.postgres_url


@pytest.fixture(scope="session")
def valkey_url(engines: Engines) -> str:
    """Valkey's URL. Keys of a test must not be another's: use random names."""
    return engines.valkey_url


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator["Databases"]:
    from tests.databases import Databases

    with closing(Databases(postgres_url)) as databases:
        yield databases


@pytest.fixture(scope="module")
def make_database(databases: "Databases") -> Iterator[MakeDatabase]:
    """A function that gives an empty database with a service's migrations applied, which is the module's own."""
    with databases.lending() as lend:
        yield lend


@pytest.fixture
def make_test_database(databases: "Databases") -> Iterator[MakeDatabase]:
    """The same for what only one test uses."""
    with databases.lending() as lend:
        yield lend


@pytest.fixture(scope="session", autouse=True)
def password_cost() -> Iterator[tuple[int, int]]:
    """Hashing a password takes no time, unless `costly_passwords` is asked for. Yields its usual memory and passes."""
    from common import passwords

    usual = passwords.MEMORY_KIB, passwords.PASSES
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(passwords, "MEMORY_KIB", 64)
        changed.setattr(passwords, "PASSES", 1)
        yield usual


@pytest.fixture(scope="module")
def costly_passwords(password_cost: tuple[int, int]) -> Iterator[None]:
    """Services that start in the module from now on hash passwords as they do for users."""
    from common import passwords

    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(passwords, "MEMORY_KIB", password_cost[0])
        changed.setattr(passwords, "PASSES", password_cost[1])
        yield


@pytest.fixture
async def store(engines: Engines, tmp_path: Path) -> AsyncGenerator["ObjectStore"]:
    """An object store of the test's own, on the S3 server."""
    from tests.stores import opened_store

    async with opened_store("s3", engines, tmp_path) as store:
        yield store


@contextmanager
def running_stack(tmp_path_factory: pytest.TempPathFactory, **settings: str) -> Generator["StartedStack"]:
    """The whole system on embedded engines, with limits that tests do not reach by accident.

    It fetches from this machine, and lets folders beside its own be mirrors.
    """
    from deploy.local.stack import start

    folder = tmp_path_factory.mktemp("stack")
    elsewhere = {"MIRROR_FOLDERS": str(tmp_path_factory.getbasetemp()), "FETCH_ALLOWED_NETWORKS": "127.0.0.1/32"}
    elsewhere["FILECODEBOX_FOLDER"] = str(folder / "local")
    unsynced = {"STORE_SYNC": "0"}
    with start(folder, environment={**dict.fromkeys(LIMITS, "100000"), **elsewhere, **unsynced, **settings}) as stack:
        _leave_unsynced(stack)
        yield stack


@contextmanager
def running_stack_on_s3(tmp_path_factory: pytest.TempPathFactory, engines: Engines) -> Generator["StartedStack"]:
    """A system with its contents in a bucket of its own on the store of the tests."""
    store = engines.store
    settings = {
        "STORE": "s3",
        "S3_ENDPOINT": store.endpoint,
        "S3_ACCESS_KEY": store.access_key,
        "S3_SECRET_KEY": store.secret_key,
        "S3_BUCKET": f"test-{secrets.token_hex(6)}",
    }
    with running_stack(tmp_path_factory, **settings) as stack:
        yield stack


def _leave_unsynced(stack: "StartedStack") -> None:
    """The machine does not lose power within a test; what a killed process wrote is there without the disk."""
    import psycopg

    from deploy.local import credentials, postgres

    url = postgres.admin_url(stack.ports["postgres"], credentials.load(stack.folder)["postgres_admin"])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
