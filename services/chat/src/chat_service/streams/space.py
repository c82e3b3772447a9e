"""The memory of Valkey, of which messages may use only a part."""

from redis.exceptions import RedisError

from chat_service.streams.model import ChatUnavailable, MessagesFull
from common import logging
from common.valkey import Pipe

SHARE = 0.75
"""The part of Valkey's memory beyond which no message is accepted: limits, sessions and queues need the rest."""


class Space:
    """The room for messages, as it was when this process looked last."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._is_full = False

    def demand(self) -> None:
        """Raise `MessagesFull` if there is no room for messages."""
        if self._is_full:
            raise MessagesFull

    async def look(self) -> None:
        """Compare the memory that is used with the limit, if there is one. Raises `ChatUnavailable`."""
        try:
            found: bytes = await self._pipe.call("INFO", "memory")
        except RedisError as error:
            raise ChatUnavailable from error
        values = dict(line.split(b":", 1) for line in found.split() if b":" in line)
        limit = int(values[b"maxmemory"])
        was_full, self._is_full = self._is_full, bool(limit) and int(values[b"used_memory"]) > limit * SHARE
        if self._is_full != was_full:
            logging.get(__name__).warning(
                "messages are refused: Valkey is full" if self._is_full else "messages are accepted again"
            )

    async def ready(self) -> None:
        """Look, and raise `MessagesFull` if there is no room for messages."""
        await self.look()
        self.demand()
