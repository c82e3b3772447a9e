"""Bringing a replica to where it should be: copied and proven, checked again, repaired, or removed.

One worker at a time holds a claim on the replica, renewed while bytes move and taken over when it dies. Every step can
be done again: a copy overwrites what an earlier one left at the replica's own path, and only what was read back and is
equal is ever called verified.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common import logging
from common.blob import ContentHasher, ObjectMissing, StoreUnavailable
from common.errors import DomainError, InvalidInput, Unavailable
from common.ids import new_id
from upload_service.drivers import Driver, MirrorDown, MirrorError, Place, ReplicaLost, ReplicaTooLarge
from upload_service.mirror_model import (
    FAILED_AFTER,
    FAILED_WAIT,
    FIRST_WAIT,
    Mirror,
    Replica,
    ReplicaState,
    break_after,
    wait_after,
)
from upload_service.model import Blob
from upload_service.operations.claims import ClaimLost, UnexpectedFailure, claim_kept
from upload_service.operations.context import Context
from upload_service.queries import blobs, mirrors, replicas
from upload_service.sealing import Unsealable

LEASE = timedelta(seconds=10)
# How often the progress of a copy is told.
TELL = timedelta(seconds=2)

_log = logging.get(__name__)


class ReplicaDamaged(DomainError):
    """What the mirror gives back is not what it was given."""

    code = "replica_damaged"


class SourceDamaged(DomainError):
    """The store does not have the content as it was verified."""

    code = "source_damaged"


@dataclass(slots=True)
class _Work:
    """A claimed replica, and all that is needed to work on it."""

    context: Context
    worker: UUID
    mirror: Mirror
    replica: Replica
    blob: Blob | None
    recheck: timedelta
    passed: int = field(default=0)
    """Bytes of the copy that have gone to the mirror."""

    async def renew(self) -> bool:
        async with self.context.db.connection() as connection:
            return await replicas.extend_replica(connection, self.replica, self.worker, LEASE, self.passed)


async def advance_replica(context: Context, replica_id: UUID, recheck: timedelta) -> None:
    """Do with a replica what is due, if anything is and nobody else is at it; then request what comes next.

    `recheck`: how long a verified replica is believed. A failure is recorded with the time of the next attempt.
    """
    work = await _claim(context, replica_id, recheck)
    if work is None:
        return
    try:
        async with claim_kept(work.renew, LEASE, TELL):
            await _do(work)
    except ClaimLost:
        await _drop(work)
    except (MirrorError, ReplicaDamaged, SourceDamaged, ObjectMissing, StoreUnavailable, Unsealable, InvalidInput) as e:
        await _fail(work, e)
    except Unavailable:
        # Not the mirror's fault, and nothing is lost: the claim runs out, and the sweep comes back.
        await _drop(work)
        raise
    except Exception:
        await _fail(work, UnexpectedFailure())
        raise
    except BaseException:
        await _drop(work)
        raise
    await _request_next(work)


async def _claim(context: Context, replica_id: UUID, recheck: timedelta) -> _Work | None:
    worker = new_id()
    async with context.db.transaction() as connection:
        mirror_id = await replicas.mirror_of(connection, replica_id)
        # Holding the mirror's row makes counting and claiming one step.
        mirror = await mirrors.get_mirror(connection, mirror_id, lock=True) if mirror_id is not None else None
        if mirror is None or not await mirrors.has_room(connection, mirror.id):
            return None
        replica = await replicas.claim_replica(connection, replica_id, worker, LEASE)
        if replica is None:
            return None
        blob = await blobs.get_blob(connection, replica.blob_id) if replica.blob_id else None
    return _Work(context, worker, mirror, replica, blob, recheck)


async def _do(work: _Work) -> None:
    driver = await work.context.drivers.of(work.mirror)
    if work.replica.state is ReplicaState.REMOVING or work.blob is None:
        await driver.delete(work.replica.place)
        await _settle(work, ReplicaState.REMOVED, None, timedelta(0))
    elif work.replica.state is ReplicaState.VERIFIED:
        await _check(work, driver, work.blob)
    else:
        await _copy(work, driver, work.blob)


async def _copy(work: _Work, driver: Driver, blob: Blob) -> None:
    place = work.replica.place
    if place.url is not None:
        # A mirror that names its own places was given the content by an attempt that died before it could prove it.
        try:
            await _prove(driver, place, blob)
        except (ReplicaLost, ReplicaDamaged):
            await driver.delete(place)
        else:
            await _verified(work, place)
            return
    url = await driver.write(place.path, _passing(work, blob), blob.size)
    place = Place(place.path, url)
    if url is not None:
        async with work.context.db.connection() as connection:
            if not await replicas.note_url(connection, work.replica, work.worker, url):
                await driver.delete(place)
                raise ClaimLost
    try:
        await _prove(driver, place, blob)
    except ReplicaDamaged:
        await _prove_source(work, blob)
        raise
    await _verified(work, place)


async def _passing(work: _Work, blob: Blob) -> AsyncIterator[bytes]:
    async for block in work.context.store.read(blob.object_key):
        yield block
        work.passed += len(block)


async def _prove(driver: Driver, place: Place, blob: Blob) -> None:
    """Read the replica back and compare. Raises `ReplicaLost`, `ReplicaDamaged`."""
    hasher = ContentHasher()
    async for block in driver.read(place):
        hasher.update(block)
        if hasher.size > blob.size:
            raise ReplicaDamaged
    if hasher.size != blob.size or hasher.sha256 != blob.sha256:
        raise ReplicaDamaged


async def _prove_source(work: _Work, blob: Blob) -> None:
    """Make sure that it is not the store that gives something else. Raises `SourceDamaged`."""
    hasher = ContentHasher()
    async for block in work.context.store.read(blob.object_key):
        hasher.update(block)
    if hasher.sha256 != blob.sha256:
        raise SourceDamaged


async def _check(work: _Work, driver: Driver, blob: Blob) -> None:
    """Read a verified replica back; one that is lost or damaged is copied anew."""
    try:
        await _prove(driver, work.replica.place, blob)
    except (ReplicaLost, ReplicaDamaged) as error:
        _log.warning("a replica is copied anew", replica=work.replica.id.hex, mirror=work.mirror.id, error=error.code)
        async with work.context.db.connection() as connection:
            await replicas.requeue_replica(connection, work.replica, work.worker, error.code)
    else:
        await _verified(work, work.replica.place)


async def _verified(work: _Work, place: Place) -> None:
    await _settle(work, ReplicaState.VERIFIED, place.url, work.recheck)


async def _settle(work: _Work, state: ReplicaState, url: str | None, due_in: timedelta) -> None:
    async with work.context.db.transaction() as connection:
        if not await replicas.settle_replica(connection, work.replica, work.worker, state, url, due_in):
            raise ClaimLost
        await mirrors.note_success(connection, work.mirror.id)


async def _fail(work: _Work, error: DomainError) -> None:
    """Record a failure, and leave the mirror alone for a while if it is the mirror that fails, time after time."""
    replica = work.replica
    # A mirror that is down, or a store, says nothing of this replica; whether it counts as failed is not up to that.
    is_patient = isinstance(error, (MirrorDown, StoreUnavailable))
    attempts = replica.attempts if is_patient else replica.attempts + 1
    state, due_in = replica.state, FIRST_WAIT if is_patient else wait_after(attempts)
    if state is ReplicaState.COPYING:
        state = ReplicaState.QUEUED
        if attempts >= FAILED_AFTER or isinstance(error, ReplicaTooLarge):
            state, due_in = ReplicaState.FAILED, FAILED_WAIT
    _log.warning("replica failed", replica=replica.id.hex, mirror=work.mirror.id, error=error.code, attempts=attempts)
    async with work.context.db.transaction() as connection:
        await replicas.fail_replica(
            connection, replica, work.worker, state=state, attempts=attempts, error=error.code, due_in=due_in
        )
        if isinstance(error, MirrorError) and not isinstance(error, (ReplicaLost, ReplicaTooLarge)):
            failures = await mirrors.note_failure(connection, work.mirror.id)
            if (wait := break_after(failures)) is not None:
                await mirrors.open_breaker(connection, work.mirror.id, wait)


async def _drop(work: _Work) -> None:
    async with work.context.db.connection() as connection:
        await replicas.drop_claim(connection, work.replica.id, work.worker)


async def _request_next(work: _Work) -> None:
    async with work.context.db.connection() as connection:
        due = await replicas.due_replicas(connection, work.mirror.id)
    for replica_id in due:
        await work.context.queue.replicate(replica_id)
