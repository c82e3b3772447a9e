"""Keeping a claim while work goes on: renewed before it runs out, and the work broken off when it was lost."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from common.cancelling import cancel
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
    """Renew a claim of `lease` while the block runs, `every` so often (a third of the lease), and never after it.

    `renew` says whether it is still ours. Raises `ClaimLost` in the block as soon as it is not, or could not be renewed
    in time because the database was away.
    """
    pause = (every or lease / 3).total_seconds()

    def break_off(keeper: asyncio.Task[None]) -> None:
        if not keeper.cancelled():
            scope.reschedule(asyncio.get_running_loop().time())

    keeper = asyncio.create_task(_renew_until_lost(renew, lease.total_seconds(), pause))
    try:
        async with asyncio.timeout(None) as scope:
            keeper.add_done_callback(break_off)
            try:
                yield
            finally:
                # Nothing is renewed any more once the block is over.
                await cancel(keeper)
    except TimeoutError:
        if not keeper.cancelled():
            # What nobody expected is told as it is.
            keeper.result()
            raise ClaimLost from None
        raise


async def _renew_until_lost(renew: Callable[[], Awaitable[bool]], lease: float, pause: float) -> None:
    """Return when the claim is another's, or would run out before the next attempt to renew it."""
    until = time.monotonic() + lease
    while True:
        await asyncio.sleep(pause)
        begun = time.monotonic()
        try:
            # A database that says nothing is as good as away.
            async with asyncio.timeout(until - begun):
                if not await renew():
                    return
            until = begun + lease
        except (Unavailable, TimeoutError):
            if time.monotonic() + pause > until:
                return
