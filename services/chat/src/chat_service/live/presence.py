"""The accounts that are connected to rooms. Each process reports its own again and again; dead ones are forgotten."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat_service.streams import scripts
from chat_service.streams.model import ChatUnavailable
from chat_service.streams.streams import presence_keys, room_keys

PRESENCE_LIFETIME = timedelta(seconds=60)
"""How long an account counts as connected after it was last reported."""
PROCESSES_KEY = "rooms:processes"


class Presence:
    """The connections of all processes, as one of them knows them. All methods raise `ChatUnavailable`."""

    def __init__(self, redis: Redis, *, lifetime: timedelta = PRESENCE_LIFETIME) -> None:
        texts = scripts.load(("enter", "leave", "renew", "roster"), ["shared", "shared_presence"])
        self._scripts = {name: redis.register_script(text) for name, text in texts.items()}
        self._process = uuid4().hex
        self._lifetime = lifetime // timedelta(milliseconds=1)

    async def enter(self, room_id: int, account_id: UUID, name: str) -> None:
        """Report that the account has connected to this process. Listeners are told unless it was, by this name."""
        await self._run("enter", room_id, self._process, self._lifetime, account_id.hex, name)

    async def leave(self, room_id: int, account_id: UUID) -> None:
        """Report that the account has left this process. Listeners are told unless it is connected to another one."""
        await self._run("leave", room_id, self._process, account_id.hex)

    async def renew(self, room_id: int, connected: Iterable[tuple[UUID, str]]) -> None:
        """Report the accounts that are still connected to this process, by the names that they have now.

        Those that nobody reported in time are gone.
        """
        values = [value for account_id, name in connected for value in (account_id.hex, name)]
        await self._run("renew", room_id, self._process, self._lifetime, *values)

    async def roster(self, room_id: int) -> dict[UUID, str]:
        """All connected accounts, with their names."""
        found = await self._run("roster", room_id)
        return {UUID(found[n].decode()): found[n + 1].decode() for n in range(0, len(found), 2)}

    async def _run(self, script: str, room_id: int, *values: str | int) -> Any:
        keys = [*room_keys(room_id), *presence_keys(room_id), PROCESSES_KEY]
        try:
            return await self._scripts[script](keys=keys, args=[room_id, *values])
        except RedisError as error:
            raise ChatUnavailable from error
