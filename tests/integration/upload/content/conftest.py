"""Fixtures for tests of content: a context on a database and a store of its own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.db import Database
from common.store import ObjectStore
from common.store.folder import FolderStore
from tests.conftest import ROOT, Engines, MakeDatabase
from tests.integration.upload.content.appended import Growing
from tests.integration.upload.content.uploads import Bench, Forgetful
from tests.integration.upload.contexts import Requests, new_context
from tests.stores import opened_store
from upload_service.content.running_digests import RunningDigests


@pytest.fixture(params=["s3", "folder"])
async def store(request: pytest.FixtureRequest, engines: Engines, tmp_path: Path) -> AsyncGenerator[ObjectStore]:
    async with opened_store(request.param, engines, tmp_path) as store:
        yield store


@pytest.fixture(params=[RunningDigests, Forgetful], ids=["running digest", "read back"])
async def bench(
    request: pytest.FixtureRequest, make_test_database: MakeDatabase, store: ObjectStore
) -> AsyncGenerator[Bench]:
    db = Database(make_test_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    queue = Requests()
    context = new_context(db, store, queue=queue, digests=request.param())
    yield Bench(context, queue.verifications)
    await db.close()


@pytest.fixture
async def growing(make_test_database: MakeDatabase, store: ObjectStore) -> AsyncGenerator[Growing]:
    db = Database(make_test_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    queue = Requests()
    yield Growing(new_context(db, store, queue=queue), queue.verifications)
    await db.close()


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncGenerator[FolderStore]:
    store = FolderStore(tmp_path / "store", synced=False)
    await store.open()
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture
async def folder_bench(make_test_database: MakeDatabase, folder: FolderStore) -> AsyncGenerator[Bench]:
    db = Database(make_test_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    yield Bench(new_context(db, folder))
    await db.close()
