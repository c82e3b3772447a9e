"""Room for content of unknown length: it is reserved while the bytes arrive, before they are stored.

Steps keep the number of statements small. Where no whole step is left, only the bytes that have arrived are reserved,
so that the last byte of a quota can be used.
"""

from collections.abc import AsyncIterator
from uuid import UUID

from common.store import Source
from common.store.limits import MIB
from upload_service.content.context import Context
from upload_service.content.model import QuotaExceeded, UploadSession
from upload_service.content.queries import usage

STEP = 16 * MIB


async def check_room(context: Context, owner: UUID | None, size: int) -> None:
    """Raise `QuotaExceeded` unless there is room for another file of `size` bytes. Nothing is reserved."""
    limits = await context.limits_for(owner)
    async with context.db.connection() as connection:
        await usage.check_usage(connection, owner, size, limits)


async def reserve_up_to(context: Context, session: UploadSession, size: int) -> int:
    """Reserve at least `size` bytes in all for an open session; the bytes that are reserved. Raises `QuotaExceeded`."""
    limits = await context.limits_for(session.owner)
    async with context.db.connection() as connection:
        reserved = await usage.reserve(connection, session.id, size, limits)
    # A writer whose session has ended hears so when its part is recorded.
    return size if reserved is None else reserved


def with_room(context: Context, session: UploadSession, source: Source, start: int, end: int) -> Source:
    """`source`, whose bytes have their place from offset `start` of the content and reach offset `end` at most.

    It raises `QuotaExceeded` for the first block that there is no room for.
    """
    if session.reserved is None or end <= session.reserved:
        return source
    return _Reserving(context, session, source, start, end)


class _Reserving:
    def __init__(self, context: Context, session: UploadSession, source: Source, start: int, end: int) -> None:
        self._context, self._session, self._source = context, session, source
        self._at, self._end = start, end
        self._reserved = session.reserved or 0

    def certain(self) -> int:
        return self._source.certain()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._source:
            self._at += len(block)
            # What is longer than it may be is refused for that.
            if self._reserved < self._at <= self._end:
                await self._reserve()
            yield block

    async def _reserve(self) -> None:
        step = min(self._at + STEP, self._end)
        try:
            self._reserved = await reserve_up_to(self._context, self._session, step)
        except QuotaExceeded:
            if step == self._at:
                raise
            self._reserved = await reserve_up_to(self._context, self._session, self._at)
