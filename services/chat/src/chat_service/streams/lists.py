"""The messages of a room as an answer's body, made once for all who read it until something happens in the room."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chat_service.rooms.model import RoomState
from chat_service.rooms.states import terms_of
from chat_service.streams import Message, Pulse, Streams

BYTES_REMEMBERED = 32 * 1024 * 1024

Render = Callable[[int, list[Message]], bytes]
"""Makes the body of the room's id and its messages, the oldest first. Must be a function of a module: it is a key."""


@dataclass(frozen=True, slots=True)
class _Body:
    version: int
    last_event: str
    ends_at: datetime | None
    """When the first of its messages ends, by Valkey's clock."""
    body: bytes

    def is_good(self, pulse: Pulse) -> bool:
        return (
            self.last_event == pulse.last_event
            and self.version == pulse.version
            and (self.ends_at is None or pulse.now < self.ends_at)
        )


class MessageLists:
    """The bodies that this process has made last."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._bodies: OrderedDict[tuple[int, Render], _Body] = OrderedDict()
        self._bytes = 0

    async def body(self, state: RoomState, pulse: Pulse, render: Render) -> bytes:
        """The living messages of a room that was found to be in `state` by `pulse`, as `render` shows them.

        Raises `ChatUnavailable`.
        """
        room_id = state.room.id
        key = room_id, render
        known = self._bodies.get(key)
        if known and known.is_good(pulse):
            self._bodies.move_to_end(key)
            return known.body
        found = await self._streams.snapshot(terms_of(state.room))
        body = render(room_id, found.messages)
        # Where Valkey knows no event, nothing tells the next state from this one.
        version = state.room.version
        if found.last_event is not None and found.version == version:
            ends_at = None
            if found.messages:
                ends_at = found.messages[0].created_at + timedelta(seconds=state.room.lifetime_seconds)
            self._remember(key, _Body(version, found.last_event, ends_at, body))
        return body

    def _remember(self, key: tuple[int, Render], body: _Body) -> None:
        old = self._bodies.pop(key, None)
        self._bytes += len(body.body) - (len(old.body) if old else 0)
        self._bodies[key] = body
        while self._bytes > BYTES_REMEMBERED:
            self._bytes -= len(self._bodies.popitem(last=False)[1].body)
