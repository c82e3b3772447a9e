"""Budgets for wrong codes: one for each client address, and one for everybody together.

A guess is counted before the look-up and given back if it was right, so that guesses sent in parallel cannot slip past
the count. While a budget is used up, right codes are refused like wrong ones, so the answer tells nothing about a code.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from common.addresses import limit_key
from common.errors import DomainError
from common.limits import Budget, counted_try
from common.policy import Policy
from share_service.context import Context
from share_service.downloads.keys import BadKey
from share_service.shares.model import ShareEnded, UnknownCode

WRONG_GUESSES: tuple[type[DomainError], ...] = (UnknownCode, ShareEnded, BadKey)
"""The answers to wrong codes and keys, which count as guesses."""
# Right guesses are given back within milliseconds, which a client that downloads in parallel waits for.
_PATIENCE = (0.05, 0.1, 0.2)


def counted_redemption(context: Context, policy: Policy, address: str) -> AbstractAsyncContextManager[None]:
    """Count the block, an attempt to redeem a code, if the code is wrong.

    Raises `RateLimited`, `LimiterUnavailable`.
    """
    budgets = [(_of_address(context, "guess-address", policy), limit_key(address)), (_of_everybody(context), "")]
    return counted_try(budgets, WRONG_GUESSES, patience=_PATIENCE)


@asynccontextmanager
async def counted_inspection(context: Context, policy: Policy, address: str) -> AsyncGenerator[None]:
    """Count the block, a look-up that redeems nothing: always for its address, and for everybody if the code is wrong.

    Raises `RateLimited`, `LimiterUnavailable`.
    """
    budget, key = _of_address(context, "inspection", policy), limit_key(address)
    await budget.take(key)
    await budget.keep(key)
    async with counted_try([(_of_everybody(context), "")], WRONG_GUESSES, patience=_PATIENCE):
        yield


def _of_address(context: Context, name: str, policy: Policy) -> Budget:
    """A block by this budget lasts for a whole period after the last event that counted."""
    return context.limiter.budget(name, policy.error_count, timedelta(minutes=policy.error_minute), restarts=True)


def _of_everybody(context: Context) -> Budget:
    return context.limiter.budget("guess-everyone", context.guess_global_count, timedelta(minutes=1))
