"""Budgets for wrong passwords: for each address, and for each account.

A try is counted before the password is checked and given back unless it was wrong, so that tries sent in parallel
cannot slip past the count. A window ends a fixed time after its first wrong password, however many follow.

An account has one budget for all addresses that never signed in to it, and one for each that has: whoever guesses from
everywhere uses up the first, and its owner still gets in. Names that nobody has are counted alike, so that being
refused tells nothing.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from auth_service.directory.model import WrongCredentials, WrongCurrentPassword
from common import logging
from common.credentials import digest
from common.limits import Budget, Limiter, LimiterUnavailable

_COUNTED = (WrongCredentials, WrongCurrentPassword)


class Failures:
    """The budgets of the system."""

    def __init__(self, limiter: Limiter, *, per_address: int, per_account: int, period: timedelta) -> None:
        self._addresses = limiter.budget("wrong-password-address", per_address, period)
        self._strangers = limiter.budget("wrong-password-account", per_account, period)
        self._acquaintances = limiter.budget("wrong-password-known", per_account, period)

    @asynccontextmanager
    async def counted(self, name_key: str, address: str, *, is_known: bool) -> AsyncGenerator[None]:
        """Around the check of a password for the account of this name, sent from `address`.

        `is_known`: the address has signed in to the account before. Raises `RateLimited`, and `LimiterUnavailable` when
        nobody knows.
        """
        account = digest(name_key).hex()
        second = (self._acquaintances, f"{account}:{address}") if is_known else (self._strangers, account)
        async with AsyncExitStack() as taken:
            for budget, key in ((self._addresses, address), second):
                await budget.take(key)
                taken.push_async_callback(_give_back, budget, key)
            try:
                yield
            except _COUNTED:
                taken.pop_all()
                raise


async def _give_back(budget: Budget, key: str) -> None:
    try:
        await budget.give_back(key)
    except LimiterUnavailable:
        # The answer stands; the count stays until its window is over.
        logging.get(__name__).warning("a right password could not be given back")
