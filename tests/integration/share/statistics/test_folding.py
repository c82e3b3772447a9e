"""What services count reaches the table once, whatever dies on the way, and old hours become days."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from redis import Redis

from common import statistics
from common.limits import LimiterUnavailable
from common.statistics import BATCH_KEY, COUNTS_KEY, HOUR, Reporter, Tally
from share_service.context import Context
from share_service.statistics import folding
from share_service.statistics.folding import TAKEN_KEY, fold
from tests.integration.share.running_share import ShareService

NOW = int(time.time()) // HOUR * HOUR


class Dying:
    """A limiter whose last call is lost with the process that made it."""

    def __init__(self, context: Context) -> None:
        self._limiter = context.limiter

    async def call(self, *command: Any) -> Any:
        if command[1] == folding._DROP:  # pyright: ignore[reportPrivateUsage]
            raise LimiterUnavailable
        return await self._limiter.call(*command)


@pytest.fixture
def valkey(valkey_url: str) -> Iterator[Redis]:
    with Redis.from_url(valkey_url) as client:
        # Services of other tests count as well.
        client.delete(COUNTS_KEY, TAKEN_KEY)
        yield client


def sums(service: ShareService, name: str) -> dict[tuple[str, datetime], int]:
    with psycopg.connect(service.database_url) as connection:
        statement = "select step, at, value from statistic where name = %s and dialect = 'curl'"
        return {(step, at): value for step, at, value in connection.execute(statement, [name])}


async def test_counts_are_added_once_though_the_process_dies_after_the_commit(
    service: ShareService, worker: Context, valkey: Any
) -> None:
    unknown = {f"{NOW}:nonsense:curl": 1, f"{NOW}:uploads:x": 1, "x": 1}
    valkey.hset(COUNTS_KEY, mapping={f"{NOW}:uploads:curl": 3, **unknown})
    with pytest.raises(LimiterUnavailable):
        await fold(replace(worker, limiter=Dying(worker)))  # pyright: ignore[reportArgumentType]
    at = datetime.fromtimestamp(NOW, UTC)
    assert sums(service, "uploads") == {("hour", at): 3}
    # Meanwhile others go on counting.
    valkey.hset(COUNTS_KEY, f"{NOW}:uploads:curl", 4)
    await fold(worker)
    assert sums(service, "uploads") == {("hour", at): 3}
    await fold(worker)
    assert sums(service, "uploads") == {("hour", at): 7}
    await fold(worker)
    assert sums(service, "uploads") == {("hour", at): 7}
    assert not valkey.exists(COUNTS_KEY, TAKEN_KEY)


async def test_hours_become_days_after_400_days(service: ShareService, worker: Context, valkey: Any) -> None:
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=401)
    hours = [day + timedelta(hours=5), day + timedelta(hours=6), day + timedelta(days=1)]
    fields = {f"{int(at.timestamp())}:downloads:curl": number + 1 for number, at in enumerate(hours)}
    valkey.hset(COUNTS_KEY, mapping=fields)
    await fold(worker)
    assert sums(service, "downloads") == {("day", day): 3, ("hour", hours[2]): 3}


def test_a_batch_that_is_handed_over_again_counts_once(
    valkey_url: str, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Tally()
    monkeypatch.setattr(statistics, "TALLY", own)
    own.add("failures", 2, "curl")
    own.add("failures", 3, "curl")
    # Other services of these tests hand over as well.
    others = set(valkey.scan_iter(f"{BATCH_KEY}*"))
    Reporter(valkey_url).close()
    counted = {field: int(value) for field, value in valkey.hgetall(COUNTS_KEY).items() if b"failures:curl" in field}
    assert list(counted.values()) == [5]
    (batch,) = set(valkey.scan_iter(f"{BATCH_KEY}*")) - others
    again = ["1", "field", "9"]
    valkey.eval(statistics._ADD, 2, COUNTS_KEY, batch, *again)  # pyright: ignore[reportPrivateUsage]
    assert valkey.hget(COUNTS_KEY, "field") is None
    valkey.delete(batch)


def test_nothing_is_lost_while_valkey_is_away(valkey_url: str, valkey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Tally()
    monkeypatch.setattr(statistics, "TALLY", own)
    monkeypatch.setattr(statistics, "PAUSE_SECONDS", 0.01)
    reporter = Reporter("redis://127.0.0.1:1")
    own.add("failures", 1, "mirage")
    while reporter._batch is None:  # pyright: ignore[reportPrivateUsage]
        time.sleep(0.001)
    reporter._redis = Redis.from_url(valkey_url)  # pyright: ignore[reportPrivateUsage]
    own.add("failures", 2, "mirage")
    reporter.close()
    found = {field: int(value) for field, value in valkey.hgetall(COUNTS_KEY).items() if b"failures:mirage" in field}
    assert sum(found.values()) == 3
