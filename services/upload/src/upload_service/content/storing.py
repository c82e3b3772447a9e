"""Storing the numbered parts of a file of known size, in any order, each once."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass
from uuid import UUID

from common.errors import Conflict, InvalidInput, Unavailable
from common.store import BodyLength, UploadMissing
from upload_service.content.context import Context
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.queries import parts, sessions
from upload_service.content.reservation import Reservation
from upload_service.content.running_digests import PartDigest
from upload_service.content.sessions import SessionNotFound


class PartLengthWrong(InvalidInput):
    """The part is not as long as it must be."""

    code = "chunk_length_wrong"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the part has {actual} bytes, it must have {expected}")
        self.expected, self.actual = expected, actual


class StoreForgot(Unavailable):
    """The store dropped the unfinished upload; its parts must be sent again."""

    code = "store_forgot"


@dataclass(frozen=True, slots=True)
class PartReceipt:
    sha256: bytes
    skipped: bool
    """The part was stored already; nothing was read."""


async def store_part(context: Context, session: UploadSession, index: int, blocks: AsyncIterable[bytes]) -> PartReceipt:
    """Store part `index` (from 0) of a session.

    A part that is stored already is left as it is, and `blocks` is not read. Raises `PartIndexInvalid`,
    `PartLengthWrong`, `PartBusy`, `SessionNotFound`, and what `blocks` raises; then nothing of the part is stored.
    """
    expected = session.part_length(index)
    if session.state is not SessionState.OPEN:
        return await _already_stored(context, session, index)
    reservation = Reservation(context, session, index)
    if stored := await reservation.take():
        return PartReceipt(stored.digest, skipped=True)
    digest = context.digests.part(session, index)

    try:
        if session.layout is Layout.STAGED:
            key, etag = session.staged_key(index), ""
            await context.store.put(key, blocks, expected, digest=digest.update, lease=reservation)
        else:
            etag = await _put_part(context, session, index, expected, blocks, digest, reservation)
        sha256 = digest.sha256
        await reservation.record(expected, sha256, etag)
    except BaseException as error:
        digest.fail()
        await reservation.give_up()
        if isinstance(error, BodyLength):
            raise PartLengthWrong(expected, error.actual) from None
        raise
    await asyncio.to_thread(digest.finish, sha256)
    return PartReceipt(sha256, skipped=False)


async def _already_stored(context: Context, session: UploadSession, index: int) -> PartReceipt:
    async with context.db.connection() as connection:
        stored = await parts.get_part(connection, session.id, index)
    if stored is None:
        raise Conflict("the upload is complete already")
    return PartReceipt(stored.digest, skipped=True)


async def _put_part(
    context: Context,
    session: UploadSession,
    index: int,
    size: int,
    blocks: AsyncIterable[bytes],
    digest: PartDigest,
    reservation: Reservation,
) -> str:
    """Write a part of the session's multipart upload, which the first one begins; returns its entity tag."""
    multipart_id = session.multipart_id or await begin_multipart(context, session)
    try:
        part = await context.store.put_part(
            session.object_key,
            multipart_id,
            index + 1,
            blocks,
            size,
            offset=index * (session.part_size or 0),
            digest=digest.update,
            lease=reservation,
        )
    except UploadMissing:
        await forget_stored_parts(context, session.id, multipart_id)
        raise StoreForgot from None
    return part.etag


async def begin_multipart(context: Context, session: UploadSession) -> str:
    """Begin the session's multipart upload, unless another request was first; returns the one that holds."""
    created = await context.store.create_multipart(session.object_key)
    async with context.db.connection() as connection:
        holds = await sessions.set_multipart(connection, session.id, created)
    if holds != created:
        await context.store.abort_multipart(session.object_key, created)
    if holds is None:
        raise SessionNotFound
    return holds


async def forget_stored_parts(context: Context, session_id: UUID, multipart_id: str) -> None:
    """Start again with a session whose multipart upload the store no longer has (some drop old ones)."""
    async with context.db.transaction() as connection:
        session = await sessions.lock_session(connection, session_id)
        if session and session.multipart_id == multipart_id:
            stored = await parts.stored_parts(connection, session_id)
            await parts.forget_parts(connection, session_id, [part.index for part in stored])
            await sessions.replace_multipart(connection, session_id, None)
