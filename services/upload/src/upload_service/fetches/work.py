"""A claimed fetch, and what its worker may say of it while the claim holds."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common import logging
from common.claims import ClaimLost
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.ids import new_id
from common.outbound.client import Outbound
from upload_service.content.streams import discard_upload
from upload_service.fetches import queries as fetches
from upload_service.fetches.context import Context
from upload_service.fetches.model import Fetch
from upload_service.shares import Shares

LEASE = timedelta(seconds=10)

_log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Fetching:
    """What fetches are made with. `at_once`: how many are under way at a time, in all and of one account."""

    context: Context
    shares: Shares
    outbound: Outbound
    at_once: int
    at_once_each: int


@dataclass(slots=True)
class Work:
    """A claimed fetch. What it says raises `ClaimLost` once the fetch is another's, canceled or gone."""

    fetching: Fetching
    worker: UUID
    fetch: Fetch
    done: int = field(default=0)
    """Bytes of the content that are stored or on their way."""
    stored: int = field(default=0)
    """Bytes of the content that need not be fetched again."""

    @property
    def context(self) -> Context:
        return self.fetching.context

    async def renew(self) -> bool:
        """Keep the claim and tell the progress; False when it was lost."""
        async with self.context.db.connection() as connection:
            return await fetches.extend_fetch(connection, self.fetch.id, self.worker, LEASE, self.done)

    async def begin(
        self,
        connection: Connection,
        session_id: UUID | None,
        size: int | None = None,
        validator: str | None = None,
        name: str | None = None,
    ) -> None:
        """Remember where the content goes, and what the other side says of it."""
        fetch = await fetches.begin_content(connection, self.fetch.id, self.worker, session_id, size, validator, name)
        if fetch is None:
            raise ClaimLost
        self.fetch, self.done, self.stored = fetch, 0, 0

    async def forget(self) -> None:
        """Leave nothing of what was begun: the next attempt begins anew."""
        if self.fetch.session_id is None:
            return
        # Whoever took the fetch over goes on with the same session.
        if not await self.renew():
            raise ClaimLost
        await discard_upload(self.context, self.fetch.session_id)
        async with self.context.db.connection() as connection:
            await self.begin(connection, None)

    async def note(self, error: DomainError) -> None:
        """Say why an attempt failed, while others are to come."""
        async with self.context.db.connection() as connection:
            await fetches.note_error(connection, self.fetch.id, self.worker, error.code, error.message)

    async def fail(self, error: DomainError) -> bool:
        """Say that it failed for good; False when the claim was lost."""
        async with self.context.db.connection() as connection:
            return await fetches.fail_fetch(connection, self.fetch.id, self.worker, error.code, error.message)

    async def give_up(self) -> None:
        """Let the next worker come at once; without a database the claim runs out by itself."""
        with suppress(Unavailable):
            async with self.context.db.connection() as connection:
                await fetches.drop_claim(connection, self.fetch.id, self.worker)


async def claim_fetch(fetching: Fetching, fetch_id: UUID) -> Work | None:
    """The fetch, to be worked on; None when somebody is at it, it is settled, or too many are under way."""
    worker = new_id()
    async with fetching.context.db.transaction() as connection:
        await fetches.hold_counts(connection)
        fetch = await fetches.claim_fetch(
            connection, fetch_id, worker, LEASE, at_once=fetching.at_once, at_once_each=fetching.at_once_each
        )
    return Work(fetching, worker, fetch, fetch.bytes_done) if fetch else None


async def clear_away(context: Context, shares: Shares, fetch: Fetch) -> None:
    """Leave nothing of what a settled fetch had begun; what cannot be done now, the sweep does."""
    if fetch.session_id is None:
        return
    try:
        await discard_upload(context, fetch.session_id)
        async with context.db.connection() as connection:
            await fetches.forget_session(connection, fetch.id)
    except Unavailable as error:
        _log.warning("a fetch is left to the sweep", fetch=fetch.id.hex, error=error.message)
