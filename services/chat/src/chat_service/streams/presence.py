"""Who is connected to a room. Every process says it of its own, again and again; one that is dead is forgotten."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat_service.streams import scripts
from chat_service.streams.model import ChatUnavailable

BELIEVED = timedelta(seconds=60)
"""How long after it was last said somebody counts as connected."""
PROCESSES_KEY = "rooms:processes"


class Presence:
    """The connections of all processes, as seen from one of them. All methods raise `ChatUnavailable`."""

    def __init__(self, redis: Redis, *, believed: timedelta = BELIEVED) -> None:
        self._scripts = scripts.load(redis, ("enter", "leave", "renew", "roster"), ["shared", "shared_presence"])
        self._process = uuid4().hex
        self._believed = believed // timedelta(milliseconds=1)

    async def enter(self, room_id: int, account_id: UUID, name: str) -> None:
        """The account is connected to this process. All who listen hear it, unless it was connected already."""
        await self._run("enter", room_id, self._process, self._believed, account_id.hex, name)

    async def leave(self, room_id: int, account_id: UUID) -> None:
        """The account is connected to this process no more. All who listen hear it, unless it is to another one."""
        await self._run("leave", room_id, self._process, account_id.hex)

    async def renew(self, room_id: int, connected: Iterable[tuple[UUID, str]]) -> None:
        """These accounts still are connected to this process. Whom nobody has renewed in time is gone."""
        values = [value for account_id, name in connected for value in (account_id.hex, name)]
        await self._run("renew", room_id, self._process, self._believed, *values)

    async def roster(self, room_id: int) -> dict[UUID, str]:
        """All who are connected, with their names."""
        found = await self._run("roster", room_id)
        return {UUID(found[n].decode()): found[n + 1].decode() for n in range(0, len(found), 2)}

    async def _run(self, script: str, room_id: int, *values: str | int) -> Any:
        keys = [*scripts.keys(room_id), *scripts.presence_keys(room_id), PROCESSES_KEY]
        try:
            return await self._scripts[script](keys=keys, args=[room_id, *values])
        except RedisError as error:
            raise ChatUnavailable from error
