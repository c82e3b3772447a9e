"""Passwords of rooms: who shows what, and how often a wrong one may be tried.

A try is counted before the password is checked and given back when it was right, so that tries sent in parallel cannot
slip past the count. The windows are not prolonged by further tries, so nobody is kept out for longer than one of them.
"""

from contextlib import AsyncExitStack
from datetime import timedelta

from chat_service.rooms.model import Room, RoomPasswordWrong
from common import logging
from common.addresses import limit_key
from common.limits import Budget, Limiter, LimiterUnavailable
from common.passwords import Passwords, PasswordUnusable

ADDRESS_COUNT = 10
"""Wrong passwords that a room bears from one address."""
ROOM_COUNT = 100
"""Wrong passwords that a room bears from everywhere."""
PERIOD = timedelta(minutes=10)


class RoomPasswords:
    """Checks passwords within their budgets."""

    def __init__(self, limiter: Limiter, passwords: Passwords) -> None:
        self._passwords = passwords
        self._address = limiter.budget("room-password-address", ADDRESS_COUNT, PERIOD)
        self._room = limiter.budget("room-password", ROOM_COUNT, PERIOD)

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises `PasswordUnusable`, `HasherBusy`."""
        return await self._passwords.hash(password)

    async def check(self, room: Room, password: str, address: str) -> None:
        """Return if this is the room's password; `address`: where it comes from.

        Raises `RoomPasswordWrong`, `RateLimited`, `LimiterUnavailable`, `HasherBusy`.
        """
        async with AsyncExitStack() as taken:
            for budget, key in ((self._address, f"{room.id}:{limit_key(address)}"), (self._room, str(room.id))):
                await budget.take(key)
                taken.push_async_callback(_give_back, budget, key)
            if not await self._matches(room.password_hash, password):
                taken.pop_all()
                raise RoomPasswordWrong

    async def _matches(self, hashed: str | None, password: str) -> bool:
        try:
            return await self._passwords.matches(hashed, password)
        except PasswordUnusable:
            # No room can have such a password.
            return False


async def _give_back(budget: Budget, key: str) -> None:
    try:
        await budget.give_back(key)
    except LimiterUnavailable:
        # The answer stands; the count stays until its window is over.
        logging.get(__name__).warning("a right password could not be given back")
