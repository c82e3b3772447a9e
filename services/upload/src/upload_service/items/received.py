"""The bytes of an upload that have arrived while a request is still bringing it.

A request is one part, which counts when it is stored, and may be hours long. So its writer notes in Valkey how far it
has come. Only those who watch read it, and nothing depends on it.
"""

import time
from collections.abc import Sequence
from uuid import UUID

from common.limits import Limiter, LimiterUnavailable

PAUSE_SECONDS = 0.5
KEPT_SECONDS = 30
"""A writer that says nothing for so long has gone; then what is stored counts."""


def _key(session_id: UUID) -> str:
    return f"received:{session_id.hex}"


class Noting:
    """The notes of one writer: `size` bytes of the upload are there."""

    def __init__(self, limiter: Limiter, session_id: UUID) -> None:
        self._limiter, self._key = limiter, _key(session_id)
        self._noted_at = time.monotonic()

    async def note(self, size: int) -> None:
        """Note the size, unless that was done a moment ago."""
        if time.monotonic() - self._noted_at < PAUSE_SECONDS:
            return
        self._noted_at = time.monotonic()
        try:
            await self._limiter.call("SET", self._key, size, "EX", KEPT_SECONDS)
        except LimiterUnavailable:
            # Nobody sees the progress then.
            return


async def noted_sizes(limiter: Limiter, session_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The numbers that the writers of these uploads have noted lately."""
    if not session_ids:
        return {}
    try:
        found = await limiter.call("MGET", *[_key(session_id) for session_id in session_ids])
    except LimiterUnavailable:
        return {}
    return {session_id: int(size) for session_id, size in zip(session_ids, found, strict=True) if size is not None}
