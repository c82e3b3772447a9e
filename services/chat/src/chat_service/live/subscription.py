"""One listener's place in the events of a room."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from chat_service.live.backlog import Backlog, Frame
from chat_service.live.ending import Close, End
from common.identity import Identity

OWN_LIMIT = 64
"""The number of answers to one listener that may wait to be sent."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A connected account."""

    identity: Identity
    credential: str
    """The name of the credential that it connected with. When the credential ends, the connection does."""
    address: str = ""
    """The client's address, as limits count it."""


@dataclass(eq=False, slots=True)
class Subscription:
    """One connection's events. One task asks for frames; the end may come from anywhere."""

    room_id: int
    listener: Listener
    backlog: Backlog
    cursor: int
    """The number of the next event that the listener is sent."""
    floor: tuple[int, int] | None = None
    """The listener has received the events up to this place in another way; None: it was sent none twice."""
    ended: "asyncio.Future[End]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _first: list[Frame] = field(default_factory=list[Frame])
    _has_begun: bool = False
    _own: deque[bytes] = field(default_factory=deque[bytes])
    _waiter: "asyncio.Future[None] | None" = None

    async def frame(self) -> Frame:
        """The next frame to send; waits for it."""
        while True:
            # Once the connection is ended nothing more is sent, not even frames that were already waiting.
            if not self.ended.done() and (found := self._next()) is not None:
                return found
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def begin(self, frames: list[Frame]) -> None:
        """Start with these frames."""
        self._first, self._has_begun = frames, True
        self.wake()

    def answer(self, event: bytes) -> None:
        """Send an event to this listener only. A listener that does not read is disconnected."""
        if len(self._own) >= OWN_LIMIT:
            self.end(End(Close.TOO_SLOW))
            return
        self._own.append(event)
        self.wake()

    def end(self, end: End) -> None:
        """End the connection. The first reason counts."""
        if not self.ended.done():
            self.ended.set_result(end)

    def has_ended(self, code: Close) -> bool:
        """Whether the connection ended for this reason."""
        return self.ended.done() and self.ended.result().code == code

    def wake(self) -> None:
        """Look again for a frame."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _next(self) -> Frame | None:
        if not self._has_begun:
            return None
        if self._first:
            return self._first.pop(0)
        if self._own:
            events, self._own = b",".join(self._own), deque()
            return Frame(b"[%b]" % events, None)
        while self.cursor < self.backlog.opened:
            if self.floor is None:
                frame, self.cursor = self.backlog.frame(self.cursor)
            else:
                frame, self.cursor, is_passed = self.backlog.frame_above(self.cursor, self.floor)
                if is_passed:
                    self.floor = None
            if frame is not None:
                return frame
        return None
