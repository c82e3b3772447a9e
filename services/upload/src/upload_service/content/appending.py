"""Appending: content that comes in order and grows request by request, in pieces of any length.

Each request writes one piece, an object of its own, because how long a form's file is shows only at its end. A piece
may begin before the end of what is stored: then what was there from its beginning on does not count any more, which is
recorded together with the piece. So the content is what counts of each piece, in their order.

One writer at a time: it reserves the index after the last piece. `complete_upload` makes a file of all of it.
"""

from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from types import TracebackType
from uuid import UUID

from common import logging
from common.errors import Conflict, InvalidInput, Unavailable
from common.store import WrittenObject, write_stream
from common.store.writer import Source
from upload_service.content.cleaning import clean_session
from upload_service.content.context import Context
from upload_service.content.model import MAX_CHUNKS, Layout, Part, SessionState, UploadSession
from upload_service.content.queries import parts, sessions
from upload_service.content.reservation import PartBusy, Reservation, patience_ends
from upload_service.content.streams import Limited

_log = logging.get(__name__)


class OffsetBeyond(Conflict):
    """The content does not reach so far yet."""

    code = "offset_beyond"


async def stored_pieces(context: Context, session: UploadSession) -> list[Part]:
    """The pieces that are stored, in order; of some of them nothing may count any more."""
    async with context.db.connection() as connection:
        return await parts.stored_parts(connection, session.id)


def boundaries_of(pieces: Sequence[Part]) -> list[int]:
    """Where the pieces begin that count for anything, and last where all of them end."""
    return [0, *accumulate(piece.length for piece in pieces if piece.length)]


async def drop_unused(context: Context, session_id: UUID) -> None:
    """Leave nothing of a session that nothing was appended to, unless somebody is at it."""
    with suppress(Unavailable):
        # Without a database nothing can be said; the session runs out.
        async with context.db.transaction() as connection:
            session = await sessions.get_session(connection, session_id, lock=True)
            if session is None or not await sessions.is_quiet(connection, session_id):
                return
            if await parts.stored_parts(connection, session_id):
                return
            if not await sessions.move_session(connection, session_id, [SessionState.OPEN], SessionState.ABORTED):
                return
        await clean_session(context, session)


class Appending:
    """One writer's turn to append to a session. Entering the `async with` waits for the turn, leaving it ends it.

    Left without an error, what was written counts; left by one, nothing of it stays. Entering raises `PartBusy` when
    the turn does not come, and `SessionNotFound` when the session has ended; leaving raises them when it is lost.
    """

    def __init__(self, context: Context, session: UploadSession) -> None:
        assert session.layout is Layout.APPENDED, "only what grows is appended to"
        self._context, self._session = context, session
        self.boundaries: list[int] = [0]
        """Where the pieces begin that count for anything, ascending; the last one is where all of them end."""
        self._index = 0
        self._at = 0
        self._written: WrittenObject | None = None

    @property
    def size(self) -> int:
        """How many bytes are stored."""
        return self.boundaries[-1]

    async def __aenter__(self) -> "Appending":
        until = patience_ends()
        while True:
            self._index, _ = await self._look()
            self._reservation = Reservation(self._context, self._session, self._index)
            if await self._reservation.take(until):
                # Who was waited for has stored a piece; another one comes after it.
                continue
            stored, self.boundaries = await self._look()
            if stored == self._index:
                break
            await self._reservation.give_up()
        if self._index >= MAX_CHUNKS:
            await self._reservation.give_up()
            raise InvalidInput(f"at most {MAX_CHUNKS} pieces")
        return self

    async def write(self, at: int, source: Source, max_size: int) -> int:
        """Store all of `source` as a piece that begins at offset `at`; its size in bytes.

        Raises `OffsetBeyond` when `at` is beyond the end, `TooLarge` beyond `max_size` bytes, `PartBusy`, and what
        `source` raises.
        """
        assert self._written is None, "a turn is one piece"
        if not 0 <= at <= self.size:
            raise OffsetBeyond
        await self._abort_earlier()
        key = self._session.staged_key(self._index)
        limited = Limited(source, max_size, self._reservation)
        self._written = await write_stream(
            self._context.store, key, limited, on_multipart=self._reservation.name_multipart
        )
        self._at = at
        return self._written.size

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind or self._written is None:
            await self._drop()
            return
        try:
            cut = await self._reservation.record_piece(self._at, self._written.size, self._written.sha256)
        except BaseException:
            # It may have been recorded although nobody said so: the object stays, for the next writer or the sweep.
            await self._reservation.give_up()
            raise
        self.boundaries = [offset for offset in self.boundaries if offset < self._at] + [self._at]
        if self._written.size:
            self.boundaries.append(self._at + self._written.size)
        await self._delete_cut(cut)

    async def _look(self) -> tuple[int, list[int]]:
        """How many pieces are stored, and the boundaries of those that count."""
        pieces = await stored_pieces(self._context, self._session)
        return len(pieces), boundaries_of(pieces)

    async def _abort_earlier(self) -> None:
        """Abort what an earlier writer of this piece began and left, before its name is replaced."""
        async with self._context.db.connection() as connection:
            multiparts = await parts.part_multiparts(connection, self._session.id)
        if earlier := multiparts.get(self._index):
            await self._context.store.abort_multipart(self._session.staged_key(self._index), earlier)
            await self._reservation.name_multipart(None)

    async def _drop(self) -> None:
        """Leave nothing of the piece. Who lost the turn leaves it alone: it may be another writer's by now."""
        if self._written:
            try:
                await self._reservation.hold(after=0)
                await self._context.store.delete(self._session.staged_key(self._index))
            except (PartBusy, Unavailable) as error:
                _log.warning("a piece is left to the sweep", session=self._session.id.hex, error=error.message)
        await self._reservation.give_up()

    async def _delete_cut(self, indexes: list[int]) -> None:
        """Remove pieces of which nothing counts any more, if the store is there; else the sweep does at the end."""
        with suppress(Unavailable):
            for index in indexes:
                await self._context.store.delete(self._session.staged_key(index))
