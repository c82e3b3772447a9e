"""The latest events of one room, kept once for all who listen to it in this process."""

import struct
from dataclasses import dataclass, field

from chat_service.streams.model import position

FRAME_BYTES = 512 * 1024
"""A frame that has reached this size takes no further event."""


@dataclass(slots=True)
class Frame:
    """Some events as one JSON array, which many listeners may be sent."""

    json: bytes
    last_id: str | None
    """The last id in it, which a client can resume after; None: it has none."""
    _wire: bytes | None = None

    @property
    def wire(self) -> bytes:
        """The frame as a WebSocket's server sends it: one text message (RFC 6455), made once for all listeners."""
        if self._wire is None:
            self._wire = _head(len(self.json)) + self.json
        return self._wire


def _head(size: int) -> bytes:
    """The head of a whole text message of this size that is not masked."""
    if size < 126:
        return struct.pack("!BB", 0x81, size)
    return struct.pack("!BBH", 0x81, 126, size) if size < 65536 else struct.pack("!BBQ", 0x81, 127, size)


@dataclass(frozen=True, slots=True)
class BacklogEvent:
    """An event as it is sent. `id` None: an event of the moment. `place`: the id's place in the order of events."""

    id: str | None
    place: tuple[int, int] | None
    json: bytes

    @staticmethod
    def of_the_moment(json: bytes, resume_after: str | None = None) -> "BacklogEvent":
        return BacklogEvent(resume_after, None, json)

    @staticmethod
    def with_id(event_id: str, json: bytes) -> "BacklogEvent":
        return BacklogEvent(event_id, position(event_id), json)


@dataclass(eq=False, slots=True)
class Backlog:
    """Finished events by their number, counted since the room's first listener. A listener is but a number in it.

    Events are added at the `end`, and handed out up to `opened`. Frames that start at the same event are joined once
    for all listeners.
    """

    opened: int = 0
    """The number of the first event that is not handed out yet."""
    _first: int = 0
    """The number of the first event in `_events`; those before are forgotten."""
    _events: list[BacklogEvent] = field(default_factory=list[BacklogEvent])
    _frames: dict[int, tuple[Frame | None, int]] = field(default_factory=dict[int, "tuple[Frame | None, int]"])

    @property
    def end(self) -> int:
        """The number of the next event."""
        return self._first + len(self._events)

    def add(self, event: BacklogEvent) -> None:
        self._events.append(event)

    def open(self) -> None:
        """Hand out everything that was added."""
        self.opened = self.end
        self._frames = {}

    def forget(self, until: int) -> None:
        """Forget the events before the number `until`."""
        if until > self._first:
            del self._events[: until - self._first]
            self._first = until
            self._frames = {}

    def frame(self, begin: int) -> tuple[Frame | None, int]:
        """The frame that starts with the event `begin`, and the number of the event after it."""
        begin = max(begin, self._first)
        found = self._frames.get(begin)
        if found is None:
            found = self._frames[begin] = self._join(begin, None)
        return found

    def frame_above(self, begin: int, floor: tuple[int, int]) -> tuple[Frame | None, int, bool]:
        """Like `frame`, without the events up to the place `floor`; None when no others are left.

        Also returns whether the place was passed, after which `frame` gives the same.
        """
        begin = max(begin, self._first)
        frame, end = self._join(begin, floor)
        passed = self._events[begin - self._first : end - self._first]
        return frame, end, any(event.place is not None and event.place > floor for event in passed)

    def _join(self, begin: int, floor: tuple[int, int] | None) -> tuple[Frame | None, int]:
        parts: list[bytes] = []
        size, last_id, at = 0, None, begin
        while at < self.opened and size < FRAME_BYTES:
            event = self._events[at - self._first]
            at += 1
            if floor is None or event.place is None or event.place > floor:
                parts.append(event.json)
                size += len(event.json)
                last_id = event.id or last_id
        return (Frame(b"[%b]" % b",".join(parts), last_id) if parts else None), at
