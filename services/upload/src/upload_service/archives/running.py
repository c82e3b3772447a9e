"""Computations that go on when those who wait for them have gone.

A client that gives up while a large content is read for its checksum, and comes again, finds it computed. There is one
computation for each content, whoever waits, and few at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from common.cancelling import cancel

AT_ONCE = 4


class Running:
    """The computations of a process, each of a number, by the ids of what they are about."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, asyncio.Task[int]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def result(self, of: UUID, compute: Callable[[], Awaitable[int]]) -> int:
        """The result of the computation that runs for this id, or else of `compute`. Raises what it raises."""
        task = self._tasks.get(of)
        if task is None:
            task = asyncio.create_task(self._run(compute))
            self._tasks[of] = task
            task.add_done_callback(lambda done: self._ended(of, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End every computation."""
        await cancel(*self._tasks.values())

    async def _run(self, compute: Callable[[], Awaitable[int]]) -> int:
        async with self._turns:
            return await compute()

    def _ended(self, of: UUID, task: "asyncio.Task[int]") -> None:
        del self._tasks[of]
        if not task.cancelled():
            # Perhaps nobody waits for it any more.
            task.exception()
