"""Streams: content that comes in order, in one request, of a length that may not be known before its end."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from common.db import Connection
from common.errors import Unavailable
from common.store import Source
from upload_service.content.cleaning import clean_session, clean_soon
from upload_service.content.context import Context
from upload_service.content.expiring import clear_soon
from upload_service.content.finishing import make_file
from upload_service.content.making_room import with_room
from upload_service.content.model import UNVERIFIED, Quota, SessionState, UploadSession
from upload_service.content.queries import files, parts, sessions, usage
from upload_service.content.reservation import Reservation
from upload_service.content.sessions import SessionNotFound


@dataclass(frozen=True, slots=True)
class HeldStream:
    """A stream that is stored and not recorded yet: only its writer knows of it."""

    reservation: Reservation
    size: int
    sha256: bytes


async def put_stream(context: Context, session: UploadSession, source: Source, max_size: int) -> int:
    """Store all of `source` as the session's content and return its size in bytes.

    It is hashed as it arrives, so it is verified the moment it ends; `finish_stream` makes it a file. Content that is
    stored already is left as it is, and `source` is not read. Raises `TooLarge` beyond `max_size` bytes,
    `QuotaExceeded`, `PartBusy`, `SessionNotFound`, and what `source` raises; then nothing is stored.
    """
    reservation = Reservation(context, session, 0)
    if stored := await reservation.take():
        return stored.size
    held = await hold_stream(context, session, reservation, source, max_size)
    try:
        await reservation.record(held.size, held.sha256)
    except BaseException:
        await reservation.give_up()
        raise
    return held.size


async def hold_stream(
    context: Context, session: UploadSession, reservation: Reservation, source: Source, max_size: int
) -> HeldStream:
    """Store all of `source`, for which the writer holds the reservation. `finish_held` records it.

    Raises as `put_stream`; then the reservation is given up.
    """

    async def on_multipart(multipart_id: str) -> None:
        async with context.db.connection() as connection:
            await sessions.replace_multipart(connection, session.id, multipart_id)

    try:
        written = await context.store.write_stream(
            session.object_key,
            with_room(context, session, source, 0, max_size),
            on_multipart=on_multipart,
            max_size=max_size,
            lease=reservation,
        )
    except BaseException:
        await reservation.give_up()
        raise
    return HeldStream(reservation, written.size, written.sha256)


async def finish_stream(context: Context, session: UploadSession) -> UploadSession:
    """Make a stored stream a file; asked again, it changes nothing. The session returned names its file.

    Raises `SessionNotFound`, and `QuotaExceeded` if nothing was reserved for it and there is no room.
    """
    limits = await context.limits_for(session.owner)
    async with context.db.transaction() as connection:
        current = await sessions.lock_session(connection, session.id)
        if current is None or current.state not in (SessionState.OPEN, SessionState.READY):
            raise SessionNotFound
        if current.state is SessionState.READY:
            return current
        part = await parts.get_part(connection, session.id, 0)
        if part is None:
            raise SessionNotFound
        finished, is_clean = await _make_file(connection, context, current, part.size, part.digest, limits)
    return await _after(context, finished, is_clean=is_clean)


async def finish_held(context: Context, session: UploadSession, held: HeldStream) -> UploadSession:
    """`finish_stream` for the writer of the stream, in the transaction that records it.

    Raises `PartBusy` when another writer has its place, `SessionNotFound` when the session has ended, and
    `QuotaExceeded`.
    """
    limits = await context.limits_for(session.owner)
    async with context.db.transaction() as connection:
        # The session is open and locked from here on, and all that matters of it is as it was when it began.
        await held.reservation.record_within(connection, held.size, held.sha256)
        finished, is_clean = await _make_file(connection, context, session, held.size, held.sha256, limits)
    return await _after(context, finished, is_clean=is_clean)


async def _make_file(
    connection: Connection, context: Context, session: UploadSession, size: int, sha256: bytes, limits: Quota
) -> tuple[UploadSession, bool]:
    if session.reserved is None and (session.owner or limits != Quota()):
        await usage.check_usage(connection, session.owner, size, limits)
    return await make_file(connection, context, session, size, sha256)


async def _after(context: Context, finished: UploadSession, *, is_clean: bool) -> UploadSession:
    """Do what follows the commit that made the file."""
    if not is_clean:
        await clean_session(context, finished)
    await context.hooks.after_ready(finished)
    return finished


async def forget_stream(context: Context, session: UploadSession) -> None:
    """Forget a stored stream that is not what it should be; its sender may send it again."""
    async with context.db.connection() as connection:
        await parts.forget_parts(connection, session.id, [0])
    await context.store.delete(session.object_key)


async def discard_stream(context: Context, session_id: UUID) -> None:
    """`discard_upload` for a request that failed.

    Without a database it can do nothing: the session expires by itself, and so does a file that no share holds.
    """
    with suppress(Unavailable):
        await discard_upload(context, session_id)


async def discard_upload(context: Context, session_id: UUID) -> None:
    """`discard_uploads` for one session."""
    await discard_uploads(context, [session_id])


async def discard_uploads(context: Context, session_ids: Sequence[UUID]) -> None:
    """Leave nothing of uploads, however far they came: no session, file, object or share. Raises `Unavailable`.

    The share service may have made a share although its answer did not arrive, so a file is ended like any other.
    """
    async with context.db.transaction() as connection:
        found = await sessions.lock_sessions(connection, session_ids)
        file_ids = [session.file_id for session in found if session.file_id]
        await files.mark_all_ended(connection, file_ids)
        await sessions.abort_sessions(connection, session_ids)
    # A verifier may still be reading the object and make it a blob; it cleans up after itself.
    await clean_soon(context, [session for session in found if session.state not in UNVERIFIED])
    if file_ids:
        await clear_soon(context, file_ids)
