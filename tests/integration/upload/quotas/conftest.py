"""A context with limits, on a database and a folder of its own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.db import Database
from common.store.folder import FolderStore
from tests.conftest import ROOT, MakeDatabase
from tests.integration.upload.quotas.quota_bench import QuotaBench, new_quota_bench


@pytest.fixture
async def bench(make_test_database: MakeDatabase, tmp_path: Path) -> AsyncGenerator[QuotaBench]:
    db = Database(make_test_database(ROOT / "services/upload/migrations"), pool_size=12)
    store = FolderStore(tmp_path / "store", synced=False)
    await db.open()
    await store.open()
    await store.prepare()
    yield new_quota_bench(db, store)
    await store.close()
    await db.close()
