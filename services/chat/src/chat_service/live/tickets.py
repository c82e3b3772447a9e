"""Tickets: what lets a WebSocket sign in once, without a token in its URL, which logs and histories would keep."""

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat_service.streams import ChatUnavailable
from common.credentials import digest

LIFETIME = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket is for."""

    room_id: int
    credential: str
    """The name of the credential that asked for it (`common.credentials`), which must still be one."""


class Tickets:
    """The tickets that were given out and not used. Both methods raise `ChatUnavailable`."""

    def __init__(self, redis: Redis, *, lifetime: timedelta = LIFETIME) -> None:
        self._redis, self.lifetime = redis, lifetime

    async def issue(self, ticket: Ticket) -> str:
        """A new ticket: 192 random bits, of which only the digest is kept."""
        text = secrets.token_urlsafe(24)
        value = json.dumps({"room": ticket.room_id, "credential": ticket.credential})
        try:
            await self._redis.set(_key(text), value, px=self.lifetime)
        except RedisError as error:
            raise ChatUnavailable from error
        return text

    async def redeem(self, text: str) -> Ticket | None:
        """What the ticket is for; None: it never was one, was used, or is over."""
        try:
            found = await self._redis.getdel(_key(text))
        except RedisError as error:
            raise ChatUnavailable from error
        if found is None:
            return None
        values = json.loads(found)
        return Ticket(values["room"], values["credential"])


def _key(text: str) -> str:
    return f"ticket:{digest(text).hex()}"
