"""Reliable cancellation of asyncio tasks."""

import asyncio
from typing import TypeVar

AGAIN_SECONDS = 1

T = TypeVar("T")


async def cancel(*tasks: asyncio.Task[T]) -> list[T | BaseException]:
    """Cancel tasks, wait for all of them to end and return their results or exceptions, in order.

    The cancellation is repeated every second. Valkey's library and PostgreSQL's pool use `asyncio.wait_for`, which
    before Python 3.12 loses a cancellation that arrives at the same moment as the result that it waits for.
    """
    pending: set[asyncio.Task[T]] = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    return await asyncio.gather(*tasks, return_exceptions=True)
