"""Appending: content that comes in order and grows request by request, in parts of any length.

Each request writes one part, an object of its own, because the length of a form's file is known only at its end. A part
may begin before the end of what is stored: then earlier parts are truncated there, in the same transaction that records
the new one. The content is what is left of each part, in their order.

There is one writer at a time: it reserves the index after the last part. `complete_upload` makes a file of all of it.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import accumulate
from types import TracebackType
from uuid import UUID

from common import logging
from common.errors import Conflict, InvalidInput, Unavailable
from common.store import Source, WrittenObject
from upload_service.content.cleaning import clean_session
from upload_service.content.context import Context
from upload_service.content.making_room import with_room
from upload_service.content.model import MAX_SESSION_PARTS, Layout, Part, SessionState, UploadSession
from upload_service.content.queries import parts, sessions, usage
from upload_service.content.reservation import PartBusy, Reservation, patience_ends
from upload_service.content.sessions import SessionNotFound, living

_log = logging.get(__name__)


class OffsetBeyond(Conflict):
    """The content does not reach so far yet."""

    code = "offset_beyond"


class SizeContradicted(InvalidInput):
    """The size of an upload cannot change, and cannot be less than what is stored."""

    code = "size_contradicted"


async def parts_of(context: Context, session: UploadSession) -> list[Part]:
    """The stored parts, in order, also those that were truncated to nothing."""
    async with context.db.connection() as connection:
        return await parts.stored_parts(connection, session.id)


def boundaries_of(stored: Sequence[Part]) -> list[int]:
    """The offsets at which the parts begin that are not empty, and last the one where all of them end."""
    return [0, *accumulate(part.length for part in stored if part.length)]


async def declare_size(context: Context, session: UploadSession, size: int) -> UploadSession:
    """Say how long the content of an open session will be; saying the same again changes nothing.

    Raises `SizeContradicted` for a size that is not the one declared before or less than what is stored,
    `QuotaExceeded`, and `SessionNotFound`.
    """
    limits = await context.limits_for(session.owner)
    async with context.db.transaction() as connection:
        found = living(await sessions.lock_session(connection, session.id))
        if found.size == size:
            return found
        stored = await parts.stored_parts(connection, session.id)
        if found.size is not None or size < sum(part.length for part in stored):
            raise SizeContradicted
        await usage.reserve(connection, session.id, size, limits)
        await sessions.set_size(connection, session.id, size)
        return living(await sessions.get_session(connection, session.id))


async def drop_unused(context: Context, session_id: UUID) -> None:
    """Abort a session that nothing was appended to, unless a writer is at work on it."""
    with suppress(Unavailable):
        # Without a database it expires by itself.
        async with context.db.transaction() as connection:
            session = await sessions.lock_session(connection, session_id)
            if session is None or await sessions.is_being_written(connection, session_id):
                return
            if await parts.stored_parts(connection, session_id):
                return
            if not await sessions.move_session(connection, session_id, [SessionState.OPEN], SessionState.ABORTED):
                return
        await clean_session(context, session)


class Appending:
    """One writer's turn to append to a session. Entering the `async with` waits for the turn, leaving it ends it.

    Left without an error, the part that was written counts, unless it adds nothing to content whose length is known;
    left by an error, nothing of it stays. Entering raises
    `PartBusy` when the turn does not come, and `SessionNotFound` when the session has ended; leaving raises them when
    the turn is lost.
    """

    def __init__(self, context: Context, session: UploadSession, patience: timedelta | None = None) -> None:
        """`patience`: how long to wait for the turn; None: as long as usual."""
        assert session.layout is Layout.APPENDED, "only a session that grows is appended to"
        self._context, self._session, self._patience = context, session, patience
        self.boundaries: list[int] = [0]
        """As `boundaries_of` returns them."""
        self._index = 0
        self._at = 0
        self.written: WrittenObject | None = None
        """The part, once it is in the store."""

    @property
    def size(self) -> int:
        """The number of bytes that are stored."""
        return self.boundaries[-1]

    async def __aenter__(self) -> "Appending":
        until = patience_ends(self._patience)
        while True:
            self._index, _ = await self._look()
            self._reservation = Reservation(self._context, self._session, self._index)
            if await self._reservation.take(until):
                # Another writer has stored a part meanwhile; this one comes after it.
                continue
            stored, self.boundaries = await self._look()
            if stored == self._index:
                break
            await self._reservation.give_up()
        if self._index >= MAX_SESSION_PARTS:
            await self._reservation.give_up()
            raise InvalidInput(f"at most {MAX_SESSION_PARTS} parts")
        return self

    async def write(self, at: int, source: Source, max_size: int) -> int:
        """Store all of `source` as a part that begins at offset `at`; returns its size in bytes.

        Raises `OffsetBeyond` when `at` is beyond the end, `TooLarge` beyond `max_size` bytes, `QuotaExceeded`,
        `PartBusy`, and what `source` raises.
        """
        assert self.written is None, "a turn is one part"
        if not 0 <= at <= self.size:
            raise OffsetBeyond
        await self._abort_earlier()
        key = self._session.staged_key(self._index)
        source = with_room(self._context, self._session, source, at, at + max_size)
        self.written = await self._context.store.write_stream(
            key, source, on_multipart=self._reservation.name_multipart, max_size=max_size, lease=self._reservation
        )
        self._at = at
        return self.written.size

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind or self.written is None or self._adds_nothing(self.written):
            await self._drop()
            return
        try:
            emptied = await self._reservation.record_appended(self._at, self.written.size, self.written.sha256)
        except BaseException:
            # It may have been recorded although no answer came: the object stays, for the next writer or the sweep.
            await self._reservation.give_up()
            raise
        self.boundaries = [offset for offset in self.boundaries if offset < self._at] + [self._at]
        if self.written.size:
            self.boundaries.append(self._at + self.written.size)
        await self._delete_emptied(emptied)

    def _adds_nothing(self, written: WrittenObject) -> bool:
        """Whether the part is an empty one at the end. It must not extend the life of an upload that has room."""
        return not written.size and self._at == self.size and bool(self._session.size)

    async def _look(self) -> tuple[int, list[int]]:
        """The number of stored parts, and their boundaries."""
        stored = await parts_of(self._context, self._session)
        return len(stored), boundaries_of(stored)

    async def _abort_earlier(self) -> None:
        """Abort the multipart upload that an earlier writer of this part left, before its id is replaced."""
        async with self._context.db.connection() as connection:
            multiparts = await parts.part_multiparts(connection, [self._session.id])
        if earlier := multiparts.get(self._session.id, {}).get(self._index):
            await self._context.store.abort_multipart(self._session.staged_key(self._index), earlier)
            await self._reservation.name_multipart(None)

    async def _drop(self) -> None:
        """Leave nothing of the part, unless the turn is lost: then another writer may be writing it by now."""
        if self.written:
            try:
                await self._reservation.renew(extends=False)
                await self._context.store.delete(self._session.staged_key(self._index))
            except (PartBusy, SessionNotFound, Unavailable) as error:
                _log.warning("a part is left to the sweep", session=self._session.id.hex, error=error.message)
        await self._reservation.give_up()

    async def _delete_emptied(self, indexes: list[int]) -> None:
        """Remove the objects of parts that were truncated to nothing; without the store the sweep does in the end."""
        with suppress(Unavailable):
            for index in indexes:
                await self._context.store.delete(self._session.staged_key(index))
