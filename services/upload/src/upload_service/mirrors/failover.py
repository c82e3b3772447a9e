"""Reading a blob from its verified replicas when the store cannot serve it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from uuid import UUID

from common import logging
from common.errors import DomainError, Unavailable
from common.store import ContentHasher, StoreRefused, StoreUnavailable
from upload_service.content.model import Blob
from upload_service.content.queries import blobs
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import MirrorDown, ReplicaBrokenOff, ReplicaLost
from upload_service.mirrors.failures import ReplicaDamaged
from upload_service.mirrors.model import Mirror, Replica
from upload_service.mirrors.queries import mirrors, replicas

FIRST_BLOCK_SECONDS = 10
"""A mirror that does not begin to answer in this time is passed over."""

_log = logging.get(__name__)


class NoReplica(Unavailable):
    """The store cannot serve the content, and no mirror that has it answers."""

    code = "no_replica"


async def find_blob(context: Context, blob_id: UUID) -> Blob:
    """The blob. Raises `NoReplica` when it is gone."""
    async with context.db.connection() as connection:
        blob = await blobs.get_blob(connection, blob_id)
    if blob is None:
        raise NoReplica
    return blob


async def read_from_mirrors(context: Context, blob: Blob, start: int, length: int) -> AsyncGenerator[bytes]:
    """`length` bytes of a blob from `start`. Where one mirror fails, the next goes on.

    The last block is held back until all is known to be right. Raises `NoReplica` when no mirror is left, and
    `ReplicaDamaged` instead of the last block of a whole blob that is not the verified content, so that nobody takes it
    for the whole. Replicas that turn out to be lost or damaged are checked soon.
    """
    hasher, held, used, has_sent = ContentHasher(), b"", list[Replica](), False
    for mirror, replica in await _readable(context, blob.id):
        _log.warning("a mirror stands in for the store", mirror=mirror.id, blob=blob.id.hex)
        used.append(replica)
        rest = _as_far_as_it_goes(context, mirror, replica, start + hasher.size, length - hasher.size)
        async with aclosing(rest) as blocks:
            async for block in blocks:
                if held:
                    yield held
                    has_sent = True
                hasher.update(block)
                held = block
        if hasher.size != length:
            continue
        if length != blob.size or hasher.sha256 == blob.sha256:
            yield held
            return
        await _have_checked(context, used)
        if has_sent:
            raise ReplicaDamaged
        hasher, held, used = ContentHasher(), b"", []
    raise NoReplica


async def read_in_place_of_store(context: Context, blob: Blob, start: int, length: int) -> AsyncGenerator[bytes]:
    """`read_from_mirrors` for the gateway. If no mirror gives anything, ask the store after all.

    The gateway does not ask a store that failed a few seconds ago, but it may be back.
    """
    has_sent = False
    try:
        async with aclosing(read_from_mirrors(context, blob, start, length)) as blocks:
            async for block in blocks:
                yield block
                has_sent = True
            return
    except NoReplica:
        if has_sent:
            raise
    try:
        async with aclosing(patiently(context.store.read(blob.object_key, start, length))) as blocks:
            async for block in blocks:
                yield block
                has_sent = True
    except (StoreUnavailable, StoreRefused, MirrorDown):
        raise NoReplica from None
    if not has_sent:
        raise NoReplica


async def _readable(context: Context, blob_id: UUID) -> list[tuple[Mirror, Replica]]:
    async with context.db.connection() as connection:
        found = await replicas.readable_replicas(connection, blob_id)
        by_id = {mirror.id: mirror for mirror in await mirrors.all_mirrors(connection)}
    return [(by_id[replica.mirror_id], replica) for replica in found if replica.mirror_id in by_id]


async def _as_far_as_it_goes(
    context: Context, mirror: Mirror, replica: Replica, start: int, length: int
) -> AsyncGenerator[bytes]:
    """The blocks that a mirror gives until it fails. A replica that is lost or too short is checked soon."""
    received = 0
    try:
        async with aclosing(_read(context, mirror, replica, start, length)) as blocks:
            async for block in blocks:
                received += len(block)
                yield block
    except DomainError as error:
        _log.warning("a mirror cannot stand in", mirror=mirror.id, error=error.code)
        # One that breaks off may be shorter than its mirror says.
        if not received and not isinstance(error, (ReplicaLost, ReplicaBrokenOff)):
            return
    except Exception:  # noqa: BLE001  (it is logged, with its stack)
        _log.exception("a mirror cannot stand in", mirror=mirror.id)
        return
    if received != length:
        await _have_checked(context, [replica])


async def _read(context: Context, mirror: Mirror, replica: Replica, start: int, length: int) -> AsyncGenerator[bytes]:
    async with (
        context.drivers.of(mirror) as driver,
        aclosing(patiently(driver.read(replica.place, start, length))) as blocks,
    ):
        async for block in blocks:
            yield block


async def patiently(blocks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """These blocks. Raises `MirrorDown` unless the first arrives in time."""
    patience = FIRST_BLOCK_SECONDS
    while True:
        try:
            async with asyncio.timeout(patience):
                block = await anext(blocks, None)
        except TimeoutError:
            raise MirrorDown from None
        if block is None:
            return
        yield block
        patience = None


async def _have_checked(context: Context, doubtful: Sequence[Replica]) -> None:
    async with context.db.connection() as connection:
        for replica in doubtful:
            _log.error("a replica is lost or damaged", replica=replica.id.hex, mirror=replica.mirror_id)
            await replicas.check_soon(connection, replica.id)
