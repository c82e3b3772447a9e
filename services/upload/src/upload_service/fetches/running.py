"""Running a fetch: the content fills an upload session, is verified like any other, and is shared.

A worker that dies costs the part that was under way; a connection that breaks off usually costs nothing (see
`resuming`). Failures of this system's own services put the fetch off until they answer. Failures of the remote server
are retried a few times, unless its answer shows that this is useless. Meanwhile the fetch has no worker: its row says
when the next attempt is due, and others have its place.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from common import clock, logging
from common.backoff import backoff
from common.claims import ClaimLost, UnexpectedFailure, claim_kept
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.outbound.client import RemoteRefused, RemoteUnavailable
from common.statistics import FETCH, asked_in
from common.statuses import is_temporary
from common.store import PartBusy
from upload_service.content import completing, streams
from upload_service.content.completing import DigestMismatch, PartsMissing
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.queries import files, parts
from upload_service.content.sessions import SessionNotFound
from upload_service.content.sharing import share_upload
from upload_service.fetches import queries
from upload_service.fetches.context import Context
from upload_service.fetches.model import OPEN, OTHER_CONTENT, Fetch, FetchState
from upload_service.fetches.receiving import FileDeleted, receive_content
from upload_service.fetches.resuming import ContentChanged
from upload_service.fetches.work import LEASE, Work, claim

PROGRESS_EVERY = timedelta(seconds=1)
"""How often the progress is recorded, and a cancellation noticed."""
ATTEMPTS = 5
"""A fetch fails after this many attempts in a row after which no more is stored than before."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(seconds=8)
NEXT = 4
"""The number of waiting fetches that are requested when one is over."""
VERIFIED_WITHIN = timedelta(seconds=20)

_log = logging.get(__name__)


class FetchTooSlow(DomainError):
    """The fetch was not done in the time that it may take."""

    code = "fetch_too_slow"


class FetchFailed(DomainError):
    """The remote server did not send the content in any of several attempts."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message)
        self.code = error.code


async def run_fetch(context: Context, fetch_id: UUID) -> None:
    """Fetch, unless another worker does or the fetch is settled. A final failure is recorded and leaves nothing.

    A fetch that cannot go on for now is left to the sweep and continues where it was.
    """
    work = await claim(context, fetch_id)
    if work is None:
        return
    try:
        with asked_in(FETCH):
            async with claim_kept(work.renew, LEASE, PROGRESS_EVERY), _in_time(work.fetch):
                session = await _verified(context, await receive_content(work))
            # This takes no longer than the claim lasts. It must not be broken off: if it is too late, it undoes its
            # share.
            await _share(work, session)
    except ClaimLost:
        return
    except (RemoteUnavailable, RemoteRefused) as error:
        await _try_again(work, error)
    except (Unavailable, PartBusy, PartsMissing, SessionNotFound) as error:
        # Neither the remote server nor the owner is to blame.
        _log.warning("fetch put off", fetch=fetch_id.hex, error=error.code)
        await work.drop()
        return
    except DomainError as error:
        await work.fail(error)
    except Exception:
        await work.fail(UnexpectedFailure())
        raise
    except BaseException:
        await work.drop()
        raise
    await _request_next(context)


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


async def _try_again(work: Work, error: RemoteUnavailable | RemoteRefused) -> None:
    """Let the next attempt be due when it makes sense, or record the failure if none does."""
    try:
        if isinstance(error, ContentChanged) or (isinstance(error, RemoteRefused) and error.status in OTHER_CONTENT):
            await work.discard()
        elif isinstance(error, RemoteRefused) and not is_temporary(error.status):
            await work.fail(error)
            return
        failures = 1 if work.stored > work.fetch.most_stored else work.fetch.failures + 1
        pause = backoff(failures, FIRST_WAIT, LONGEST_WAIT)
        if isinstance(error, RemoteRefused) and error.retry_after:
            pause = max(pause, error.retry_after)
        if failures >= ATTEMPTS or clock.now() + pause >= work.fetch.ends_at:
            await work.fail(FetchFailed(error))
        else:
            await work.put_off(error, failures, pause)
    except ClaimLost:
        pass
    except Unavailable:
        await work.drop()


async def _verified(context: Context, session: UploadSession) -> UploadSession:
    """The session once its content is verified and is a file. Raises `DigestMismatch`."""
    if session.layout is Layout.STREAM:
        async with context.db.connection() as connection:
            stored = await parts.get_part(connection, session.id, 0)
        wanted = {claim.value for claim in session.digest_claims}
        if stored and wanted and stored.sha256 not in wanted:
            raise DigestMismatch
        return await streams.finish_stream(context, session)
    current = await completing.complete_upload(context, session.id)
    while current.state is not SessionState.READY:
        current = await completing.wait_verified(context, current, VERIFIED_WITHIN)
    return current


async def _share(work: Work, session: UploadSession) -> None:
    """Share the file, and record the fetch as done. Raises `FileDeleted`, `ClaimLost`."""
    context, file_id, terms = work.context, session.file_id, work.fetch.share_terms
    if file_id is None:
        raise FileDeleted
    shared = await share_upload(context, session, terms.expiry, terms.kind, password_hash=terms.password_hash)
    async with context.db.transaction() as connection:
        is_there = await _locked(connection, file_id)
        if is_there and await queries.mark_done(
            connection,
            work.fetch.id,
            work.worker,
            file_id=file_id,
            share_code=shared.code,
            size=session.size or 0,
        ):
            return
        now = await queries.get_fetch(connection, work.fetch.id)
    if is_there and now and (now.state in OPEN or now.state is FetchState.DONE):
        # Another worker has it, with the same session and the same share.
        raise ClaimLost
    # A cancellation or a deletion may have ended the file's shares before this one was made.
    await streams.discard_upload(context, session.id)
    await context.shares.end([file_id])
    raise FileDeleted if not is_there else ClaimLost


async def _locked(connection: Connection, file_id: UUID) -> bool:
    """Whether a file is there. From now on it is deleted only after this transaction, and then with its share."""
    await files.lock_file(connection, file_id)
    return await files.get_file(connection, file_id) is not None


async def _request_next(context: Context) -> None:
    async with context.db.connection() as connection:
        waiting = await queries.waiting_fetches(connection, NEXT)
    for fetch_id in waiting:
        await context.queue.fetch(fetch_id)
