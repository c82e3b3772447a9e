"""A claimed replica, and the outcomes that its worker may record while it has the claim."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common import logging
from common.claims import ClaimLost
from common.db import Connection
from common.errors import DomainError
from common.ids import new_id
from upload_service.content.model import Blob
from upload_service.content.queries import blobs
from upload_service.mirrors import renewing
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import Place
from upload_service.mirrors.failures import after_failure, pause_asked
from upload_service.mirrors.model import BREAKER_FAILURES, Mirror, Replica, break_after
from upload_service.mirrors.queries import claimed, health, mirrors

LEASE = timedelta(seconds=10)

_log = logging.get(__name__)


@dataclass(slots=True)
class Work:
    """A replica that one worker has claimed. Recording success raises `ClaimLost` once the claim is gone.

    Every transaction locks the mirror's row before the replica's, as everywhere.
    """

    context: Context
    worker: UUID
    mirror: Mirror
    replica: Replica
    blob: Blob | None
    """None when the replica has ended and is to be removed."""
    bytes_done: int = field(default=0)
    """Bytes of the copy that have gone to the mirror."""

    async def renew(self) -> bool:
        """Keep the claim and record the progress; False when the claim was lost."""
        async with self.context.db.connection() as connection:
            return await claimed.renew_claim(connection, self.replica, self.worker, LEASE, self.bytes_done)

    async def drop(self) -> None:
        """End the claim without an outcome."""
        async with self.context.db.connection() as connection:
            await claimed.drop_claim(connection, self.replica.id, self.worker)

    async def note_url(self, url: str) -> None:
        """Record the URL that the mirror gave. If the claim is lost, another worker may have proven what is there."""
        async with self.context.db.connection() as connection:
            if not await claimed.set_url(connection, self.replica, self.worker, url):
                raise ClaimLost

    async def verified(self, place: Place) -> None:
        """Record that the replica is at `place` and equal. It is checked again when it is no longer trusted."""
        due_in = self.context.replica_recheck
        async with self.context.db.transaction() as connection:
            await self._mirror_succeeded(connection)
            if not await claimed.mark_verified(connection, self.replica, self.worker, place.url, due_in):
                raise ClaimLost

    async def damaged(self, error: DomainError) -> None:
        """Record that a verified replica is lost or damaged, so that it is copied again."""
        _log.warning("replica is copied again", replica=self.replica.id.hex, mirror=self.mirror.id, error=error.code)
        async with self.context.db.connection() as connection:
            await claimed.mark_damaged(connection, self.replica, self.worker, error.code)

    async def removed(self) -> None:
        """Record that nothing is there any longer."""
        async with self.context.db.transaction() as connection:
            await self._mirror_succeeded(connection)
            if not await claimed.mark_removed(connection, self.replica, self.worker):
                raise ClaimLost

    async def failed(self, error: DomainError, *, blames_mirror: bool = False) -> None:
        """Record a failure. If the mirror is to blame time after time, or asks for a pause, its breaker opens."""
        state, attempts, due_in = after_failure(self.replica, self.mirror, error, has_begun=self.bytes_done > 0)
        _log.warning(
            "replica failed",
            replica=self.replica.id.hex,
            mirror=self.mirror.id,
            error=error.code,
            attempts=attempts,
        )
        async with self.context.db.transaction() as connection:
            if blames_mirror:
                failures = await health.note_failure(connection, self.mirror.id)
                waits = [wait for wait in (break_after(failures), pause_asked(error)) if wait is not None]
                if failures and waits:
                    await health.open_breaker(connection, self.mirror.id, max(waits))
            is_ours = await claimed.mark_failed(
                connection, self.replica, self.worker, state=state, attempts=attempts, error=error.code, due_in=due_in
            )
            if not is_ours:
                await claimed.drop_claim(connection, self.replica.id, self.worker)

    async def _mirror_succeeded(self, connection: Connection) -> None:
        """Close the mirror's breaker; if it was open, everything that failed there is due at once."""
        await health.note_success(connection, self.mirror.id)
        if self.mirror.failures >= BREAKER_FAILURES:
            await renewing.try_failed_again(connection, self.mirror.id)


async def claim(context: Context, replica_id: UUID) -> Work | None:
    """The replica, claimed; None when nothing is due, another worker has it, or its mirror has no room.

    Of a removed mirror nothing is due but removals, and of a forgotten one nothing at all.
    """
    worker = new_id()
    async with context.db.transaction() as connection:
        mirror_id = await claimed.mirror_of(connection, replica_id)
        # The lock makes counting and claiming one step.
        mirror = await mirrors.lock_claims(connection, mirror_id) if mirror_id is not None else None
        if mirror is None or mirror.is_forgotten or not await health.has_room(connection, mirror.id):
            return None
        is_removed = mirror.removed_at is not None
        replica = await claimed.claim_replica(connection, replica_id, worker, LEASE, only_ended=is_removed)
        if replica is None:
            return None
        blob = await blobs.get_blob(connection, replica.blob_id) if replica.blob_id else None
    return Work(context, worker, mirror, replica, blob)
