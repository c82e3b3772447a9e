"""The messages of rooms as bodies of answers: rendered once for all readers, each message once as long as it stays."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile

from chat_service.streams.model import Pulse, RoomTerms, Snapshot, StoredMessage, created_at, position
from chat_service.streams.streams import Streams

BYTES_REMEMBERED = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rendering:
    """A form of a room's messages, oldest first: `begin`, the messages with commas in between, `end`."""

    begin: bytes
    message: Callable[[int, StoredMessage], bytes]
    """Renders a message of the room with this id."""
    end: bytes


@dataclass(frozen=True, slots=True)
class _Body:
    version: int
    last_event: str
    ends_at: datetime | None
    """The time by Valkey's clock at which the first of its messages expires."""
    messages: list[tuple[str, bytes]]
    """Their ids, and what was rendered of them."""
    body: bytes

    def is_current(self, pulse: Pulse) -> bool:
        return (
            self.last_event == pulse.last_event
            and self.version == pulse.version
            and (self.ends_at is None or pulse.now < self.ends_at)
        )

    @property
    def size(self) -> int:
        return 2 * len(self.body)


class MessageLists:
    """The bodies that this process rendered last."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._bodies: OrderedDict[tuple[int, Rendering], _Body] = OrderedDict()
        self._bytes = 0

    async def body(self, room: RoomTerms, pulse: Pulse, rendering: Rendering) -> bytes:
        """The messages of a room in this form; `pulse` has just confirmed the terms `room`.

        Raises `ChatUnavailable`.
        """
        key = room.id, rendering
        known = self._bodies.get(key)
        if known and known.is_current(pulse):
            self._bodies.move_to_end(key)
            return known.body
        found = await self._streams.snapshot(room, known.last_event if known else None)
        messages = _messages(room, found, rendering, known)
        body = rendering.begin + b",".join(each for _, each in messages) + rendering.end
        # Without an event in Valkey, nothing would tell a later state from this one.
        if found.last_event is not None and found.version == room.version:
            ends_at = created_at(messages[0][0]) + room.lifetime if messages else None
            self._remember(key, _Body(room.version, found.last_event, ends_at, messages, body))
        return body

    def _remember(self, key: tuple[int, Rendering], body: _Body) -> None:
        old = self._bodies.pop(key, None)
        self._bytes += body.size - (old.size if old else 0)
        self._bodies[key] = body
        while self._bytes > BYTES_REMEMBERED:
            self._bytes -= self._bodies.popitem(last=False)[1].size


def _messages(room: RoomTerms, found: Snapshot, rendering: Rendering, known: _Body | None) -> list[tuple[str, bytes]]:
    """All messages, of which those that are `known` were rendered before."""
    rendered = [(each.id, rendering.message(room.id, each)) for each in found.messages]
    if not found.is_addition or known is None:
        return rendered
    if found.first is None:
        return []
    first = position(found.first)
    return [*dropwhile(lambda each: position(each[0]) < first, known.messages), *rendered][-room.capacity :]
