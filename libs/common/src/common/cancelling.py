"""Reliable cancellation of asyncio tasks."""

import asyncio
from typing import TypeVar

AGAIN_SECONDS = 1

T = TypeVar("T")


async def cancel(*tasks: asyncio.Task[T]) -> list[T | BaseException]:
    """Cancel tasks, wait for all of them to end and return their results or exceptions, in order.

    The cancellation is repeated every second: before Python 3.12 `asyncio.wait_for`, by which Valkey's library sends
    and PostgreSQL's pool waits, loses a cancellation that comes in the same moment as what it waits for.
    """
    pending: set[asyncio.Task[T]] = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    return await asyncio.gather(*tasks, return_exceptions=True)
