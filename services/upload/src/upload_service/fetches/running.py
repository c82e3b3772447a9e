"""Fetching a URL: the content fills an upload session, is proven like any other, and is shared.

A connection that breaks off, or a worker that dies, costs the piece that was under way (see `fetch_content`). What
fails because of this system's own parts is put off until they answer; what fails because of the other side is tried a
few times, unless the other side has said that it is in vain.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from common import clock, logging
from common.claims import ClaimLost, UnexpectedFailure, claim_kept
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.outbound.client import RemoteRefused, RemoteUnavailable
from upload_service.content import sessions, streams
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.queries import files, parts
from upload_service.content.reservation import PartBusy
from upload_service.content.sessions import ChunksMissing, DigestMismatch, SessionNotFound
from upload_service.content.sharing import share_upload
from upload_service.fetches import queries as fetches
from upload_service.fetches.context import Context
from upload_service.fetches.model import OPEN, OTHER_CONTENT, TEMPORARY, Fetch, FetchState
from upload_service.fetches.receiving import FileDeleted, fetch_content
from upload_service.fetches.work import LEASE, Fetching, Work, claim_fetch, clear_away

# How often the progress is told, and a cancellation noticed.
TELL = timedelta(seconds=1)
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


async def run_fetch(fetching: Fetching, fetch_id: UUID) -> None:
    """Fetch, unless somebody else is at it or it is settled. What fails for good is recorded, and leaves nothing.

    What cannot go on for now is left to the sweep, and goes on where it was.
    """
    work = await claim_fetch(fetching, fetch_id)
    if work is None:
        return
    try:
        async with claim_kept(work.renew, LEASE, TELL), _in_time(work.fetch):
            session = await _finished(work.context, await _all_attempts(work))
        # This takes no longer than the claim lasts, and is not broken off: it puts right what it comes too late for.
        await _share(work, session)
    except ClaimLost:
        return
    except (Unavailable, PartBusy, ChunksMissing, SessionNotFound) as error:
        # Neither the other side's fault nor the caller's.
        _log.warning("fetch put off", fetch=fetch_id.hex, error=error.code)
        await work.give_up()
        return
    except DomainError as error:
        await _fail(work, error)
    except Exception:
        await _fail(work, UnexpectedFailure())
        raise
    except BaseException:
        await work.give_up()
        raise
    await _request_next(work.context)


@asynccontextmanager
async def _in_time(fetch: Fetch) -> AsyncGenerator[None]:
    """Raise `FetchTooSlow` in the block when the fetch's time is over."""
    scope = asyncio.timeout(max(0, (fetch.ends_at - clock.now()).total_seconds()))
    try:
        async with scope:
            yield
    except TimeoutError:
        if scope.expired():
            raise FetchTooSlow from None
        raise


async def _all_attempts(work: Work) -> UploadSession:
    """The session with all of the content. Raises `FetchFailed`, and what is in vain to try again."""
    failures, most = 0, 0
    while True:
        try:
            return await fetch_content(work)
        except (RemoteUnavailable, RemoteRefused) as error:
            if isinstance(error, RemoteRefused) and not _may_change(error):
                raise
            failures = 1 if work.stored > most else failures + 1
            most = max(most, work.stored)
            if failures >= ATTEMPTS:
                raise FetchFailed(error) from None
            await work.note(error)
            if isinstance(error, RemoteRefused) and error.status in OTHER_CONTENT:
                await work.forget()
        await asyncio.sleep(FIRST_WAIT_SECONDS * 2 ** (failures - 1))


def _may_change(error: RemoteRefused) -> bool:
    return error.status >= 500 or error.status in TEMPORARY


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


async def _share(work: Work, session: UploadSession) -> None:
    """Make the file a share, and the fetch done. Raises `FileDeleted`, `ClaimLost`."""
    file_id, terms = session.file_id, work.fetch.share_terms
    if file_id is None:
        raise FileDeleted
    shared = await share_upload(work.context, session, terms.expiry, terms.form, password_hash=terms.password_hash)
    async with work.context.db.transaction() as connection:
        is_there = await _held(connection, file_id)
        if is_there and await fetches.finish_fetch(
            connection,
            work.fetch.id,
            work.worker,
            file_id=file_id,
            share_code=shared.code,
            size=session.size or 0,
        ):
            return
        now = await fetches.get_fetch(connection, work.fetch.id)
    if is_there and now and (now.state in OPEN or now.state is FetchState.DONE):
        # Another worker has it, the same session, and the same share.
        raise ClaimLost
    # Whoever canceled it, or deleted the file, may have ended the file's shares before there was this one.
    await streams.discard_upload(work.context, session.id)
    await work.fetching.shares.end([file_id])
    raise FileDeleted if not is_there else ClaimLost


async def _held(connection: Connection, file_id: UUID) -> bool:
    """Whether a file is there; who deletes it now does so after this transaction, and finds the share."""
    await files.lock_file(connection, file_id)
    return await files.get_file(connection, file_id) is not None


async def _fail(work: Work, error: DomainError) -> None:
    """Record that it failed for good, and leave nothing of it."""
    if not await work.fail(error):
        return
    _log.info("fetch failed", fetch=work.fetch.id.hex, error=error.code)
    await clear_away(work.context, work.fetching.shares, work.fetch)


async def _request_next(context: Context) -> None:
    async with context.db.connection() as connection:
        waiting = await fetches.waiting_fetches(connection, NEXT)
    for fetch_id in waiting:
        await context.queue.fetch(fetch_id)
