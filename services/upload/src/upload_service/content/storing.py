"""Chunks: pieces of a file of known size, in any order, each stored once."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from common.errors import Conflict, InvalidInput, Unavailable
from common.store import ContentHasher, UploadMissing
from upload_service.content.context import Context
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.queries import parts, sessions
from upload_service.content.reservation import Reservation
from upload_service.content.running_digests import PassingChunk
from upload_service.content.sessions import SessionNotFound


class ChunkLengthWrong(InvalidInput):
    """The chunk is not as long as it must be."""

    code = "chunk_length_wrong"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the chunk has {actual} bytes, it must have {expected}")
        self.expected, self.actual = expected, actual


class StoreForgot(Unavailable):
    """The store dropped the unfinished upload; its chunks must be sent again."""

    code = "store_forgot"


@dataclass(frozen=True, slots=True)
class StoredChunk:
    sha256: bytes
    skipped: bool
    """It was stored already; nothing was read."""


async def put_part(context: Context, session: UploadSession, index: int, blocks: AsyncIterable[bytes]) -> StoredChunk:
    """Store chunk `index` (from 0) of a session.

    A chunk that is stored already is left as it is, and `blocks` is not read. Raises `ChunkIndexInvalid`,
    `ChunkLengthWrong`, `PartBusy`, `SessionNotFound`, and what `blocks` raises; then nothing of the chunk is stored.
    """
    expected = session.chunk_length(index)
    if session.state is not SessionState.OPEN:
        return await _already_stored(context, session, index)
    reservation = Reservation(context, session, index)
    if stored := await reservation.take():
        return StoredChunk(stored.sha256, skipped=True)
    passing = context.passing.chunk(session, index)
    chunk = _Chunk(blocks, expected, reservation, passing)
    try:
        etag = await _write_chunk(context, session, index, chunk)
        sha256 = chunk.hasher.sha256
        await reservation.record(expected, sha256, etag)
    except BaseException:
        passing.fail()
        await reservation.give_up()
        raise
    passing.finish(sha256)
    return StoredChunk(sha256, skipped=False)


async def _already_stored(context: Context, session: UploadSession, index: int) -> StoredChunk:
    async with context.db.connection() as connection:
        stored = await parts.get_part(connection, session.id, index)
    if stored is None:
        raise Conflict("the upload is complete already")
    return StoredChunk(stored.sha256, skipped=True)


async def _write_chunk(context: Context, session: UploadSession, index: int, chunk: "_Chunk") -> str:
    """Write the chunk where the session's layout wants it; returns its entity tag."""
    if session.layout is Layout.STAGED:
        await context.store.put(session.staged_key(index), chunk, chunk.expected)
        return ""
    multipart_id = session.multipart_id or await _ensure_multipart(context, session)
    try:
        part = await context.store.put_part(session.object_key, multipart_id, index + 1, chunk, chunk.expected)
    except UploadMissing:
        await _forget_stored_parts(context, session.id, multipart_id)
        raise StoreForgot from None
    return part.etag


async def _ensure_multipart(context: Context, session: UploadSession) -> str:
    created = await context.store.create_multipart(session.object_key)
    async with context.db.connection() as connection:
        holds = await sessions.set_multipart(connection, session.id, created)
    if holds != created:
        await context.store.abort_multipart(session.object_key, created)
    if holds is None:
        raise SessionNotFound
    return holds


async def _forget_stored_parts(context: Context, session_id: UUID, multipart_id: str) -> None:
    """Begin again with a session whose multipart upload the store no longer has (some drop old ones)."""
    async with context.db.transaction() as connection:
        session = await sessions.get_session(connection, session_id, lock=True)
        if session and session.multipart_id == multipart_id:
            stored = await parts.stored_parts(connection, session_id)
            await parts.forget_parts(connection, session_id, [part.index for part in stored])
            await sessions.replace_multipart(connection, session_id, None)


class _Chunk:
    """A chunk's bytes on their way: hashed, fenced, and of exactly the length expected."""

    def __init__(
        self, blocks: AsyncIterable[bytes], expected: int, reservation: Reservation, passing: PassingChunk
    ) -> None:
        self._blocks, self.expected, self._reservation, self._passing = blocks, expected, reservation, passing
        self.hasher = ContentHasher()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._blocks:
            self.hasher.update(block)
            if self.hasher.size > self.expected:
                raise ChunkLengthWrong(self.expected, self.hasher.size)
            self._passing.update(block)
            await self._reservation.hold()
            yield block
        if self.hasher.size < self.expected:
            raise ChunkLengthWrong(self.expected, self.hasher.size)
