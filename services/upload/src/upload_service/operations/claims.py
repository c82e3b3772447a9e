"""Keeping a claim while work goes on: renewed before it runs out, and the work broken off when it was lost."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from common.errors import Conflict, DomainError, Unavailable


class ClaimLost(Conflict):
    """Another worker has this work now, or it is not wanted any more."""

    code = "claim_lost"


class UnexpectedFailure(DomainError):
    """Something went wrong that nobody expected; the log says what."""

    code = "unexpected"


@asynccontextmanager
async def claim_kept(
    renew: Callable[[], Awaitable[bool]], lease: timedelta, every: timedelta | None = None
) -> AsyncGenerator[None]:
    """Renew a claim of `lease` while the block runs, `every` so often (a third of the lease).

    `renew` says whether it is still ours. Raises `ClaimLost` in the block as soon as it is not, or could not be renewed
    in time because the database was away.
    """
    pause = (every or lease / 3).total_seconds()
    lost = False

    async def keep() -> None:
        nonlocal lost
        until = time.monotonic() + lease.total_seconds()
        while not lost:
            await asyncio.sleep(pause)
            begun = time.monotonic()
            try:
                lost = not await renew()
                until = begun + lease.total_seconds()
            except Unavailable:
                lost = time.monotonic() + pause > until
        scope.reschedule(asyncio.get_running_loop().time())

    try:
        async with asyncio.timeout(None) as scope:
            keeper = asyncio.create_task(keep())
            try:
                yield
            finally:
                keeper.cancel()
                # Nothing is renewed any more once the block is over.
                await asyncio.wait([keeper])
    except TimeoutError:
        if lost:
            raise ClaimLost from None
        raise
