"""One listener's place in a room's events."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chat_service.live.ending import Close, End
from common.identity import Identity

if TYPE_CHECKING:
    from chat_service.live.channel import Channel

OWN_LIMIT = 64
"""Answers to one listener that wait to be sent."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens."""

    identity: Identity
    credential: str
    """The name of the credential that the connection was made with: when that ends, the connection does."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Some events, as one JSON array."""

    text: str
    last_id: str | None
    """The last id in it: what to resume after. None: it has none."""


@dataclass(eq=False, slots=True)
class Subscription:
    """What one connection hears. One task asks for frames; ending may come from anywhere."""

    channel: "Channel"
    listener: Listener
    cursor: int
    """How many of the channel's events it has had."""
    floor: tuple[int, int] | None = None
    """Events up to this id it has had already, in another way; None: no such event can come any more."""
    ended: "asyncio.Future[End]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _first: list[Frame] = field(default_factory=list[Frame])
    _has_begun: bool = False
    _own: deque[str] = field(default_factory=deque[str])
    _waiter: "asyncio.Future[None] | None" = None

    async def frame(self) -> Frame:
        """What is to be sent next; waits for it."""
        while True:
            # Who is cut off hears nothing more, even if what waits was said before.
            if not self.ended.done() and (found := self._next()) is not None:
                return found
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _next(self) -> Frame | None:
        if not self._has_begun:
            return None
        if self._first:
            return self._first.pop(0)
        if self._own:
            events, self._own = ",".join(self._own), deque()
            return Frame(f"[{events}]", None)
        return self.channel.next_frame(self)

    def begin(self, frames: list[Frame]) -> None:
        """Let these frames be the first."""
        self._first, self._has_begun = frames, True
        self.wake()

    def tell(self, event: str) -> None:
        """Say something to this listener alone. One who does not read is cut off."""
        if len(self._own) >= OWN_LIMIT:
            self.end(End(Close.TOO_SLOW))
            return
        self._own.append(event)
        self.wake()

    def end(self, end: End) -> None:
        """End the connection. The first reason counts."""
        if not self.ended.done():
            self.ended.set_result(end)

    def wake(self) -> None:
        """Look again whether there is a frame."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
