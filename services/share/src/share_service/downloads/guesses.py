"""Budgets for guesses: what one address, and what everyone together, may try before codes are no longer answered.

A try is counted before the look-up and given back when it was right, so that guesses sent in parallel cannot slip past
the count. While a budget is used up, right codes are refused like wrong ones: the answer tells nothing about a code.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from common import logging
from common.addresses import limit_key
from common.errors import RateLimited
from common.limits import Budget, Limiter, LimiterUnavailable
from common.policy import Policy
from share_service.shares.model import WRONG_GUESSES

_GLOBAL_PERIOD = timedelta(minutes=1)
# Right tries hold their count for milliseconds: a client that downloads in parallel waits for its own to come back.
_PATIENCE = (0.05, 0.1, 0.2)


class Guesses:
    """The budgets of the system."""

    def __init__(self, limiter: Limiter, global_count: int) -> None:
        self._limiter = limiter
        self._everyone = limiter.budget("guess-everyone", global_count, _GLOBAL_PERIOD)

    @asynccontextmanager
    async def redemption(self, policy: Policy, address: str) -> AsyncGenerator[None]:
        """Around a try to redeem a code: a wrong one counts.

        Raises `RateLimited`, and `LimiterUnavailable` when nobody knows.
        """
        budget = self._limiter.budget("guess-address", policy.error_count, timedelta(minutes=policy.error_minute))
        async with self._counted([(budget, limit_key(address)), (self._everyone, "")]):
            try:
                yield
            except WRONG_GUESSES:
                await _restart(budget, limit_key(address))
                raise

    @asynccontextmanager
    async def inspection(self, policy: Policy, address: str) -> AsyncGenerator[None]:
        """Around a look that redeems nothing: every one counts for its address, wrong ones also for everyone."""
        budget = self._limiter.budget("inspection", policy.error_count, timedelta(minutes=policy.error_minute))
        await budget.take(limit_key(address))
        await _restart(budget, limit_key(address))
        async with self._counted([(self._everyone, "")]):
            yield

    @asynccontextmanager
    async def _counted(self, budgets: Sequence[tuple[Budget, str]]) -> AsyncGenerator[None]:
        async with AsyncExitStack() as taken:
            for budget, key in budgets:
                await _take(budget, key)
                taken.push_async_callback(_give_back, budget, key)
            try:
                yield
            except WRONG_GUESSES:
                taken.pop_all()
                raise


async def _take(budget: Budget, key: str) -> None:
    for seconds in _PATIENCE:
        try:
            return await budget.take(key)
        except RateLimited:
            await asyncio.sleep(seconds)
    return await budget.take(key)


async def _restart(budget: Budget, key: str) -> None:
    """A block lasts for a whole window after the last try that counted."""
    try:
        await budget.restart(key)
    except LimiterUnavailable:
        # It is counted all the same, for what is left of the window.
        logging.get(__name__).warning("a window could not be begun anew")


async def _give_back(budget: Budget, key: str) -> None:
    try:
        await budget.give_back(key)
    except LimiterUnavailable:
        # The answer stands; the count stays until its window is over.
        logging.get(__name__).warning("a right try could not be given back")
