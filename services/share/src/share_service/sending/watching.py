"""Watching shares. However many people watch one, this process looks at it once at a time, at most twice a second."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from common import clock
from share_service.context import Context
from share_service.sending.seeing import SeenItem, is_complete, see_items
from share_service.shares.model import Share
from share_service.shares.queries.made import share_of_id

MOVING_SECONDS, RESTING_SECONDS = 0.5, 2.0
"""The pauses between two looks: while something is to come, and when all is there."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A share and its items at one moment."""

    share: Share | None
    """None: it is not known any more."""
    items: Sequence[SeenItem] = ()

    @property
    def is_over(self) -> bool:
        return self.share is None or not self.share.is_resumable(clock.now())

    @property
    def pause(self) -> float:
        """The time for which it holds, in seconds."""
        return RESTING_SECONDS if is_complete(self.items) else MOVING_SECONDS


@dataclass(slots=True)
class _Watched:
    listeners: int = 0
    sight: Sight | None = None
    seen_at: float = 0.0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Watches:
    """The shares that somebody watches in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watched: dict[UUID, _Watched] = {}

    @asynccontextmanager
    async def watching(self, share_id: UUID) -> AsyncGenerator[None]:
        """`look` may be called within the block."""
        watched = self._watched.setdefault(share_id, _Watched())
        watched.listeners += 1
        try:
            yield
        finally:
            watched.listeners -= 1
            if not watched.listeners:
                del self._watched[share_id]

    async def look(self, share_id: UUID) -> Sight:
        """The share as it is now, or was a moment ago: the same object while nothing changes.

        Raises `UnknownCode`, `Unavailable`.
        """
        watched = self._watched[share_id]
        async with watched.looking:
            sight = watched.sight
            if sight is None or time.monotonic() >= watched.seen_at + sight.pause:
                found = await self._see(share_id)
                if sight is None or found != sight:
                    sight = found
                watched.sight, watched.seen_at = sight, time.monotonic()
            return sight

    async def _see(self, share_id: UUID) -> Sight:
        async with self._context.db.connection() as connection:
            share = await share_of_id(connection, share_id)
        if share is None or not share.is_resumable(clock.now()):
            return Sight(share)
        return Sight(share, await see_items(self._context, share, is_patient=False))
