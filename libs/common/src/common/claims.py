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


class KeptClaim:
    """A claim that something else renews. It is the `Lease` that a store asks for."""

    def __init__(self, until: float) -> None:
        self.until = until
        """The moment of `time.monotonic()` at which it ends if it is not renewed."""

    async def hold(self, *, last: bool = False) -> None:
        self.check()

    def check(self) -> None:
        """Raise `ClaimLost` unless the claim holds at this moment, in any thread, also if the process was stopped."""
        if time.monotonic() >= self.until:
            raise ClaimLost


@asynccontextmanager
async def claim_kept(
    renew: Callable[[], Awaitable[bool]],
    lease: timedelta,
    every: timedelta | None = None,
    *,
    since: float | None = None,
) -> AsyncGenerator[KeptClaim]:
    """Renew a claim of length `lease` while the block runs, and never after it.

    `since` is the moment of `time.monotonic()` before the claim was made, by default now. `every` is the time between
    two renewals, by default a third of the lease; `renew` returns whether the claim is still ours. If it is not, or if
    the database does not answer in time, the block is cancelled and raises `ClaimLost`.
    """
    pause = (every or lease / 3).total_seconds()

    def cancel_block(keeper: asyncio.Task[None]) -> None:
        if not keeper.cancelled():
            scope.reschedule(asyncio.get_running_loop().time())

    claim = KeptClaim((time.monotonic() if since is None else since) + lease.total_seconds())
    keeper = asyncio.create_task(_renew_until_lost(renew, claim, lease.total_seconds(), pause))
    try:
        async with asyncio.timeout(None) as scope:
            keeper.add_done_callback(cancel_block)
            try:
                yield claim
            finally:
                # The claim must not be renewed once the block has ended.
                await cancel(keeper)
    except TimeoutError:
        if not keeper.cancelled():
            # Raises the error if `renew` failed unexpectedly.
            keeper.result()
            raise ClaimLost from None
        raise


async def _renew_until_lost(renew: Callable[[], Awaitable[bool]], claim: KeptClaim, lease: float, pause: float) -> None:
    """Return when the claim is lost, or would expire before the next attempt to renew it."""
    while True:
        await asyncio.sleep(pause)
        begun = time.monotonic()
        try:
            # A database that does not answer counts as one that is down.
            async with asyncio.timeout(claim.until - begun):
                if not await renew():
                    return
            claim.until = begun + lease
        except (Unavailable, TimeoutError):
            if time.monotonic() + pause > claim.until:
                return
