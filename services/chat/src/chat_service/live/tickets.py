"""Tickets, by which a WebSocket signs in once without a token in its URL, where logs and histories would keep it."""

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
    """The room and the credential that a ticket stands for."""

    room_id: int
    credential: str
    """The name (`common.credentials`) of the credential that asked for it, which must still be valid."""


class Tickets:
    """The issued and unused tickets. Both methods raise `ChatUnavailable`."""

    def __init__(self, redis: Redis, *, lifetime: timedelta = LIFETIME) -> None:
        self._redis, self.lifetime = redis, lifetime

    async def issue(self, ticket: Ticket) -> str:
        """A new ticket: 192 random bits, of which only the digest is stored."""
        text = secrets.token_urlsafe(24)
        value = json.dumps({"room": ticket.room_id, "credential": ticket.credential})
        try:
            await self._redis.set(_key(text), value, px=self.lifetime)
        except RedisError as error:
            raise ChatUnavailable from error
        return text

    async def redeem(self, text: str) -> Ticket | None:
        """Use a ticket. None: there was no such ticket, or it was used or has expired."""
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
