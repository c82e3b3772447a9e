"""Fixtures for tests of content: a context on a database and a store of its own."""

from collections.abc import AsyncGenerator

import pytest

from common.db import Database
from common.store import ObjectStore
from tests.conftest import ROOT, MakeDatabase
from tests.integration.upload.content.appended import Growing
from tests.integration.upload.content.uploads import Bench, Forgetful
from tests.integration.upload.contexts import Requests, new_context
from upload_service.content.running_digests import RunningDigests


@pytest.fixture(params=[RunningDigests, Forgetful], ids=["running digest", "read back"])
async def bench(
    request: pytest.FixtureRequest, make_database: MakeDatabase, store: ObjectStore
) -> AsyncGenerator[Bench]:
    db = Database(make_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    queue = Requests()
    context = new_context(db, store, queue=queue, digests=request.param())
    yield Bench(context, queue.verifications)
    await db.close()


@pytest.fixture
async def growing(make_database: MakeDatabase, store: ObjectStore) -> AsyncGenerator[Growing]:
    db = Database(make_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    queue = Requests()
    yield Growing(new_context(db, store, queue=queue), queue.verifications)
    await db.close()
