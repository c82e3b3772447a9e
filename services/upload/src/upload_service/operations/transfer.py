"""Moving bytes into a session: one chunk, or one in-order stream.

Each writer reserves its part first and is the only one who may record it (a fence in PostgreSQL). A reservation lasts
for `LEASE` and is renewed while bytes arrive, always before the last block leaves for the store: a writer that lost its
reservation breaks off, and the store keeps nothing of a request that broke off.
"""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from common.blob import ContentHasher, UploadMissing, write_stream
from common.blob.writer import Source
from common.errors import Conflict, InvalidInput, TooLarge, Unavailable
from common.ids import new_id
from upload_service.model import Layout, Part, SessionState, UploadSession
from upload_service.operations.cleaning import clean_session
from upload_service.operations.context import Context
from upload_service.operations.files import drop_file
from upload_service.operations.passing import PassingChunk
from upload_service.operations.sessions import SessionNotFound
from upload_service.operations.settling import settle_session
from upload_service.queries import blobs, parts, sessions

LEASE = timedelta(seconds=15)
RENEW_AFTER = LEASE.total_seconds() / 3
# A second writer of the same part waits this long for the first one to finish or to be given up.
PATIENCE = timedelta(seconds=25)


class ChunkLengthWrong(InvalidInput):
    """The chunk is not as long as it must be."""

    code = "chunk_length_wrong"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the chunk has {actual} bytes, it must have {expected}")
        self.expected, self.actual = expected, actual


class PartBusy(Conflict):
    """Another request is writing this part."""

    code = "part_busy"


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
        raise Conflict("the upload is complete already")
    writer = new_id()
    if stored := await _reserve(context, session, index, writer):
        return StoredChunk(stored.sha256, skipped=True)
    passing = context.passing.chunk(session, index)
    chunk = _Chunk(blocks, expected, _Fence(context, session, index, writer), passing)
    try:
        etag = await _write_chunk(context, session, index, chunk)
        sha256 = chunk.hasher.sha256
        await _record(context, session, Part(index, expected, sha256, etag), writer)
    except BaseException:
        passing.fail()
        await _give_up(context, session, index, writer)
        raise
    passing.finish(sha256)
    return StoredChunk(sha256, skipped=False)


async def _write_chunk(context: Context, session: UploadSession, index: int, chunk: "_Chunk") -> str:
    """Write the chunk where the session's layout wants it; returns its entity tag."""
    if session.layout is Layout.STAGED:
        await context.store.put(session.staged_key(index), chunk, chunk.expected)
        return ""
    multipart_id = session.multipart_id or await _ensure_multipart(context, session)
    try:
        part = await context.store.put_part(session.object_key, multipart_id, index + 1, chunk, chunk.expected)
    except UploadMissing:
        await forget_stored_parts(context, session.id, multipart_id)
        raise StoreForgot from None
    return part.etag


async def put_stream(context: Context, session: UploadSession, source: Source, max_size: int) -> int:
    """Store all of `source` as the session's content and return its size in bytes.

    It is hashed as it passes, so verified the moment it ends; `finish_stream` makes it a file. Content that is stored
    already is left as it is, and `source` is not read. Raises `TooLarge` beyond `max_size` bytes, `PartBusy`, and what
    `source` raises; then nothing is stored.
    """
    writer = new_id()
    if stored := await _reserve(context, session, 0, writer):
        return stored.size
    fence = _Fence(context, session, 0, writer)

    async def on_multipart(multipart_id: str) -> None:
        async with context.db.connection() as connection:
            await sessions.replace_multipart(connection, session.id, multipart_id)

    try:
        written = await write_stream(
            context.store, session.object_key, _Limited(source, max_size, fence), on_multipart=on_multipart
        )
        await _record(context, session, Part(0, written.size, written.sha256, ""), writer)
    except BaseException:
        await _give_up(context, session, 0, writer)
        raise
    return written.size


async def finish_stream(context: Context, session: UploadSession) -> UploadSession:
    """Make a stored stream a file; asked again, it changes nothing. The session returned names its file."""
    file_id = new_id()
    async with context.db.transaction() as connection:
        current = await sessions.get_session(connection, session.id, lock=True)
        if current is None or current.state not in (SessionState.OPEN, SessionState.READY):
            raise SessionNotFound
        if current.state is SessionState.READY:
            return current
        part = await parts.get_part(connection, session.id, 0)
        if part is None:
            raise SessionNotFound
        await blobs.insert_file(connection, file_id, current.file_name, part.size, current.owner)
        await sessions.attach_file(connection, session.id, file_id, part.size)
        finished = await settle_session(connection, session.id, part.size, part.sha256)
    await clean_session(context, finished)
    return finished


async def forget_stream(context: Context, session: UploadSession) -> None:
    """Forget a stored stream that is not what it should be; its sender may send it again."""
    async with context.db.connection() as connection:
        await parts.forget_parts(connection, session.id, [0])
    await context.store.delete(session.object_key)


async def discard_stream(context: Context, session_id: UUID) -> None:
    """Leave nothing of a stream whose request failed, however far it came: no session, no file, no object."""
    try:
        async with context.db.transaction() as connection:
            session = await sessions.get_session(connection, session_id, lock=True)
            if session is None:
                return
            if session.file_id:
                await drop_file(connection, session.file_id)
            await sessions.move_session(connection, session_id, [SessionState.OPEN], SessionState.ABORTED)
        await clean_session(context, session)
    except Unavailable:
        # Without a database nothing can be said; the session runs out, and so does a file that nobody claims.
        return


async def forget_stored_parts(context: Context, session_id: UUID, multipart_id: str) -> None:
    """Begin again with a session whose multipart upload the store no longer has (some drop old ones)."""
    async with context.db.transaction() as connection:
        session = await sessions.get_session(connection, session_id, lock=True)
        if session and session.multipart_id == multipart_id:
            stored = await parts.stored_parts(connection, session_id)
            await parts.forget_parts(connection, session_id, [part.index for part in stored])
            await sessions.replace_multipart(connection, session_id, None)


async def _ensure_multipart(context: Context, session: UploadSession) -> str:
    created = await context.store.create_multipart(session.object_key)
    async with context.db.connection() as connection:
        holds = await sessions.set_multipart(connection, session.id, created)
    if holds != created:
        await context.store.abort_multipart(session.object_key, created)
    if holds is None:
        raise SessionNotFound
    return holds


async def _reserve(context: Context, session: UploadSession, index: int, writer: UUID) -> Part | None:
    """Reserve the part for `writer`, or return it when it is stored. Waits for another writer. Raises `PartBusy`."""
    until = time.monotonic() + PATIENCE.total_seconds()
    while True:
        async with context.db.connection() as connection:
            if await parts.reserve_part(connection, session.id, index, writer, LEASE):
                return None
            if stored := await parts.get_part(connection, session.id, index):
                return stored
        if time.monotonic() > until:
            raise PartBusy
        await asyncio.sleep(0.2)


async def _record(context: Context, session: UploadSession, part: Part, writer: UUID) -> None:
    async with context.db.connection() as connection:
        recorded = await parts.record_part(connection, session.id, part, writer, context.session_lifetime)
    if not recorded:
        # The session ended meanwhile, or another writer has this part now.
        raise PartBusy


async def _give_up(context: Context, session: UploadSession, index: int, writer: UUID) -> None:
    """Free the part for the next writer at once; without a database its reservation runs out by itself."""
    with suppress(Unavailable):
        async with context.db.connection() as connection:
            await parts.drop_part(connection, session.id, index, writer)


class _Fence:
    """A writer's reservation, renewed while it is used."""

    def __init__(self, context: Context, session: UploadSession, index: int, writer: UUID) -> None:
        self._context, self._session, self._index, self._writer = context, session, index, writer
        self._renewed = time.monotonic()

    async def hold(self) -> None:
        """Renew the reservation when it is time to. Raises `PartBusy` when it was lost."""
        if time.monotonic() - self._renewed < RENEW_AFTER:
            return
        async with self._context.db.connection() as connection:
            if not await parts.extend_part(connection, self._session.id, self._index, self._writer, LEASE):
                raise PartBusy
        self._renewed = time.monotonic()


class _Chunk:
    """A chunk's bytes on their way: hashed, fenced, and of exactly the length expected."""

    def __init__(self, blocks: AsyncIterable[bytes], expected: int, fence: _Fence, passing: PassingChunk) -> None:
        self._blocks, self.expected, self._fence, self._passing = blocks, expected, fence, passing
        self.hasher = ContentHasher()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._blocks:
            self.hasher.update(block)
            if self.hasher.size > self.expected:
                raise ChunkLengthWrong(self.expected, self.hasher.size)
            self._passing.update(block)
            await self._fence.hold()
            yield block
        if self.hasher.size < self.expected:
            raise ChunkLengthWrong(self.expected, self.hasher.size)


class _Limited:
    """A stream on its way: fenced, and not longer than allowed."""

    def __init__(self, source: Source, max_size: int, fence: _Fence) -> None:
        self._source, self._max_size, self._fence = source, max_size, fence

    def certain(self) -> int:
        return self._source.certain()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for block in self._source:
            size += len(block)
            if size > self._max_size:
                raise TooLarge
            await self._fence.hold()
            yield block
