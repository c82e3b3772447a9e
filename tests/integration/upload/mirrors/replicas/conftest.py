"""Fixtures for tests of replicas: servers of the kinds that a module names in `KINDS`, and a system that uses them."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from common.store import ObjectStore
from tests.conftest import MakeDatabase
from tests.integration.upload.mirrors.mirror_front import Background, background
from tests.integration.upload.mirrors.mirror_servers import MirrorServer
from tests.integration.upload.mirrors.mirrored import MIGRATIONS, Mirrored, mirrored


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "started" in metafunc.fixturenames:
        assert metafunc.module is not None
        metafunc.parametrize("started", metafunc.module.KINDS, indirect=True, scope="module")


@pytest.fixture(scope="module")
def running() -> Iterator[Background]:
    with background() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mirrors")


@pytest.fixture(scope="module")
def started(request: pytest.FixtureRequest, running: Background, folder: Path) -> Iterator[MirrorServer]:
    (folder / request.param).mkdir()
    with request.module.KINDS[request.param](folder / request.param, running) as server:
        yield server


@pytest.fixture
def server(started: MirrorServer) -> Iterator[MirrorServer]:
    """A server that is empty and well, whatever the previous test did to it."""
    yield started
    started.set_fault(None)
    started.clear()


@pytest.fixture(scope="module")
def database(make_database: MakeDatabase) -> str:
    return make_database(MIGRATIONS)


@pytest.fixture
async def system(database: str, store: ObjectStore, folder: Path) -> AsyncGenerator[Mirrored]:
    async with mirrored(database, store, folder) as system:
        yield system
