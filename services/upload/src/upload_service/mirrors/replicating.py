"""The work on a replica: it is copied and proven, rechecked, repaired, and in the end removed.

One worker at a time has a claim on the replica; it renews the claim while bytes move, and another worker takes over
when it dies. Every step can be repeated: a copy overwrites what an earlier one left at the replica's own path, and a
replica counts as verified only after it was read back and found equal.

A mirror that names its own places (the kind `http`) certainly has the content once it has answered with the URL. If the
worker dies or is broken off between that answer and its record, something unknown remains there; the `Idempotency-Key`
of the next attempt lets such a mirror find it again.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from common import tracing
from common.claims import ClaimLost, UnexpectedFailure, claim_kept
from common.errors import Unavailable
from common.store import ContentHasher, ObjectMissing, StoreRefused, StoreUnavailable
from upload_service.content.model import Blob
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorRefused,
    OptionsInvalid,
    Place,
    ReplicaBrokenOff,
    ReplicaLost,
)
from upload_service.mirrors.failures import ABOUT_THE_REPLICA, LOST_AFTER, ReplicaDamaged, SourceDamaged
from upload_service.mirrors.model import Mirror, ReplicaState
from upload_service.mirrors.queries import claimed
from upload_service.mirrors.sealing import Unsealable
from upload_service.mirrors.work import LEASE, Work, claim

PROGRESS_EVERY = timedelta(seconds=2)
"""How often the progress of a copy is recorded."""
NEXT = 2
"""Replicas that are requested when one is done: one in its place, and one for a place that was left empty."""


async def advance_replica(context: Context, replica_id: UUID) -> None:
    """Do what is due with a replica, unless another worker has it; then request what is due next on its mirror.

    A failure is recorded with the time of the next attempt.
    """
    work = await claim(context, replica_id)
    if work is None:
        return
    try:
        async with claim_kept(work.renew, LEASE, PROGRESS_EVERY), context.drivers.of(work.mirror) as driver:
            if work.replica.state is ReplicaState.REMOVING or work.blob is None:
                await _remove(work, driver)
            elif work.replica.state is ReplicaState.VERIFIED:
                await _recheck(work, driver, work.blob)
            else:
                await _copy(work, driver, work.blob)
    except ClaimLost:
        await work.drop()
    except (MirrorError, OptionsInvalid, Unsealable) as error:
        await work.failed(error, blames_mirror=not isinstance(error, ABOUT_THE_REPLICA))
    except (ReplicaDamaged, SourceDamaged, StoreRefused, StoreUnavailable) as error:
        await work.failed(error)
    except Unavailable:
        # Nobody is to blame and nothing is lost: if the claim cannot be dropped it runs out, and the sweep returns.
        await work.drop()
        raise
    except Exception:
        await work.failed(UnexpectedFailure())
        raise
    except BaseException:
        await work.drop()
        raise
    await _request_next(context, work.mirror)


async def _copy(work: Work, driver: Driver, blob: Blob) -> None:
    place = work.replica.place
    if place.url is not None and await _was_copied(work, driver, blob):
        await work.verified(place)
        return
    with _step("write", work):
        url = await driver.write(place.path, _content(work, blob), blob.size)
    if url is not None:
        await work.note_url(url)
    place = Place(place.path, url)
    await _prove(work, driver, place, blob)
    await work.verified(place)


async def _was_copied(work: Work, driver: Driver, blob: Blob) -> bool:
    """Whether the URL recorded by an attempt that died before its proof holds the content; if not, it is deleted."""
    place = work.replica.place
    try:
        await _prove(work, driver, place, blob)
    except (ReplicaLost, ReplicaDamaged, MirrorRefused, MirrorDown) as error:
        if isinstance(error, MirrorDown) and work.replica.attempts < LOST_AFTER:
            raise
        with suppress(MirrorRefused):
            await driver.delete(place)
        return False
    return True


async def _content(work: Work, blob: Blob) -> AsyncIterator[bytes]:
    """The blob from the store. Raises `SourceDamaged` at its end unless it is whole, so that no driver keeps it."""
    hasher = ContentHasher()
    try:
        async for block in work.context.store.read(blob.object_key):
            hasher.update(block)
            if hasher.size > blob.size:
                raise SourceDamaged
            yield block
            work.bytes_done = hasher.size
    except ObjectMissing:
        raise SourceDamaged from None
    if not hasher.is_of(blob.size, blob.sha256):
        raise SourceDamaged


async def _prove(work: Work, driver: Driver, place: Place, blob: Blob) -> None:
    """Read the replica back and compare. Raises `ReplicaLost`, `ReplicaDamaged`, `ReplicaBrokenOff`."""
    hasher = ContentHasher()
    try:
        with _step("read", work):
            async for block in driver.read(place):
                hasher.update(block)
                if hasher.size > blob.size:
                    break
    except MirrorDown:
        if hasher.size:
            raise ReplicaBrokenOff from None
        raise
    if not hasher.is_of(blob.size, blob.sha256):
        raise ReplicaDamaged


async def _recheck(work: Work, driver: Driver, blob: Blob) -> None:
    """Prove a verified replica once more. To repair one that is lost or damaged, it is queued to be copied again."""
    try:
        await _prove(work, driver, work.replica.place, blob)
    except (ReplicaLost, ReplicaDamaged) as error:
        await work.damaged(error)
    else:
        await work.verified(work.replica.place)


async def _remove(work: Work, driver: Driver) -> None:
    with _step("delete", work):
        await driver.delete(work.replica.place)
    await work.removed()


def _step(act: str, work: Work) -> tracing.Step:
    return tracing.step(f"mirror {act}", "client", {"waystation.mirror.kind": work.mirror.kind})


async def _request_next(context: Context, mirror: Mirror) -> None:
    async with context.db.connection() as connection:
        due = await claimed.due_replicas(connection, mirror.id)
    for replica_id in due[:NEXT]:
        await context.queue.replicate(replica_id)
