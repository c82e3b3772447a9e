"""Fetching a URL: the content fills an upload session, is proven like any other, and is shared.

Content of a known size comes in pieces of one length, each stored as a chunk of the session. A connection that breaks
off, or a worker that dies, costs the piece that was under way: the next attempt asks for the rest by its range, on
condition that it is still the same content. Without a size, or something to recognise the content by, it begins anew.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common import clock, logging
from common.blob import DigestClaim
from common.blob.limits import MAX_PARTS, MIB
from common.errors import DomainError, TooLarge, Unavailable
from common.http.outbound import Answer, Outbound, RemoteRefused, RemoteUnavailable
from common.ids import new_id
from upload_service.fetch_model import OTHER_CONTENT, TEMPORARY, Fetch, name_of, validator_of
from upload_service.model import Layout, SessionState, UploadSession
from upload_service.operations import chunks, sessions, streams
from upload_service.operations.claims import ClaimLost, UnexpectedFailure, claim_kept
from upload_service.operations.context import Context
from upload_service.operations.sessions import ChunksMissing, DigestMismatch, NewUpload, SessionNotFound
from upload_service.queries import fetches, parts
from upload_service.shares import Shares

LEASE = timedelta(seconds=10)
TELL = timedelta(seconds=1)
PIECE = 16 * MIB
# So many attempts in a row that bring nothing are enough; the waits between them double.
ATTEMPTS = 5
FIRST_WAIT_SECONDS = 1.0
# How many of the fetches that wait are requested when one is over.
NEXT = 4
VERIFIED_WITHIN = timedelta(seconds=20)

_log = logging.get(__name__)


class FetchTooSlow(DomainError):
    """It was not done in the time that a fetch may take."""

    code = "fetch_too_slow"


class FetchFailed(DomainError):
    """The remote server did not give the content, time after time."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message)
        self.code = error.code


@dataclass(frozen=True, slots=True)
class Fetching:
    """What fetches are made with. `at_once`: how many are under way at a time, in all and of one account."""

    context: Context
    shares: Shares
    outbound: Outbound
    at_once: int
    at_once_each: int


@dataclass(slots=True)
class _Work:
    """A claimed fetch."""

    fetching: Fetching
    worker: UUID
    fetch: Fetch
    done: int = field(default=0)
    """Bytes of the content that are stored or on their way."""

    @property
    def context(self) -> Context:
        return self.fetching.context

    async def renew(self) -> bool:
        async with self.context.db.connection() as connection:
            return await fetches.extend_fetch(connection, self.fetch.id, self.worker, LEASE, self.done)


async def run_fetch(fetching: Fetching, fetch_id: UUID) -> None:
    """Fetch, unless somebody else is at it or it is settled. What fails for good is recorded, and leaves nothing."""
    work = await _claim(fetching, fetch_id)
    if work is None:
        return
    context = work.context
    try:
        async with claim_kept(work.renew, LEASE, TELL):
            session = await _content(work)
            await _share(work, session)
    except ClaimLost:
        return
    except (Unavailable, ChunksMissing):
        # Neither the other side's fault nor the caller's: the sweep comes back, and goes on where this one was.
        async with context.db.connection() as connection:
            await fetches.drop_claim(connection, fetch_id, work.worker)
        raise
    except DomainError as error:
        await _fail(work, error)
    except Exception:
        await _fail(work, UnexpectedFailure())
        raise
    except BaseException:
        async with context.db.connection() as connection:
            await fetches.drop_claim(connection, fetch_id, work.worker)
        raise
    await _request_next(context)


async def _request_next(context: Context) -> None:
    async with context.db.connection() as connection:
        waiting = await fetches.waiting_fetches(connection, NEXT)
    for fetch_id in waiting:
        await context.queue.fetch(fetch_id)


async def _claim(fetching: Fetching, fetch_id: UUID) -> _Work | None:
    worker = new_id()
    async with fetching.context.db.transaction() as connection:
        await fetches.hold_claims(connection)
        fetch = await fetches.claim_fetch(
            connection, fetch_id, worker, LEASE, at_once=fetching.at_once, at_once_each=fetching.at_once_each
        )
    return _Work(fetching, worker, fetch, fetch.bytes_done) if fetch else None


async def _content(work: _Work) -> UploadSession:
    """The session with all of the content. Raises what failed for good, `FetchTooSlow`."""
    left = (work.fetch.ends_at - clock.now()).total_seconds()
    try:
        async with asyncio.timeout(max(0, left)):
            return await _all_attempts(work)
    except TimeoutError:
        raise FetchTooSlow from None


async def _all_attempts(work: _Work) -> UploadSession:
    failures, before = 0, work.done
    while True:
        try:
            return await _attempt(work)
        except (RemoteUnavailable, RemoteRefused) as error:
            if isinstance(error, RemoteRefused) and error.status < 500 and error.status not in TEMPORARY:
                raise
            failures = 1 if work.done > before else failures + 1
            if failures >= ATTEMPTS:
                raise FetchFailed(error) from None
            await _note(work, error)
        before = work.done
        await asyncio.sleep(FIRST_WAIT_SECONDS * 2 ** (failures - 1))


async def _note(work: _Work, error: DomainError) -> None:
    async with work.context.db.connection() as connection:
        await fetches.note_error(connection, work.fetch.id, work.worker, error.code, error.message)
    if isinstance(error, RemoteRefused) and error.status in OTHER_CONTENT:
        await _remember(work, None, None, None, None)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A session that an earlier attempt began. `stored`: how many bytes of it can be gone on from."""

    session: UploadSession
    stored: int
    is_whole: bool


async def _attempt(work: _Work) -> UploadSession:
    """One connection: the rest of what an earlier one began, or all of it."""
    fetch, begun = work.fetch, await _begun(work)
    if begun and begun.is_whole:
        return begun.session
    start = begun.stored if begun and fetch.validator else 0
    headers = {"Range": f"bytes={start}-", "If-Range": fetch.validator or ""} if start else {}
    async with work.fetching.outbound.get(fetch.url, headers) as answer:
        if begun and start and _goes_on(answer, fetch, start):
            session = begun.session
        else:
            session, start = await _begin(work, answer), 0
        work.done = start
        if session.layout is Layout.STREAM:
            body = _Whole(work, answer.blocks(), answer.length)
            await streams.put_stream(work.context, session, body, fetch.max_size)
        else:
            await _put_pieces(work, session, answer.blocks(), start)
    return session


async def _begun(work: _Work) -> _Begun | None:
    if work.fetch.session_id is None:
        return None
    try:
        session = await sessions.find_session(work.context, work.fetch.session_id)
    except SessionNotFound:
        return None
    if session.state is not SessionState.OPEN:
        return _Begun(session, session.size or 0, is_whole=True)
    if session.layout is Layout.STREAM:
        async with work.context.db.connection() as connection:
            stored = await parts.get_part(connection, session.id, 0)
        return _Begun(session, 0, is_whole=stored is not None)
    pieces = len(await sessions.stored_indexes(work.context, session))
    assert session.chunk_size is not None
    # Pieces are stored one after the other.
    return _Begun(session, pieces * session.chunk_size, is_whole=pieces == session.chunk_count)


def _goes_on(answer: Answer, fetch: Fetch, start: int) -> bool:
    """Whether an answer is the rest of the very same content."""
    is_same = answer.size == fetch.size and _validator(answer) == fetch.validator
    return answer.status == 206 and answer.start == start and is_same


def _validator(answer: Answer) -> str | None:
    return validator_of(answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


async def _begin(work: _Work, answer: Answer) -> UploadSession:
    """A new session for what an answer carries from its first byte. Raises `TooLarge`, `RemoteUnavailable`."""
    fetch = work.fetch
    if fetch.session_id:
        await streams.discard_stream(work.context, work.fetching.shares, fetch.session_id)
    if answer.start != 0:
        # The content has changed: the next attempt asks for all of it.
        await _remember(work, None, None, None, None)
        raise RemoteUnavailable("the content has changed")
    if answer.size is not None and answer.size > fetch.max_size:
        raise TooLarge
    size = answer.size if answer.size and answer.size > PIECE else None
    name = fetch.file_name or name_of(answer.url, answer.headers.get("Content-Disposition"))
    new = NewUpload(
        name,
        size=size,
        chunk_size=_piece_size(size) if size else None,
        claims=(DigestClaim("sha-256", fetch.sha256),) if fetch.sha256 else (),
        owner=fetch.owner,
        mirrors=fetch.mirrors,
    )
    session = await sessions.start_upload(work.context, new)
    await _remember(work, session.id, answer.size, _validator(answer), name)
    return session


async def _remember(
    work: _Work, session_id: UUID | None, size: int | None, validator: str | None, name: str | None
) -> None:
    async with work.context.db.connection() as connection:
        if not await fetches.begin_content(connection, work.fetch.id, work.worker, session_id, size, validator, name):
            raise ClaimLost
        fetch = await fetches.get_fetch(connection, work.fetch.id)
    if fetch is None:
        raise ClaimLost
    work.fetch = fetch


def _piece_size(size: int) -> int:
    """The usual length of a piece, or more where there would be more pieces than an object can have parts."""
    return max(PIECE, -(-size // MAX_PARTS))


async def _put_pieces(work: _Work, session: UploadSession, blocks: AsyncIterator[bytes], start: int) -> None:
    assert session.chunk_size is not None
    assert session.chunk_count is not None
    cut = _Cut(work, blocks)
    for index in range(start // session.chunk_size, session.chunk_count):
        await chunks.put_part(work.context, session, index, cut.take(session.chunk_length(index)))


class _Cut:
    """A body, cut into pieces of given lengths."""

    def __init__(self, work: _Work, blocks: AsyncIterator[bytes]) -> None:
        self._work, self._blocks, self._rest = work, blocks, b""

    async def take(self, size: int) -> AsyncGenerator[bytes]:
        """The next `size` bytes; fewer when the body ends."""
        while size:
            block = self._rest or await anext(self._blocks, b"")
            if not block:
                return
            block, self._rest = block[:size], block[size:]
            size -= len(block)
            self._work.done += len(block)
            yield block


class _Whole:
    """A body as a source for one stream."""

    def __init__(self, work: _Work, blocks: AsyncIterator[bytes], length: int | None) -> None:
        self._work, self._blocks, self._left = work, blocks, length or 0

    def certain(self) -> int:
        return max(0, self._left)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._blocks:
            self._left -= len(block)
            self._work.done += len(block)
            yield block


async def _share(work: _Work, session: UploadSession) -> None:
    """Make the content a file and a share. Raises `DigestMismatch`."""
    context, fetch = work.context, work.fetch
    finished = await _finished(context, session)
    terms = fetch.share_terms
    shared = await work.fetching.shares.create(finished, terms.expiry, terms.form, password_hash=terms.password_hash)
    assert finished.file_id is not None
    async with context.db.connection() as connection:
        is_ours = await fetches.finish_fetch(
            connection,
            fetch.id,
            work.worker,
            file_id=finished.file_id,
            share_code=shared.code,
            size=finished.size or 0,
        )
    if not is_ours:
        # Canceled at the last moment; whoever canceled it may have looked before there was a file.
        await streams.discard_stream(context, work.fetching.shares, session.id)
        raise ClaimLost


async def _finished(context: Context, session: UploadSession) -> UploadSession:
    """The session once it is a proven file. Raises `DigestMismatch`."""
    if session.layout is Layout.STREAM:
        async with context.db.connection() as connection:
            stored = await parts.get_part(connection, session.id, 0)
        wanted = {claim.value for claim in session.digest_claims}
        if stored and wanted and stored.sha256 not in wanted:
            raise DigestMismatch
        return await streams.finish_stream(context, session)
    current = await sessions.complete_upload(context, session.id)
    while current.state is not SessionState.READY:
        current = await sessions.wait_verified(context, current, VERIFIED_WITHIN)
    return current


async def _fail(work: _Work, error: DomainError) -> None:
    """Record that it failed for good, and leave nothing of it."""
    async with work.context.db.connection() as connection:
        if not await fetches.fail_fetch(connection, work.fetch.id, work.worker, error.code, error.message):
            return
    _log.info("fetch failed", fetch=work.fetch.id.hex, error=error.code)
    if work.fetch.session_id:
        await streams.discard_stream(work.context, work.fetching.shares, work.fetch.session_id)
