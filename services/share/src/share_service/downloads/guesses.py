"""Budgets for wrong codes: one for each client address, and one for everybody together.

A guess is counted before the look-up and given back if it was right, so that guesses sent in parallel cannot slip past
the count. While a budget is used up, right codes are refused like wrong ones, so the answer tells nothing about a code.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from common import logging
from common.addresses import limit_key
from common.errors import DomainError
from common.limits import Budget, LimiterUnavailable, counted_try
from common.policy import Policy
from share_service.context import Context
from share_service.downloads.keys import BadKey
from share_service.shares.model import ShareEnded, UnknownCode

WRONG_GUESSES: tuple[type[DomainError], ...] = (UnknownCode, ShareEnded, BadKey)
"""The answers to wrong codes and keys, which count as guesses."""
# Right guesses are given back within milliseconds, which a client that downloads in parallel waits for.
_PATIENCE = (0.05, 0.1, 0.2)


@asynccontextmanager
async def counted_redemption(context: Context, address: str) -> AsyncGenerator[None]:
    """Count the block, an attempt to redeem a code, if the code is wrong.

    Raises `RateLimited`, `LimiterUnavailable`.
    """
    budget, key = _of_address(context, "guess-address", await context.policy.current()), limit_key(address)
    async with counted_try([(budget, key), (_of_everybody(context), "")], WRONG_GUESSES, patience=_PATIENCE):
        try:
            yield
        except WRONG_GUESSES:
            await _restart(budget, key)
            raise


@asynccontextmanager
async def counted_inspection(context: Context, address: str) -> AsyncGenerator[None]:
    """Count the block, a look-up that redeems nothing: always for its address, and for everybody if the code is wrong.

    Raises `RateLimited`, `LimiterUnavailable`.
    """
    budget, key = _of_address(context, "inspection", await context.policy.current()), limit_key(address)
    await budget.take(key)
    await _restart(budget, key)
    async with counted_try([(_of_everybody(context), "")], WRONG_GUESSES, patience=_PATIENCE):
        yield


def _of_address(context: Context, name: str, policy: Policy) -> Budget:
    return context.limiter.budget(name, policy.error_count, timedelta(minutes=policy.error_minute))


def _of_everybody(context: Context) -> Budget:
    return context.limiter.budget("guess-everyone", context.guess_global_count, timedelta(minutes=1))


async def _restart(budget: Budget, key: str) -> None:
    """Make a block last for a whole period after the last event that counted."""
    try:
        await budget.restart(key)
    except LimiterUnavailable:
        # The event is counted for the rest of the window all the same.
        logging.get(__name__).warning("the window of a budget could not be restarted")
