"""MirrorAce: one chunk of a file (rules 1 to 6 of section 4 of its contract).

Chunks come one at a time, in order. They are appended to the open session that belongs to the upload key. When that is
complete the key remembers it, because the last answer may have to be given again.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from fastapi import Request, Response

from common.dialects.mirrorace import Refused
from common.errors import TooLarge
from common.expiry import Expiry
from common.http.forms import FilePart
from common.store import ContentHasher
from upload_service.content import appending, completing, sessions, upload_keys
from upload_service.content.appending import Appending
from upload_service.content.model import SessionState, UploadSession
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.content.sharing import share_upload
from upload_service.context import Context
from upload_service.dialects.mirrorace.admission import Admitted, password_hash
from upload_service.dialects.mirrorace.answers import complete, pending
from upload_service.dialects.mirrorace.payload import Payload
from upload_service.dialects.mirrorace.ranges import GAP, ContentRange, offset_of

OTHER_TOTAL = "The size of the file has changed between chunks"
BEYOND = "The chunk goes beyond the end of the file"
COMPLETE = "The file is complete already"
ATTEMPTS = 3
"""How often a session may end just after it was found."""

Rest = Callable[[], Awaitable[None]]
"""Reads the form after its file. Raises when that is not as it must be."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk as its request announces it."""

    request: Request
    admitted: Admitted
    range: ContentRange
    file_name: str


def chunk_limit(context: Context) -> int:
    """The most bytes that a chunk may have: the service's own example sends one more than it is told."""
    return context.mirrorace_max_chunk_size + 1


async def receive_chunk(context: Context, chunk: Chunk, file: FilePart, rest: Rest) -> Response:
    """Store a chunk. If it makes the file complete, the answer has the file's page."""
    total = chunk.range.total
    if total > context.mirrorace_max_file_size:
        raise Refused(f"A file has at most {context.mirrorace_max_file_size} bytes")
    current, payload = await _current_session(context, chunk), await Payload.begin(file)
    if payload.is_empty:
        finished = await _finished_session(context, chunk)
        if total or (finished and finished.size == 0):
            await rest()
            return await _answer_empty(context, chunk, current, finished)
    session: UploadSession | None = None
    turn: Appending | None = None
    try:
        async with AsyncExitStack() as stack:
            found = await _turn(context, chunk, stack)
            if found is None:
                return await _answer_repeated(context, chunk, payload, rest)
            session, turn = found
            await _append(context, chunk, turn, payload)
            await rest()
    except SessionNotFound:
        if turn is None or turn.written is None:
            raise
        # While it was being stored, another request has completed the file with the same chunk.
        return await _answer_again(context, chunk, turn.written.size, turn.written.sha256)
    except BaseException:
        if session:
            await appending.drop_unused(context, session.id)
        raise
    if turn.size == total:
        return await _finish(context, chunk, session)
    await upload_keys.note_session(context, chunk.admitted.key, session.id)
    return pending(session.file_name, total)


async def _current_session(context: Context, chunk: Chunk) -> UploadSession | None:
    """The open session of the upload key, if there is one. Raises `Refused` when it is for a file of another size."""
    session = await sessions.resume_upload(context, chunk.admitted.key.resume_key)
    if session and session.size != chunk.range.total:
        raise Refused(OTHER_TOTAL)
    return session


async def _finished_session(context: Context, chunk: Chunk) -> UploadSession | None:
    """The session of the last file that was completed with this key, if it is still there."""
    # The key is read again: another request may just have completed the file.
    session_id = await upload_keys.last_session(context, chunk.admitted.key)
    if session_id is None:
        return None
    try:
        session = await sessions.find_session(context, session_id)
    except SessionNotFound:
        return None
    return None if session.state is SessionState.OPEN else session


async def _turn(context: Context, chunk: Chunk, stack: AsyncExitStack) -> tuple[UploadSession, Appending] | None:
    """The session for the chunk, a new one if need be, and the turn to append to it.

    None when the chunk continues a file that takes none: it may have just been completed.
    """
    for _ in range(ATTEMPTS):
        session = await _current_session(context, chunk)
        try:
            if session and chunk.range.start == 0 and session.file_name != chunk.file_name:
                # Another file replaces one that was not finished.
                await sessions.abort_upload(context, session.id)
                session = None
            if session is None and chunk.range.start:
                return None
            session = session or await _begin(context, chunk)
            return session, await stack.enter_async_context(Appending(context, session))
        except SessionNotFound:
            # The request that began the session has just failed, or another one has completed it.
            continue
    raise SessionNotFound


async def _begin(context: Context, chunk: Chunk) -> UploadSession:
    """A new session for the file that the chunk begins. Raises `Refused`."""
    chunk.admitted.check_may_begin()
    session = await sessions.start_upload(
        context,
        NewUpload(
            chunk.file_name,
            size=chunk.range.total,
            grows=True,
            resume_key=chunk.admitted.key.resume_key,
            owner=chunk.admitted.identity.account_id,
            mirrors=chunk.admitted.mirrors,
        ),
    )
    if session.size != chunk.range.total:
        # Another first chunk came at the same moment.
        raise Refused(OTHER_TOTAL)
    return session


async def _append(context: Context, chunk: Chunk, turn: Appending, payload: Payload) -> None:
    """Raises `TooLarge` for a chunk that is too long, and `Refused` for one that goes beyond the end of the file."""
    at = offset_of(chunk.range, turn.boundaries)
    room = chunk.range.total - at
    try:
        await turn.write(at, payload, min(room, chunk_limit(context)))
    except TooLarge:
        if room < chunk_limit(context):
            raise Refused(BEYOND) from None
        raise


async def _answer_empty(
    context: Context, chunk: Chunk, current: UploadSession | None, finished: UploadSession | None
) -> Response:
    """An empty chunk changes nothing. At the end of the file it asks for the last answer (rule 5)."""
    asked = chunk.range
    if current is None:
        if finished and asked.start == asked.total == finished.size:
            return await _finish(context, chunk, finished)
        if finished or asked.start:
            raise Refused(GAP)
        return pending(chunk.file_name, asked.total)
    boundaries = appending.boundaries_of(await appending.parts_of(context, current))
    if boundaries[-1] == asked.total:
        return await _finish(context, chunk, current)
    # Raises `Refused` for a chunk that leaves a gap.
    offset_of(asked, boundaries)
    return pending(current.file_name, asked.total)


async def _answer_repeated(context: Context, chunk: Chunk, payload: Payload, rest: Rest) -> Response:
    """A chunk that continues a file that takes none."""
    hasher = ContentHasher()
    if await _finished_session(context, chunk):
        async for block in payload:
            hasher.update(block)
        await rest()
    return await _answer_again(context, chunk, hasher.size, hasher.sha256)


async def _answer_again(context: Context, chunk: Chunk, size: int, sha256: bytes) -> Response:
    """A chunk of a complete file gets the answer again if it is the same chunk, whose sender missed the answer."""
    finished = await _finished_session(context, chunk)
    if finished is None:
        raise Refused(GAP)
    if finished.size != chunk.range.total:
        raise Refused(OTHER_TOTAL)
    stored = await appending.parts_of(context, finished)
    boundaries = appending.boundaries_of(stored)
    at = offset_of(chunk.range, boundaries)
    counting = [part for part in stored if part.length]
    for start, part in zip(boundaries, counting, strict=False):
        if start == at and part.length == size and part.sha256 == sha256:
            return await _finish(context, chunk, finished)
    raise Refused(COMPLETE)


async def _finish(context: Context, chunk: Chunk, session: UploadSession) -> Response:
    """Make the session's content a file with a page. It may still have to be joined: nobody waits for that."""
    # This is recorded first: if the process dies before the answer, a repeated chunk finds the session.
    await upload_keys.note_session(context, chunk.admitted.key, session.id)
    completed = await completing.complete_upload(context, session.id)
    hashed = await password_hash(context, chunk.admitted)
    shared = await share_upload(context, completed, Expiry(None, None), "page", password_hash=hashed)
    return complete(context, chunk.request, completed.file_name, completed.size or 0, shared.code)
