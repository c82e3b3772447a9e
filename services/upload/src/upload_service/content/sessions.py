"""Opening, finding, completing and aborting upload sessions."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from common import clock, logging
from common.db import Connection
from common.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from common.ids import new_id
from common.store import DigestClaim
from common.store.limits import MAX_OBJECT_SIZE
from upload_service.content.cleaning import clean_session
from upload_service.content.context import Context
from upload_service.content.finishing import insert_file, settle_session
from upload_service.content.model import (
    UNVERIFIED,
    Layout,
    SessionState,
    UploadSession,
    check_name,
    is_whole,
    plan_chunks,
    sole_piece,
)
from upload_service.content.queries import parts, sessions
from upload_service.content.verification import verify_upload

# Up to so many chunks the store assembles in the time that a message to a worker takes.
ASSEMBLED_AT_ONCE = 500
# How often a waiting request looks, at first and at most.
FIRST_LOOK, LONGEST_LOOK = 0.01, 0.25

_log = logging.get(__name__)


class SessionNotFound(NotFound):
    """There is no such upload."""

    code = "session_not_found"


class SessionExpired(SessionNotFound):
    """This upload was left alone for too long."""

    code = "session_expired"


class ChunksMissing(Conflict):
    """Not every chunk has been stored."""

    code = "chunks_missing"


class DigestMismatch(InvalidInput):
    """The content is not what its sender said it is."""

    code = "digest_mismatch"


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What a sender says before the bytes come."""

    file_name: str
    size: int | None = None
    """In bytes; None when nobody knows yet."""
    chunk_size: int | None = None
    """None for one in-order stream, or for what grows."""
    grows: bool = False
    """The content comes in order, in any number of pieces (`appending`)."""
    claims: tuple[DigestClaim, ...] = ()
    resume_key: bytes | None = None
    """Starting again with the same key finds the same session while it is open."""
    intent: dict[str, Any] = field(default_factory=dict[str, Any])
    lifetime: timedelta | None = None
    """Longer or shorter than usual."""
    owner: UUID | None = None
    """The account whose file it becomes; None: nobody's."""
    mirrors: Sequence[int] | None = None
    """Where the file is wanted besides; None: on the mirrors of its owner's choice."""


async def start_upload(context: Context, new: NewUpload) -> UploadSession:
    """A new session, or the open one with the same resume key. Raises `InvalidInput`, `TooLarge`."""
    async with context.db.transaction() as connection:
        return await begin_upload(connection, context, new)


async def begin_upload(connection: Connection, context: Context, new: NewUpload) -> UploadSession:
    """`start_upload` as a part of something larger, which is done as a whole or not at all."""
    check_name(new.file_name)
    lifetime = new.lifetime or context.session_lifetime
    session_id = new_id()
    layout, chunk_count = Layout.APPENDED if new.grows else Layout.STREAM, None
    if new.size is not None and new.size > MAX_OBJECT_SIZE:
        raise TooLarge("larger than an object store can hold")
    if new.size is not None and new.chunk_size is not None:
        plan = plan_chunks(new.size, new.chunk_size)
        layout, chunk_count = plan.layout, plan.chunk_count
    values = {
        "id": session_id,
        "layout": layout,
        "file_name": new.file_name,
        "size": new.size,
        "chunk_size": new.chunk_size,
        "chunk_count": chunk_count,
        "object_key": f"blobs/{session_id.hex}",
        "claims": [str(claim) for claim in new.claims],
        "resume_key": new.resume_key,
        "intent": new.intent,
        "owner": new.owner,
        "mirrors": None if new.mirrors is None else list(new.mirrors),
        "lifetime": lifetime,
    }
    if new.resume_key is None:
        session = await sessions.insert_session(connection, values)
    else:
        session = await _resume_or_insert(connection, new.resume_key, lifetime, values)
    assert session is not None
    return session


async def _resume_or_insert(
    connection: Connection, resume_key: bytes, lifetime: timedelta, values: dict[str, Any]
) -> UploadSession:
    while True:
        if session := await sessions.resume_session(connection, resume_key, lifetime):
            return session
        await sessions.expire_by_resume_key(connection, resume_key)
        if session := await sessions.insert_session(connection, values):
            return session
        # Another request inserted it in between: the next look finds it.


async def resume_upload(context: Context, resume_key: bytes) -> UploadSession | None:
    """The open session with this resume key, its life extended, if there is one."""
    async with context.db.connection() as connection:
        return await sessions.resume_session(connection, resume_key, context.session_lifetime)


async def find_session(context: Context, session_id: UUID) -> UploadSession:
    """The session, unless it was aborted or its time is over. Raises `SessionNotFound`, `SessionExpired`."""
    async with context.db.connection() as connection:
        return _living(await sessions.get_session(connection, session_id))


def _living(session: UploadSession | None) -> UploadSession:
    if session is None or session.state is SessionState.ABORTED:
        raise SessionNotFound
    if session.state is SessionState.READY and session.file_id is None:
        # Its file was released since.
        raise SessionNotFound
    if session.state is SessionState.EXPIRED:
        raise SessionExpired
    if session.state is SessionState.OPEN and session.expires_at <= clock.now():
        raise SessionExpired
    return session


async def stored_indexes(context: Context, session: UploadSession) -> list[int]:
    """The chunks that are stored, in order."""
    if session.state is not SessionState.OPEN:
        return list(range(session.chunk_count or 0))
    async with context.db.connection() as connection:
        return [part.index for part in await parts.stored_parts(connection, session.id)]


async def complete_upload(context: Context, session_id: UUID) -> UploadSession:
    """Begin to make the chunks, or what was appended, a file and have it verified; asked again, it changes nothing.

    The session returned names its file. Raises `ChunksMissing`, `SessionNotFound`, `DigestMismatch`.
    """
    async with context.db.transaction() as connection:
        session = _living(await sessions.get_session(connection, session_id, lock=True))
        if session.state is SessionState.OPEN:
            session = await _begin_assembly(context, connection, session)
            begun = True
        else:
            begun = False
    _check_intact(session)
    if begun:
        await _have_verified(context, session)
    return session


async def _have_verified(context: Context, session: UploadSession) -> None:
    """Have the content assembled and proven: by a worker, or at once where no byte has to be moved for it."""
    if session.state is SessionState.READY:
        await clean_session(context, session)
        await context.hooks.after_settled(session)
        return
    few_parts = session.layout is Layout.PARTS and (session.chunk_count or 0) <= ASSEMBLED_AT_ONCE
    if session.passed_sha256 and few_parts:
        try:
            await verify_upload(context, session.id)
        except Unavailable:
            _log.warning("not assembled at once, a worker will", session=session.id.hex)
        else:
            return
    await context.queue.verify(session.id)


async def _begin_assembly(context: Context, connection: Connection, session: UploadSession) -> UploadSession:
    stored = await parts.stored_parts(connection, session.id)
    if not is_whole(session, stored):
        raise ChunksMissing
    file_id = new_id()
    size = sum(part.length for part in stored)
    await insert_file(connection, context, session, file_id, size)
    if session.layout is Layout.APPENDED and (piece := sole_piece(session, stored)):
        # It was hashed as it passed, and its object is the content.
        await sessions.set_object(connection, session.id, session.staged_key(piece.index))
        return await settle_session(connection, context, session.id, size, piece.sha256)
    passed = context.passing.take(session.id, stored)
    # A digest that contradicts the sender is not taken for granted: the object itself is read before it is refused.
    if passed and passed.satisfies(session.digest_claims):
        await sessions.set_passed_digest(connection, session.id, passed.sha256)
    await sessions.move_session(connection, session.id, [SessionState.OPEN], SessionState.ASSEMBLING)
    assembling = await sessions.get_session(connection, session.id)
    assert assembling is not None
    return assembling


async def wait_verified(context: Context, session: UploadSession, patience: timedelta) -> UploadSession:
    """The session once its verification is over, or as it is after `patience`.

    Raises `DigestMismatch`, or `ChunksMissing` when chunks turned out to be lost and must be sent again.
    """
    until = time.monotonic() + patience.total_seconds()
    pause = FIRST_LOOK
    session = await find_session(context, session.id)
    while session.state in UNVERIFIED and time.monotonic() < until:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK)
        session = await find_session(context, session.id)
    if session.state is SessionState.OPEN:
        raise ChunksMissing
    _check_intact(session)
    return session


def _check_intact(session: UploadSession) -> None:
    if session.state is SessionState.CORRUPT:
        raise DigestMismatch


async def abort_upload(context: Context, session_id: UUID) -> None:
    """Give an open upload up and remove what it stored. Raises `SessionNotFound`, `Conflict` once it is complete."""
    async with context.db.transaction() as connection:
        session = _living(await sessions.get_session(connection, session_id, lock=True))
        if not await sessions.move_session(connection, session_id, [SessionState.OPEN], SessionState.ABORTED):
            raise Conflict("the upload is complete already")
    await clean_session(context, session)
