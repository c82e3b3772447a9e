"""Passwords that protect a share or a room, and the limits on wrong passwords.

A try is counted before the password is checked and given back if it was right, so that parallel tries cannot exceed the
limit. Those beyond it wait for the others, so right ones that come together all pass. Further tries do not prolong a
window, so nobody is locked out for longer than one window.

When the limit for all clients is reached, only addresses are refused that have tried a wrong password for the same
share or room: others must not be able to keep somebody out who knows the password.
"""

from datetime import timedelta

from common.addresses import limit_key
from common.limits import PATIENCE, EverybodyRefused, Limiter, counted_guess
from common.passwords import Passwords, PasswordUnusable

LONG_PATIENCE = (*PATIENCE, *(0.4,) * 25)
"""Pauses for the tries of an address without a miss, in seconds: together the time that hundreds of right ones take."""


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
        """`name` names the budgets; `per_address` and `in_all` are the wrong passwords allowed in a `period`."""
        self._passwords = passwords
        self._address = limiter.budget(f"{name}-address", per_address, period)
        self._all = limiter.budget(name, in_all, period, EverybodyRefused)
        self._misses = limiter.budget(f"{name}-missed", per_address, period)

    async def hash(self, password: str) -> str:
        """Hash a password for storage, in PHC string format. Raises `PasswordUnusable`, `HasherBusy`."""
        return await self._passwords.hash(password)

    async def hash_digest(self, digest: str) -> str:
        """Hash the SHA-256 of a password, in hex, for storage. Raises `HasherBusy`."""
        return await self._passwords.hash_digest(digest)

    async def check(
        self, subject: str, hashed: str | None, password: str, address: str, wrong: type[Exception]
    ) -> None:
        """Raise `wrong` unless `hashed` was made from `password`. `hashed` is None if no password is set.

        `subject` is the protected share or room, `address` that of the client. Also raises `RateLimited`,
        `LimiterUnavailable`, `HasherBusy`.
        """
        who = f"{subject}:{limit_key(address)}"
        # Many people behind one address may come at the same moment, and checking takes a while.
        patience = PATIENCE if await self._misses.used(who) else LONG_PATIENCE
        own, everybody, misses = [(self._address, who)], (self._all, subject), (self._misses, who)
        async with counted_guess(own, everybody, misses, (wrong,), patience=patience):
            if not await self._matches(hashed, password):
                raise wrong

    async def _matches(self, hashed: str | None, password: str) -> bool:
        try:
            return await self._passwords.matches(hashed, password)
        except PasswordUnusable:
            # The password is too long or invalid, so it cannot be the right one.
            return False
