"""Fixtures: a store of every kind."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.store import ObjectStore
from common.store.folder import FolderStore
from common.store.s3 import S3Store
from tests.conftest import Engines
from tests.engines import StoreAddress
from tests.integration.common.store.stores import KINDS, S3_KINDS, address_of, new_store, s3_store


@asynccontextmanager
async def _opened(store: ObjectStore) -> AsyncGenerator[ObjectStore]:
    await store.open()
    await store.prepare()
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, engines: Engines, tmp_path: Path) -> AsyncGenerator[ObjectStore]:
    async with _opened(new_store(request.param, engines, tmp_path)) as store:
        yield store


@pytest.fixture(params=S3_KINDS)
def address(request: pytest.FixtureRequest, engines: Engines) -> StoreAddress:
    return address_of(request.param, engines)


@pytest.fixture
async def s3(address: StoreAddress) -> AsyncGenerator[S3Store]:
    store = s3_store(address)
    async with _opened(store):
        yield store


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncGenerator[FolderStore]:
    store = FolderStore(tmp_path / "store")
    async with _opened(store):
        yield store
