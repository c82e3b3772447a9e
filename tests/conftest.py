"""The engines that tests run on, and fresh databases on them.

By default everything runs on one throwaway embedded stack, which the contract and end-to-end tests also talk to. With
`WAYSTATION_TEST_CONTAINERS=1` and a Docker engine, the integration tests use the engines' containers instead.
"""

import secrets
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from common.db.migrate import migrate
from common.store import ObjectStore
from deploy.local import credentials, postgres, valkey
from deploy.local.stack import RunningStack, StartedStack, start
from tests import containers
from tests.containers import StoreAddress

ROOT = Path(__file__).parent.parent
LIMITS = (
    *("UPLOAD_COUNT", "ERROR_COUNT", "GUESS_GLOBAL_COUNT"),
    *("ACCOUNT_CALLS_PER_MINUTE", "LOGIN_FAILURE_ADDRESS_COUNT", "LOGIN_FAILURE_ACCOUNT_COUNT"),
    *("FILE_UPLOADER_UPLOADS_PER_MINUTE", "PUBLIC_ROOMS"),
)


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the engines answer, with their administrators' credentials."""

    postgres_url: str
    valkey_url: str
    store: StoreAddress


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedStack]:
    """The whole system on embedded engines, with limits that tests do not reach by accident.

    It fetches from this machine, and lets folders beside its own be mirrors.
    """
    folder = tmp_path_factory.mktemp("stack")
    elsewhere = {"MIRROR_FOLDERS": str(tmp_path_factory.getbasetemp()), "FETCH_ALLOWED_NETWORKS": "127.0.0.1/32"}
    with start(folder, environment={**dict.fromkeys(LIMITS, "100000"), **elsewhere}) as stack:
        # The machine does not lose power within a test; what a killed process wrote is there without it.
        with psycopg.connect(_engines_of(stack).postgres_url, autocommit=True) as connection:
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        yield stack


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Iterator[Engines]:
    if not containers.wanted():
        yield _engines_of(request.getfixturevalue("stack"))
        return
    with ExitStack() as opened:
        yield Engines(
            opened.enter_context(containers.postgres()),
            opened.enter_context(containers.valkey()),
            opened.enter_context(containers.store()),
        )


def _engines_of(stack: RunningStack) -> Engines:
    known = credentials.load(stack.folder)
    store = StoreAddress(
        f"http://127.0.0.1:{stack.ports['store']}", known["store_access_key"], known["store_secret_key"]
    )
    return Engines(
        postgres.admin_url(stack.ports["postgres"], known["postgres_admin"]),
        valkey.url(stack.ports["valkey"], known["valkey"]),
        store,
    )


@pytest.fixture(scope="session")
def postgres_url(engines: Engines) -> str:
    return engines.postgres_url


@pytest.fixture(scope="session")
def valkey_url(engines: Engines) -> str:
    """Valkey's URL. Keys of a test must not be another's: use random names."""
    return engines.valkey_url


MakeDatabase = Callable[[Path], str]


@pytest.fixture(scope="session")
def make_database(postgres_url: str) -> MakeDatabase:
    """A function that gives a fresh database with a service's migrations applied, cloned from a template.

    They go with their server.
    """
    templates: dict[Path, str] = {}

    def create(connection: psycopg.Connection, template: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        identifiers = sql.Identifier(name), sql.Identifier(template)
        connection.execute(sql.SQL("create database {} encoding 'UTF8' template {}").format(*identifiers))
        return name

    def make(folder: Path) -> str:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            if folder not in templates:
                templates[folder] = create(connection, "template0")
                migrate(_url_of(postgres_url, templates[folder]), folder)
            return _url_of(postgres_url, create(connection, templates[folder]))

    return make


def _url_of(postgres_url: str, database: str) -> str:
    return make_conninfo(**{**conninfo_to_dict(postgres_url), "dbname": database})


@pytest.fixture
async def store(engines: Engines) -> AsyncGenerator[ObjectStore]:
    """The object store with a bucket of the test's own."""
    address = engines.store
    bucket = f"test-{secrets.token_hex(6)}"
    store = ObjectStore(
        address.endpoint,
        region="us-east-1",
        bucket=bucket,
        access_key=address.access_key,
        secret_key=address.secret_key,
    )
    await store.open()
    await store.ensure_bucket()
    yield store
    await store.close()
