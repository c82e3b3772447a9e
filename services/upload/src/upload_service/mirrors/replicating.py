"""Bringing a replica to where it should be: copied and proven, checked again, repaired, or removed.

One worker at a time holds a claim on the replica, renewed while bytes move and taken over when it dies. Every step can
be done again: a copy overwrites what an earlier one left at the replica's own path, and only what was read back and is
equal is ever called verified.

A mirror that names its own places (the kind `http`) is known to have the content once it has answered with the URL. A
worker that dies, or is broken off, between that answer and its record, leaves something there that nobody knows; the
`Idempotency-Key` of the next attempt lets such a mirror find it again.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common import logging
from common.claims import ClaimLost, UnexpectedFailure, claim_kept
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.ids import new_id
from common.store import ContentHasher, ObjectMissing, StoreUnavailable
from common.store.s3 import StoreRefused
from upload_service.content.model import Blob
from upload_service.content.queries import blobs
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    OptionsInvalid,
    Place,
    ReplicaLost,
    ReplicaTooLarge,
)
from upload_service.mirrors.model import (
    BREAKER_FAILURES,
    FAILED_AFTER,
    Mirror,
    Replica,
    ReplicaState,
    break_after,
    wait_after,
)
from upload_service.mirrors.queries import mirrors, replicas
from upload_service.mirrors.sealing import Unsealable

LEASE = timedelta(seconds=10)
# How often the progress of a copy is told.
TELL = timedelta(seconds=2)
# What is wrong with one replica, and says nothing of its mirror.
_BLAMELESS = (ReplicaLost, ReplicaTooLarge)
# What says nothing of a replica, however often.
_MIRRORS_OWN = (MirrorDown, MirrorFull)
# After so many failures, what cannot be read back counts as lost on a mirror that is well otherwise.
LOST_AFTER = 3
# How many replicas are requested when one is done: in its place, and where a place was left empty.
NEXT = 2

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
    except (MirrorError, OptionsInvalid, Unsealable) as error:
        await _fail(work, error, blames_mirror=not isinstance(error, _BLAMELESS))
    except (ReplicaDamaged, SourceDamaged, StoreRefused, StoreUnavailable) as error:
        await _fail(work, error)
    except Unavailable:
        # Nobody's fault, and nothing is lost: the claim runs out, and the sweep comes back.
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
        # Counting and claiming are one step.
        mirror = await mirrors.lock_claims(connection, mirror_id) if mirror_id is not None else None
        if mirror is None or not await mirrors.has_room(connection, mirror.id):
            return None
        replica = await replicas.claim_replica(connection, replica_id, worker, LEASE)
        if replica is None:
            return None
        blob = await blobs.get_blob(connection, replica.blob_id) if replica.blob_id else None
    return _Work(context, worker, mirror, replica, blob, recheck)


async def _do(work: _Work) -> None:
    async with work.context.drivers.of(work.mirror) as driver:
        if work.replica.state is ReplicaState.REMOVING or work.blob is None:
            await driver.delete(work.replica.place)
            await _removed(work)
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
        except (ReplicaLost, ReplicaDamaged, MirrorRefused, MirrorDown) as error:
            if isinstance(error, MirrorDown) and work.replica.attempts < LOST_AFTER:
                raise
            with suppress(MirrorRefused):
                await driver.delete(place)
        else:
            await _verified(work, place)
            return
    url = await driver.write(place.path, _passing(work, blob), blob.size)
    if url is not None:
        async with work.context.db.connection() as connection:
            # What is there may be what another worker has proven meanwhile: it is not ours to remove.
            if not await replicas.note_url(connection, work.replica, work.worker, url):
                raise ClaimLost
    place = Place(place.path, url)
    await _prove(driver, place, blob)
    await _verified(work, place)


async def _passing(work: _Work, blob: Blob) -> AsyncIterator[bytes]:
    """The blob from the store. Raises `SourceDamaged` at its end, so that no driver takes it, unless it is whole."""
    hasher = ContentHasher()
    try:
        async for block in work.context.store.read(blob.object_key):
            hasher.update(block)
            if hasher.size > blob.size:
                raise SourceDamaged
            yield block
            work.passed = hasher.size
    except ObjectMissing:
        raise SourceDamaged from None
    if not hasher.is_of(blob.size, blob.sha256):
        raise SourceDamaged


async def _prove(driver: Driver, place: Place, blob: Blob) -> None:
    """Read the replica back and compare. Raises `ReplicaLost`, `ReplicaDamaged`."""
    hasher = ContentHasher()
    async for block in driver.read(place):
        hasher.update(block)
        if hasher.size > blob.size:
            break
    if not hasher.is_of(blob.size, blob.sha256):
        raise ReplicaDamaged


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
    async with work.context.db.transaction() as connection:
        await _note_success(connection, work)
        if not await replicas.verify_replica(connection, work.replica, work.worker, place.url, work.recheck):
            raise ClaimLost


async def _removed(work: _Work) -> None:
    async with work.context.db.transaction() as connection:
        await _note_success(connection, work)
        if not await replicas.remove_replica(connection, work.replica, work.worker):
            raise ClaimLost


async def _note_success(connection: Connection, work: _Work) -> None:
    """Close the mirror's breaker; what it has failed before is due at once.

    The mirror's row comes before the replica's, as everywhere.
    """
    await mirrors.note_success(connection, work.mirror.id)
    if work.mirror.failures >= BREAKER_FAILURES:
        await replicas.wake_replicas(connection, work.mirror.id)


async def _fail(work: _Work, error: DomainError, *, blames_mirror: bool = False) -> None:
    """Record a failure, and leave the mirror alone for a while if it is the mirror that fails, time after time."""
    replica = work.replica
    if isinstance(error, StoreUnavailable) and not work.passed:
        # It says nothing of this replica.
        attempts, due_in = replica.attempts, wait_after(1)
    else:
        attempts = FAILED_AFTER if isinstance(error, ReplicaTooLarge) else replica.attempts + 1
        if isinstance(error, _MIRRORS_OWN):
            attempts = min(attempts, FAILED_AFTER - 1)
        due_in = wait_after(attempts)
    state = _state_after(work, error, attempts)
    _log.warning("replica failed", replica=replica.id.hex, mirror=work.mirror.id, error=error.code, attempts=attempts)
    async with work.context.db.transaction() as connection:
        if blames_mirror:
            failures = await mirrors.note_failure(connection, work.mirror.id)
            if (wait := break_after(failures)) is not None:
                await mirrors.open_breaker(connection, work.mirror.id, wait)
        if not await replicas.fail_replica(
            connection, replica, work.worker, state=state, attempts=attempts, error=error.code, due_in=due_in
        ):
            await replicas.drop_claim(connection, replica.id, work.worker)


def _state_after(work: _Work, error: DomainError, attempts: int) -> ReplicaState:
    """What a replica is after so many failures in a row, of which `error` is the last."""
    state = work.replica.state
    if state is ReplicaState.COPYING:
        return ReplicaState.FAILED if attempts >= FAILED_AFTER else ReplicaState.QUEUED
    # Some stores refuse what they do not have. One that refuses us altogether fails its probes, too.
    is_lost = isinstance(error, MirrorRefused) and attempts >= LOST_AFTER and not work.mirror.probe_error
    return ReplicaState.QUEUED if state is ReplicaState.VERIFIED and is_lost else state


async def _drop(work: _Work) -> None:
    async with work.context.db.connection() as connection:
        await replicas.drop_claim(connection, work.replica.id, work.worker)


async def _request_next(work: _Work) -> None:
    async with work.context.db.connection() as connection:
        due = await replicas.due_replicas(connection, work.mirror.id)
    for replica_id in due[:NEXT]:
        await work.context.queue.replicate(replica_id)
