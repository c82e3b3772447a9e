"""The service's rate limits: calls of each kind by client address, and wrong passwords by address and by account."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from common.errors import RateLimited
from common.limits import Budget, Limiter

Call = Literal["register", "login", "refresh", "logout"]

_CALLS_PERIOD = timedelta(minutes=1)


class TooManyCalls(RateLimited):
    """This address has made too many calls of this kind."""

    def __init__(self, per_minute: int) -> None:
        super().__init__(f"Rate limit exceeded: {per_minute} per 1 minute", retry_after=_CALLS_PERIOD)
        self.per_minute = per_minute


class CallLimits:
    """How often each address may register, sign in, refresh and sign out per minute, whatever protocol it uses."""

    def __init__(self, limiter: Limiter, per_minute: int) -> None:
        self._limiter, self._per_minute = limiter, per_minute

    async def count(self, call: Call, address: str) -> None:
        """Count a call of this kind. Raises `TooManyCalls`, `LimiterUnavailable`."""
        try:
            await self._limiter.budget(f"account-{call}", self._per_minute, _CALLS_PERIOD).take(address)
        except RateLimited:
            raise TooManyCalls(self._per_minute) from None


@dataclass(frozen=True, slots=True)
class WrongPasswordBudgets:
    """How many wrong passwords are allowed.

    An account has one budget for all addresses that never signed in to it, and one for each address that has. Someone
    who guesses from everywhere uses up the first, and the owner still gets in.
    """

    of_address: Budget
    """For each address, over all accounts."""
    of_account: Budget
    """For each account, over all addresses that are not known to it."""
    of_known_address: Budget
    """For each account and each address that has signed in to it."""

    @staticmethod
    def of(limiter: Limiter, *, per_address: int, per_account: int, period: timedelta) -> "WrongPasswordBudgets":
        return WrongPasswordBudgets(
            limiter.budget("wrong-password-address", per_address, period),
            limiter.budget("wrong-password-account", per_account, period),
            limiter.budget("wrong-password-known", per_account, period),
        )
