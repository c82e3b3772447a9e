"""Fixtures for tests of fetches: one worker, and another one beside it."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from common.outbound.client import Outbound
from common.store import ObjectStore
from tests.conftest import ROOT, MakeDatabase
from tests.integration.running_remote import STALL, opened
from tests.integration.upload.fetches.running_fetches import PART_SIZE, Bench, bench_on
from upload_service.fetches import receiving, resuming
from upload_service.fetches import running as fetching


@pytest.fixture
def database_url(make_test_database: MakeDatabase) -> str:
    return make_test_database(ROOT / "services/upload/migrations")


@pytest.fixture
async def outbound(request: pytest.FixtureRequest) -> AsyncGenerator[Outbound]:
    """A client for which loopback is the public internet, with the patience that a module sets by `STALL_SECONDS`."""
    async with opened("127.0.0.0/8", stall_seconds=getattr(request.module, "STALL_SECONDS", STALL)) as outbound:
        yield outbound


@pytest.fixture
async def bench(
    database_url: str, store: ObjectStore, outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Bench]:
    monkeypatch.setattr(receiving, "PART_SIZE", PART_SIZE)
    monkeypatch.setattr(fetching, "FIRST_WAIT", timedelta(seconds=0.01))
    monkeypatch.setattr(resuming, "FIRST_WAIT", timedelta(seconds=0.01))
    monkeypatch.setattr(resuming, "LINGER", timedelta(seconds=0.05))
    monkeypatch.setattr(fetching, "PROGRESS_EVERY", timedelta(milliseconds=20))
    async with bench_on(database_url, store, outbound) as bench:
        yield bench


@pytest.fixture
async def other(database_url: str, store: ObjectStore, bench: Bench) -> AsyncGenerator[Bench]:
    """Another worker."""
    async with bench_on(database_url, store, bench.context.outbound) as other:
        other.account, other.share = bench.account, bench.share
        other.peer.stand_in = bench.share
        yield other
