"""MirrorAce: the chunks of a file (rules 1 to 6 of section 4 of its contract).

Chunks come one at a time, in order. They go to the open session that belongs to the upload key; the key remembers the
last one when it is complete, because the last answer may have to be given again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from fastapi import Request, Response

from common.dialects.mirrorace import Refused
from common.errors import TooLarge
from common.http.forms import FilePart
from common.store import ContentHasher
from upload_service.content import appending, sessions, upload_keys
from upload_service.content.appending import Appending
from upload_service.content.model import SessionState, UploadSession
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.dialects.mirrorace.ranges import GAP, ContentRange, place
from upload_service.dialects.mirrorace.steps import Admitted, MirrorAce, password_hash, pending, share

OTHER_TOTAL = "The size of the file has changed between chunks"
BEYOND = "The chunk goes beyond the end of the file"
COMPLETE = "The file is complete already"
# How often a session may end in the moment in which it was found.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is known of a chunk before its bytes."""

    admitted: Admitted
    range: ContentRange
    name: str
    """The file's."""


class Chunks:
    """One request with one chunk."""

    def __init__(self, served: MirrorAce, request: Request, chunk: Chunk) -> None:
        self._with, self._request, self._chunk = served, request, chunk
        self._key = chunk.admitted.key

    async def receive(self, file: FilePart, rest: Callable[[], Awaitable[None]]) -> Response:
        """Store the chunk. `rest` reads what follows it in the form, and raises when that is not as it must be."""
        asked = self._chunk.range
        if asked.total > self._with.max_file_size:
            raise Refused(f"A file has at most {self._with.max_file_size} bytes")
        current, payload = await self._current(), await Payload.begin(file)
        if payload.is_empty:
            finished = await self._finished()
            if asked.total or (finished and finished.size == 0):
                await rest()
                return await self._without_bytes(current, finished)
        return await self._store(payload, rest)

    async def _current(self) -> UploadSession | None:
        """What the chunks go to that are being sent, if one has come. Raises `Refused` when it has another size."""
        session = await sessions.resume_upload(self._with.context, self._key.resume_key)
        if session and session.size != self._chunk.range.total:
            raise Refused(OTHER_TOTAL)
        return session

    async def _finished(self) -> UploadSession | None:
        """The last file that was completed with this key, if it is still there."""
        # Asked anew: another request may just have completed it.
        session_id = await upload_keys.last_session(self._with.context, self._key)
        if session_id is None:
            return None
        try:
            session = await sessions.find_session(self._with.context, session_id)
        except SessionNotFound:
            return None
        return None if session.state is SessionState.OPEN else session

    async def _store(self, payload: "Payload", rest: Callable[[], Awaitable[None]]) -> Response:
        context, asked = self._with.context, self._chunk.range
        session: UploadSession | None = None
        try:
            async with AsyncExitStack() as stack:
                found = await self._turn(stack)
                if found is None:
                    return await self._again(payload, rest)
                session, turn = found
                await self._write(turn, place(asked, turn.boundaries), payload)
                await rest()
        except BaseException:
            if session:
                await appending.drop_unused(context, session.id)
            raise
        if turn.size == asked.total:
            return await self._finish(session)
        await upload_keys.note_session(context, self._key, session.id)
        return self._pending(session)

    async def _turn(self, stack: AsyncExitStack) -> tuple[UploadSession, Appending] | None:
        """The session that the chunk goes to, a new one if need be, and the right to append to it.

        None when the chunk goes on with a file that takes none: it may have just been completed.
        """
        context = self._with.context
        for _ in range(ATTEMPTS):
            session = await self._current()
            try:
                if session and self._chunk.range.start == 0 and session.file_name != self._chunk.name:
                    # Another file takes the place of one that was not finished.
                    await sessions.abort_upload(context, session.id)
                    session = None
                if session is None and self._chunk.range.start:
                    return None
                session = session or await self._begin()
                return session, await stack.enter_async_context(Appending(context, session))
            except SessionNotFound:
                # The request that it was begun for has just failed, or another one has completed it.
                continue
        raise SessionNotFound

    async def _begin(self) -> UploadSession:
        chunk, admitted = self._chunk, self._chunk.admitted
        admitted.check_begins()
        session = await sessions.start_upload(
            self._with.context,
            NewUpload(
                chunk.name,
                size=chunk.range.total,
                grows=True,
                resume_key=self._key.resume_key,
                owner=admitted.identity.account_id,
                mirrors=admitted.mirrors,
            ),
        )
        if session.size != chunk.range.total:
            # Another first chunk came at the same moment.
            raise Refused(OTHER_TOTAL)
        return session

    async def _write(self, turn: Appending, at: int, payload: "Payload") -> None:
        """Raises `TooLarge` for a chunk that is too long, and `Refused` for one that goes beyond the file's end."""
        room = self._chunk.range.total - at
        try:
            await turn.write(at, payload, min(room, self._with.chunk_limit))
        except TooLarge:
            if room < self._with.chunk_limit:
                raise Refused(BEYOND) from None
            raise

    async def _without_bytes(self, current: UploadSession | None, finished: UploadSession | None) -> Response:
        """An empty chunk changes nothing. One at the end of the file asks for the last answer (rule 5)."""
        asked = self._chunk.range
        if current is None:
            if finished and asked.start == asked.total == finished.size:
                return await self._finish(finished)
            if finished or asked.start:
                raise Refused(GAP)
            return pending(self._chunk.name, asked.total)
        pieces = await appending.stored_pieces(self._with.context, current)
        boundaries = appending.boundaries_of(pieces)
        if boundaries[-1] == asked.total:
            return await self._finish(current)
        place(asked, boundaries)
        return self._pending(current)

    async def _again(self, payload: "Payload", rest: Callable[[], Awaitable[None]]) -> Response:
        """A chunk of a file that is complete: sent again, if it is the very same, by who did not hear that."""
        finished = await self._finished()
        if finished is None:
            raise Refused(GAP)
        if finished.size != self._chunk.range.total:
            raise Refused(OTHER_TOTAL)
        pieces = await appending.stored_pieces(self._with.context, finished)
        boundaries = appending.boundaries_of(pieces)
        at = place(self._chunk.range, boundaries)
        hasher = ContentHasher()
        async for block in payload:
            hasher.update(block)
        await rest()
        counting = [piece for piece in pieces if piece.length]
        for start, piece in zip(boundaries, counting, strict=False):
            if start == at and piece.length == hasher.size and piece.sha256 == hasher.sha256:
                return await self._finish(finished)
        raise Refused(COMPLETE)

    async def _finish(self, session: UploadSession) -> Response:
        """Make what is stored a file with a page. It may still have to be joined: nobody waits for that."""
        # Noted first: should this process die before the answer, the chunk is sent again and finds what became of it.
        await upload_keys.note_session(self._with.context, self._key, session.id)
        completed = await sessions.complete_upload(self._with.context, session.id)
        hashed = await password_hash(self._with, self._chunk.admitted)
        return await share(self._with, self._request, completed, hashed)

    def _pending(self, session: UploadSession) -> Response:
        return pending(session.file_name, self._chunk.range.total)


class Payload:
    """A form's file of which it is known whether it has any bytes: a `Source` for the in-order writer."""

    def __init__(self, file: FilePart, blocks: AsyncIterator[bytes], first: bytes) -> None:
        self._file, self._blocks, self._first = file, blocks, first
        self.is_empty = not first

    @staticmethod
    async def begin(file: FilePart) -> "Payload":
        """Wait for the first bytes, or for the end."""
        blocks, first = aiter(file), b""
        while not first and (block := await anext(blocks, None)) is not None:
            first = block
        return Payload(file, blocks, first)

    def certain(self) -> int:
        return self._file.certain() + len(self._first)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        first, self._first = self._first, b""
        if first:
            yield first
        async for block in self._blocks:
            yield block
