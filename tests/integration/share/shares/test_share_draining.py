"""The sweep of shares works until nothing is left, also when thousands of shares wait."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import httpx
import psycopg
import pytest

from share_service.context import Context
from share_service.shares.sweeping import sweep
from tests.conftest import MakeDatabase
from tests.integration.share.asking import change
from tests.integration.share.running_share import ShareService, running_share_service

MANY = 3_000
INSERT = f"""
    insert into share (id, code, kind, file_id, name, size, state, expires_at, uses_left, created_at)
    select gen_random_uuid(), number::text, 'file', gen_random_uuid(), 'x', 1, 'active', now() - interval '1 minute',
        null, now()
    from generate_series(1, {MANY}) as number
"""
SPEND = "update share set state = 'spent', uses_left = 0, expires_at = null"
LEASE = """
    insert into lease (share_id, holder, expires_at)
    select id, sha256(code::bytea), now() - interval '1 second' from share
"""


@pytest.fixture
def service(make_database: MakeDatabase, valkey_url: str) -> Iterator[ShareService]:
    with running_share_service(make_database, valkey_url) as service:
        yield service


def count(service: ShareService, state: str) -> int:
    with psycopg.connect(service.database_url) as connection:
        row = connection.execute("select count(*) from share where state = %s", (state,)).fetchone()
        assert row
        return row[0]


def waiting(service: ShareService) -> dict[str, int]:
    """What an operator reads of the work that is waiting."""
    answer = httpx.get(f"{service.url}/internal/backlog")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_shares_whose_time_is_over(service: ShareService, worker: Context) -> None:
    change(service, INSERT)
    assert waiting(service)["shares to end"] == MANY
    await sweep(worker)
    assert set(waiting(service).values()) == {0}
    assert count(service, "released") == MANY
    assert len(set(service.upload.released)) == len(service.upload.released) == MANY
    change(service, "update share set released_at = now() - interval '2 days'")
    assert waiting(service)["shares to delete"] == MANY
    await sweep(worker)
    assert count(service, "released") == 0


async def test_spent_shares_and_their_leases(service: ShareService, worker: Context) -> None:
    change(service, INSERT)
    change(service, SPEND)
    change(service, LEASE)
    counts = waiting(service)
    assert (counts["shares to end"], counts["leases to delete"]) == (MANY, MANY)
    await sweep(worker)
    assert set(waiting(service).values()) == {0}
    assert count(service, "released") == MANY


async def test_a_sweep_that_is_killed_in_the_middle_is_made_up_for(service: ShareService, worker: Context) -> None:
    change(service, INSERT)
    killed = asyncio.create_task(sweep(worker))
    while not service.upload.released:
        await asyncio.sleep(0.01)
    killed.cancel()
    with suppress(asyncio.CancelledError):
        await killed
    assert count(service, "released") < MANY
    # What it had claimed is claimed again after a minute.
    change(service, "update share set release_due_at = now() where state = 'ended'")
    await asyncio.gather(sweep(worker), sweep(worker))
    assert count(service, "released") == MANY
    assert len(set(service.upload.released)) == MANY
