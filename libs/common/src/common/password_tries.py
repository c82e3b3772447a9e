"""Passwords that protect something (a share, a room), and how often a wrong one may be tried.

A try is counted before the password is checked and given back when it was right, so that tries sent in parallel cannot
slip past the count. Further tries do not prolong a window: nobody is kept out for longer than one of them.
"""

from datetime import timedelta

from common.addresses import limit_key
from common.limits import Limiter, counted_try
from common.passwords import Passwords, PasswordUnusable


class PasswordTries:
    """Checks passwords within two budgets for each subject: one for the client's address, one for all clients."""

    def __init__(
        self,
        limiter: Limiter,
        passwords: Passwords,
        name: str,
        *,
        per_address: int,
        in_all: int,
        period: timedelta,
    ) -> None:
        """`name` names the budgets; `per_address` and `in_all` are wrong passwords allowed in a `period`."""
        self._passwords = passwords
        self._address = limiter.budget(f"{name}-address", per_address, period)
        self._all = limiter.budget(name, in_all, period)

    async def hash(self, password: str) -> str:
        """The hash to keep of a password, in PHC string format. Raises `PasswordUnusable`, `HasherBusy`."""
        return await self._passwords.hash(password)

    async def check(
        self, subject: str, hashed: str | None, password: str, address: str, wrong: type[Exception]
    ) -> None:
        """Return if `password` is the one that `hashed` was made of.

        `subject`: the share or room that it protects; `address`: the client's. Raises `wrong`, `RateLimited`,
        `LimiterUnavailable`, `HasherBusy`.
        """
        budgets = ((self._address, f"{subject}:{limit_key(address)}"), (self._all, subject))
        async with counted_try(budgets, (wrong,)):
            if not await self._matches(hashed, password):
                raise wrong

    async def _matches(self, hashed: str | None, password: str) -> bool:
        try:
            return await self._passwords.matches(hashed, password)
        except PasswordUnusable:
            # Too long, or otherwise impossible: nothing can have such a password.
            return False
