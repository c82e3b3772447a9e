"""Use cases that have done all their work and wait to commit it, for tests of what others do meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from common.db import Connection, Database
from share_service.context import Context

Result = TypeVar("Result")


class HeldCommits(Database):
    """A database whose transactions wait before they commit."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_done, self.may_commit = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        async with super().transaction() as connection:
            yield connection
            self.is_done.set()
            await self.may_commit.wait()


@asynccontextmanager
async def uncommitted(
    context: Context, database_url: str, use_case: Callable[[Context], Awaitable[Result]]
) -> AsyncGenerator["asyncio.Future[Result]"]:
    """Run the use case, and let it commit at the end of the block; yields the future of its result."""
    database = HeldCommits(database_url)
    await database.open()
    running = asyncio.ensure_future(use_case(replace(context, db=database)))
    try:
        async with asyncio.timeout(30):
            await database.is_done.wait()
        yield running
    finally:
        database.may_commit.set()
        await running
        await database.close()
