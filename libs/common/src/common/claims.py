"""Keeps a claim on a row while work goes on: renews it before it expires, and cancels the work if it was lost."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from common.cancelling import cancel
from common.errors import Conflict, DomainError, Unavailable


class ClaimLost(Conflict):
    """Another worker has taken this work over, or it is no longer wanted."""

    code = "claim_lost"


class UnexpectedFailure(DomainError):
    """An unexpected error occurred; the log has the details."""

    code = "unexpected"


@asynccontextmanager
async def claim_kept(
    renew: Callable[[], Awaitable[bool]], lease: timedelta, every: timedelta | None = None
) -> AsyncGenerator[None]:
    """Renew a claim of length `lease` while the block runs, once in `every` (a third of the lease), and never after it.

    `renew` returns whether the claim is still ours. Raises `ClaimLost` in the block as soon as it is not, or if it
    could not be renewed in time because the database did not answer.
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
                # Once the block has ended, nothing may be renewed.
                await cancel(keeper)
    except TimeoutError:
        if not keeper.cancelled():
            # An unexpected error of `renew` is raised as it is.
            keeper.result()
            raise ClaimLost from None
        raise


async def _renew_until_lost(renew: Callable[[], Awaitable[bool]], lease: float, pause: float) -> None:
    """Return when the claim is lost, or would expire before the next attempt to renew it."""
    until = time.monotonic() + lease
    while True:
        await asyncio.sleep(pause)
        begun = time.monotonic()
        try:
            # A database that does not answer counts as one that is down.
            async with asyncio.timeout(until - begun):
                if not await renew():
                    return
            until = begun + lease
        except (Unavailable, TimeoutError):
            if time.monotonic() + pause > until:
                return
