"""PostgreSQL, Valkey and the object store in containers, for tests that want the engines which users run.

Each is a context manager that yields where the engine answers, under generated credentials and on 127.0.0.1 alone, and
removes container and data at the end. `WAYSTATION_TEST_CONTAINERS=1` puts them in place of the embedded engines. As a
pytest plugin (`-p tests.containers`) this module also leaves out every test that would not run on them.
"""

import os
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
import redis

# Its reaper is an image of its own; here every container is removed by the context that started it.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from tests.engines import StoreAddress

READY_SECONDS = 60
ABOVE = {
    *("dialects", "pages", "live", "mirrors", "fetches"),
    *("test_wild_values.py", "test_openapi.py", "test_share_notices.py"),
}
"""Folders and modules about what stands above the engines, or about other servers: the same whatever runs below."""
CLAIMS = ("test_fetch_claims", "test_replica_claims")
"""Modules there that are about SQL which several run at once."""


def engine_answers() -> bool:
    """Whether there is a Docker engine."""
    try:
        client = DockerClient().client
    except DockerException:
        return False
    try:
        return client.ping()
    except DockerException:
        return False
    finally:
        client.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests whose engines, by whatever chain of fixtures, come from here."""
    kept, others = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        (kept if _runs_here(item) else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = kept


def _runs_here(item: pytest.Item) -> bool:
    uses_engines = isinstance(item, pytest.Function) and "engines" in item.fixturenames
    is_above = bool(ABOVE & set(item.path.parts)) and item.path.stem not in CLAIMS
    return (uses_engines and not is_above) or item.get_closest_marker("docker") is not None


@contextmanager
def running_postgres() -> Generator[str]:
    """PostgreSQL 17; yields its administrator's URL."""
    password = secrets.token_hex(16)
    # The machine does not lose power within a test, and making and dropping databases is mostly waiting for the disk.
    container = (
        DockerContainer("postgres:17")
        .with_envs(POSTGRES_PASSWORD=password, LANG="C.UTF-8")
        .with_command(["postgres", "-c", "fsync=off"])
    )
    with _running(container, 5432) as address:
        url = f"postgresql://postgres:{password}@{address}/postgres"
        _wait(lambda: psycopg.connect(url, connect_timeout=3).close(), psycopg.OperationalError)
        yield url


@contextmanager
def running_valkey() -> Generator[str]:
    """Valkey 8; yields its URL, database 0."""
    password = secrets.token_hex(16)
    container = DockerContainer("valkey/valkey:8").with_command(["valkey-server", "--requirepass", password])
    with _running(container, 6379) as address:
        url = f"redis://:{password}@{address}/0"

        def ping() -> None:
            with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
                client.ping()

        _wait(ping, redis.ConnectionError)
        yield url


@contextmanager
def running_store() -> Generator[StoreAddress]:
    """The object store, without a bucket."""
    user, password = secrets.token_hex(10), secrets.token_hex(20)
    container = (
        DockerContainer("pgsty/silo:latest")
        .with_env("MINIO_ROOT_USER", user)
        .with_env("MINIO_ROOT_PASSWORD", password)
        .with_command(["minio", "server", "/data"])
    )
    with _running(container, 9000) as address:
        endpoint = f"http://{address}"
        _wait(
            lambda: httpx.get(f"{endpoint}/minio/health/live", timeout=3).raise_for_status(),
            (httpx.TransportError, httpx.HTTPStatusError),
        )
        yield StoreAddress(endpoint, user, password)


@contextmanager
def _running(container: DockerContainer, port: int) -> Generator[str]:
    """Start it with `port` published on a free port of 127.0.0.1; yield that `host:port`."""
    # testcontainers itself publishes on every address; docker-py takes the pair.
    container.ports[f"{port}/tcp"] = ("127.0.0.1", None)  # type: ignore[assignment]
    with container:
        yield f"127.0.0.1:{container.get_exposed_port(port)}"


def _wait(attempt: Callable[[], object], failures: type[Exception] | tuple[type[Exception], ...]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            attempt()
        except failures:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
