"""The messages of rooms as bodies of answers: rendered once for all readers, until something happens in the room."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chat_service.streams.model import Message, Pulse, RoomTerms
from chat_service.streams.streams import Streams

BYTES_REMEMBERED = 32 * 1024 * 1024

Render = Callable[[int, list[Message]], bytes]
"""Renders a room's id and messages (oldest first). It must be a module's function, because it is part of a key."""


@dataclass(frozen=True, slots=True)
class _Body:
    version: int
    last_event: str
    ends_at: datetime | None
    """The time by Valkey's clock at which the first of its messages expires."""
    body: bytes

    def is_current(self, pulse: Pulse) -> bool:
        return (
            self.last_event == pulse.last_event
            and self.version == pulse.version
            and (self.ends_at is None or pulse.now < self.ends_at)
        )


class MessageLists:
    """The bodies that this process rendered last."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._bodies: OrderedDict[tuple[int, Render], _Body] = OrderedDict()
        self._bytes = 0

    async def body(self, room: RoomTerms, pulse: Pulse, render: Render) -> bytes:
        """The messages of a room as `render` shows them; `pulse` has just confirmed the terms `room`.

        Raises `ChatUnavailable`.
        """
        key = room.id, render
        known = self._bodies.get(key)
        if known and known.is_current(pulse):
            self._bodies.move_to_end(key)
            return known.body
        found = await self._streams.snapshot(room)
        body = render(room.id, found.messages)
        # Without an event in Valkey, nothing would tell a later state from this one.
        if found.last_event is not None and found.version == room.version:
            ends_at = found.messages[0].created_at + room.lifetime if found.messages else None
            self._remember(key, _Body(room.version, found.last_event, ends_at, body))
        return body

    def _remember(self, key: tuple[int, Render], body: _Body) -> None:
        old = self._bodies.pop(key, None)
        self._bytes += len(body.body) - (len(old.body) if old else 0)
        self._bodies[key] = body
        while self._bytes > BYTES_REMEMBERED:
            self._bytes -= len(self._bodies.popitem(last=False)[1].body)
