"""A context with limits, and what its database counts."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from common.db import Connection, Database
from common.store import ObjectStore
from tests.integration.upload.contexts import new_context
from upload_service.content.model import Quota
from upload_service.context import Context
from upload_service.quotas import counting

Sums = dict[UUID, tuple[int, int]]
"""Bytes and files by owner, without those that have nothing."""
GUESTS, PLACE = UUID(int=0), UUID(int=2**128 - 1)
COUNTED = """
    select owner, sum(bytes)::bigint, sum(files)::bigint from (
        select owner, bytes, files from usage
        union all select owner, bytes, files from usage_change
        union all select 'ffffffff-ffff-ffff-ffff-ffffffffffff', bytes, files from usage_change) sums
    group by owner having sum(bytes) <> 0 or sum(files) <> 0
"""
TRUE = """
    select coalesce(owner, '00000000-0000-0000-0000-000000000000'), sum(size)::bigint, count(*) from (
        select owner, size from file where state <> 'corrupt'
        union all select owner, reserved from upload_session where state = 'open' and reserved is not null) counted
    group by owner
"""


@dataclass
class QuotaBench:
    """A context whose limits a test sets."""

    context: Context
    quota: Quota = field(default_factory=Quota)
    by_account: dict[UUID, Quota] = field(default_factory=dict[UUID, Quota])

    def dying(self, steps: int) -> "QuotaBench":
        """The same for a process that dies after so many statements and commits."""
        return self.on(DyingDatabase(self.context.db, steps))

    def on(self, db: Any) -> "QuotaBench":
        """The same on another database."""
        return replace(self, context=replace(self.context, db=db))

    async def counted(self) -> Sums:
        """What is counted."""
        return await self._sums(COUNTED)

    async def true_sums(self) -> Sums:
        """The sums over all files and open uploads, and for the place."""
        found = await self._sums(TRUE)
        if found:
            found[PLACE] = (sum(size for size, _ in found.values()), sum(files for _, files in found.values()))
        return found

    async def assert_exact(self) -> Sums:
        """Assert that the sums are right; they are returned."""
        counted = await self.counted()
        assert counted == await self.true_sums()
        return counted

    async def sum_up(self) -> None:
        await counting.sum_up(self.context)

    async def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        async with self.context.db.connection() as connection:
            cursor = await connection.execute(statement.encode(), values)
            return await cursor.fetchall() if cursor.description else []

    async def _sums(self, statement: str) -> Sums:
        return {owner: (size, files) for owner, size, files in await self.run(statement)}


def new_quota_bench(db: Database, store: ObjectStore) -> QuotaBench:
    bench: QuotaBench

    async def limits(owner: UUID | None) -> Quota:
        return bench.by_account.get(owner, bench.quota) if owner else bench.quota

    bench = QuotaBench(new_context(db, store, limits_for=limits))
    return bench


class Killed(BaseException):
    """The process has died."""


class DyingDatabase:
    """A database as a process uses it that dies before one of its statements, or before it commits."""

    def __init__(self, db: Database, steps: int) -> None:
        self._db, self._steps = db, steps
        self.used = asyncio.Event()
        """Set when its first statement is over, or the process has died before."""

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            self.used.set()
            raise Killed

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        self._step()
        try:
            async with self._db.connection() as connection:
                yield connection
        finally:
            self.used.set()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        self._step()
        async with self._db.transaction() as connection:
            yield connection
            self._step()


async def outcome(step: Coroutine[Any, Any, Any]) -> Any:
    """The result of a step, or the error that it raised."""
    try:
        return await step
    except Exception as error:  # noqa: BLE001  (the test looks at it)
        return error
