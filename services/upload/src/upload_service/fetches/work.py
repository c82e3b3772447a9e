"""A claimed fetch, and the records that its worker may make while it has the claim."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common import logging
from common.claims import ClaimLost
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.ids import new_id
from upload_service.content.streams import discard_upload, discard_uploads
from upload_service.fetches import queries
from upload_service.fetches.context import Context
from upload_service.fetches.model import Fetch

LEASE = timedelta(seconds=10)

_log = logging.get(__name__)


@dataclass(slots=True)
class Work:
    """A fetch that one worker has claimed. The claim is lost to another worker or by a cancellation."""

    context: Context
    worker: UUID
    fetch: Fetch
    received: int = field(default=0)
    """Bytes of the content that are stored or on their way."""
    stored: int = field(default=0)
    """Bytes of the content that need not be fetched again."""

    async def renew(self) -> bool:
        """Keep the claim and record the progress; False when the claim was lost."""
        async with self.context.db.connection() as connection:
            return await queries.renew_claim(connection, self.fetch.id, self.worker, LEASE, self.received)

    async def drop(self) -> None:
        """End the claim, so that the next worker can come at once. Without a database it runs out by itself."""
        with suppress(Unavailable):
            async with self.context.db.connection() as connection:
                await queries.drop_claim(connection, self.fetch.id, self.worker)

    async def note_session(
        self,
        connection: Connection,
        session_id: UUID | None,
        size: int | None = None,
        validator: str | None = None,
        name: str | None = None,
    ) -> None:
        """Record the session that takes the content, and what the server says of the content. Raises `ClaimLost`."""
        fetch = await queries.set_session(connection, self.fetch.id, self.worker, session_id, size, validator, name)
        if fetch is None:
            raise ClaimLost
        self.fetch, self.received, self.stored = fetch, 0, 0

    async def discard(self) -> None:
        """Discard everything received so far, so that the next attempt starts over. Raises `ClaimLost`."""
        if self.fetch.session_id is None:
            return
        # A worker that has taken over continues with the same session.
        if not await self.renew():
            raise ClaimLost
        await discard_upload(self.context, self.fetch.session_id)
        async with self.context.db.connection() as connection:
            await self.note_session(connection, None)

    async def put_off(self, error: DomainError, failures: int, pause: timedelta) -> None:
        """End the claim, record why an attempt failed that is not the last, and when the next one is due."""
        most = max(self.stored, self.fetch.most_stored)
        async with self.context.db.connection() as connection:
            await queries.put_off(
                connection, self.fetch.id, self.worker, error.code, error.message, failures, most, pause
            )

    async def fail(self, error: DomainError) -> None:
        """Record that the fetch has failed for good, and leave nothing of it; nothing if the claim was lost."""
        async with self.context.db.connection() as connection:
            if not await queries.mark_failed(connection, self.fetch.id, self.worker, error.code, error.message):
                return
        _log.info("fetch failed", fetch=self.fetch.id.hex, error=error.code)
        await clear_away(self.context, self.fetch)


async def claim(context: Context, fetch_id: UUID) -> Work | None:
    """The fetch, claimed; None when another worker has it, it is settled, or too many are under way."""
    worker = new_id()
    async with context.db.transaction() as connection:
        if not await queries.lock_claims(connection, context.fetches_at_once):
            return None
        fetch = await queries.claim_fetch(
            connection,
            fetch_id,
            worker,
            LEASE,
            at_once=context.fetches_at_once,
            at_once_each=context.fetches_at_once_each,
        )
    return Work(context, worker, fetch, fetch.bytes_done) if fetch else None


async def clear_away(context: Context, fetch: Fetch) -> None:
    """Leave nothing of what a settled fetch had begun. What cannot be done now is left to the sweep."""
    if fetch.session_id is None:
        return
    try:
        await clear_all_away(context, [fetch])
    except Unavailable as error:
        _log.warning("a fetch is left to the sweep", fetch=fetch.id.hex, error=error.message)


async def clear_all_away(context: Context, settled: Sequence[Fetch]) -> None:
    """Leave nothing of what settled fetches had begun. Raises `Unavailable`."""
    await discard_uploads(context, [fetch.session_id for fetch in settled if fetch.session_id])
    async with context.db.connection() as connection:
        await queries.forget_sessions(connection, [fetch.id for fetch in settled])
