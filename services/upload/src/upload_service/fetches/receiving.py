"""One attempt to receive the content: all of it, or the rest of what an earlier attempt began.

Content of known size is stored in parts of one length. Parts that are stored are not fetched again, whatever worker
goes on. Without a size, or a validator to recognise the content by, the next attempt starts over.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from common import clock
from common.errors import DomainError, Gone, TooLarge
from common.outbound.client import Answer, RemoteUnavailable
from common.store import DigestClaim
from common.store.limits import MAX_PARTS, MIB
from upload_service.content import sessions, storing, streams
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.queries import parts
from upload_service.content.queries import sessions as session_rows
from upload_service.content.sessions import NewUpload
from upload_service.fetches.resuming import RemoteContent, ask_for, continues, name_in, strange_encoding, validator_in
from upload_service.fetches.work import Work

PART_SIZE = 16 * MIB


class FileDeleted(Gone):
    """The file was deleted before it was shared."""

    code = "file_deleted"


class ContentEncoded(DomainError):
    """The remote server sent the content compressed, which it was asked not to do."""

    code = "content_encoded"

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"the remote server sent the content compressed ({encoding[:40]}), which it was asked not to do"
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    """A session that an earlier attempt began. `stored`: the bytes of it after which a new attempt can continue."""

    session: UploadSession
    stored: int
    is_whole: bool


async def receive_content(work: Work) -> UploadSession:
    """The session, once it has all of the content.

    Raises `RemoteUnavailable`, `RemoteRefused` and the client's other errors, `TooLarge`, `FileDeleted`,
    `ContentEncoded`.
    """
    fetch, begun = work.fetch, await _begun(work)
    if begun and begun.is_whole:
        return begun.session
    start = begun.stored if begun and fetch.validator else 0
    work.received = work.stored = start
    async with ask_for(work, start) as answer:
        if begun and start and continues(answer, fetch, start):
            session = begun.session
        else:
            session, start = await _begin(work, answer), 0
        async with RemoteContent(work, answer, start) as content:
            blocks = content.blocks()
            if session.layout is Layout.STREAM:
                await streams.put_stream(work.context, session, _Stream(work, blocks, answer.size), fetch.max_size)
            else:
                await _put_parts(work, session, blocks, start)
    return session


async def _begun(work: Work) -> _Begun | None:
    """The session of an earlier attempt, if it can be used. Raises `FileDeleted`."""
    if work.fetch.session_id is None:
        return None
    async with work.context.db.connection() as connection:
        session = await session_rows.get_session(connection, work.fetch.session_id)
        stored = await parts.stored_parts(connection, work.fetch.session_id)
    if session is None or session.state in (SessionState.ABORTED, SessionState.EXPIRED):
        return None
    if session.state is SessionState.READY and session.file_id is None:
        raise FileDeleted
    if session.state is not SessionState.OPEN:
        return _Begun(session, session.size or 0, is_whole=True)
    if session.is_overdue:
        return None
    # Parts are stored in order, so the stored ones are the first.
    part_count = 1 if session.layout is Layout.STREAM else session.part_count
    return _Begun(session, sum(part.size for part in stored), is_whole=len(stored) == part_count)


async def _begin(work: Work, answer: Answer) -> UploadSession:
    """A new session for an answer that starts with the first byte.

    Raises `TooLarge`, `QuotaExceeded`, `RemoteUnavailable`, `ContentEncoded`.
    """
    await work.discard()
    fetch = work.fetch
    if answer.start != 0:
        raise RemoteUnavailable("the content has changed")
    if answer.status == 206 and answer.size is None:
        raise RemoteUnavailable("the remote server does not say how much there is")
    if answer.size is not None and answer.size > fetch.max_size:
        raise TooLarge
    size = answer.size if answer.size and answer.size > PART_SIZE else None
    if encoding := strange_encoding(answer):
        raise ContentEncoded(encoding)
    name = fetch.file_name or name_in(answer)
    new = NewUpload(
        name,
        size=size,
        at_least=answer.size or 0,
        part_size=_part_size(size) if size else None,
        claims=(DigestClaim("sha-256", fetch.sha256),) if fetch.sha256 else (),
        # A stream is recorded only when it ends, which may be as late as the fetch.
        lifetime=max(work.context.session_lifetime, fetch.ends_at - clock.now()),
        owner=fetch.owner,
        mirrors=fetch.mirrors,
    )
    limits = await work.context.limits_for(fetch.owner)
    async with work.context.db.transaction() as connection:
        session = await sessions.begin_upload(connection, work.context, new, limits)
        await work.note_session(connection, session.id, answer.size, validator_in(answer), name)
    return session


def _part_size(size: int) -> int:
    """The usual part size, or more if an object would have too many parts."""
    return max(PART_SIZE, -(-size // MAX_PARTS))


async def _put_parts(work: Work, session: UploadSession, blocks: AsyncIterator[bytes], start: int) -> None:
    assert session.part_size is not None
    assert session.part_count is not None
    body = _Body(work, blocks)
    for index in range(start // session.part_size, session.part_count):
        length = session.part_length(index)
        part = body.take(length)
        stored = await storing.store_part(work.context, session, index, part)
        if stored.skipped:
            # A worker stored it that did not know yet that it had lost its claim. The next part follows these bytes.
            async for _ in part:
                pass
        work.stored += length


class _Body:
    """The content, from which parts are taken."""

    def __init__(self, work: Work, blocks: AsyncIterator[bytes]) -> None:
        self._work, self._blocks, self._rest = work, blocks, b""

    async def take(self, size: int) -> AsyncGenerator[bytes]:
        """The next `size` bytes."""
        while size:
            block = self._rest or await anext(self._blocks, b"")
            if not block:
                raise RemoteUnavailable("the remote server sent less than all")
            block, self._rest = block[:size], block[size:]
            size -= len(block)
            self._work.received += len(block)
            yield block


class _Stream:
    """The content as one stream. Raises `RemoteUnavailable` unless it has the announced size."""

    def __init__(self, work: Work, blocks: AsyncIterator[bytes], size: int | None) -> None:
        self._work, self._blocks, self._size, self._seen = work, blocks, size, 0

    def certain(self) -> int:
        return max(0, (self._size or 0) - self._seen)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._blocks:
            self._seen += len(block)
            self._work.received += len(block)
            yield block
        if self._size not in (None, self._seen):
            raise RemoteUnavailable("the remote server sent another length than it said")
