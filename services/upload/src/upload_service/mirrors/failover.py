"""Handing out a blob that the store cannot serve, from a verified replica.

The gateway asks for it when the store fails, by a ticket that came with the download's answer: it names the blob, ends
when the store's own signature would, and cannot be made by anybody else.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from uuid import UUID

from common import logging
from common.errors import DomainError, Forbidden, Unavailable
from common.store import ContentHasher
from common.store.s3 import SIGNED_FOR
from upload_service.content.model import Blob
from upload_service.content.queries import blobs
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import MirrorDown, ReplicaLost
from upload_service.mirrors.model import Mirror, Replica
from upload_service.mirrors.queries import mirrors, replicas
from upload_service.mirrors.replicating import ReplicaDamaged
from upload_service.mirrors.sealing import Sealer

# A mirror that does not begin to answer in this time is passed over.
FIRST_BLOCK_SECONDS = 10

_log = logging.get(__name__)


class NoReplica(Unavailable):
    """The store cannot serve the content, and no mirror has it that answers."""

    code = "no_replica"


def ticket_for(sealer: Sealer, blob_id: UUID) -> str:
    """What lets the gateway have this blob from its replicas, for as long as a signed path holds."""
    until = int(time.time() + SIGNED_FOR.total_seconds())
    return f"{until}.{sealer.sign(f'{blob_id.hex}.{until}')}"


def check_ticket(context: Context, blob_id: UUID, ticket: str) -> None:
    """Raise `Forbidden` unless the ticket was given for this blob and has not ended."""
    until, _, tag = ticket.partition(".")
    if not context.drivers.sealer.is_signed(f"{blob_id.hex}.{until}", tag):
        raise Forbidden("the ticket is not for this")
    if int(until) < time.time():
        raise Forbidden("the ticket is over")


async def find_blob(context: Context, blob_id: UUID) -> Blob:
    """The blob. Raises `NoReplica` when it is gone."""
    async with context.db.connection() as connection:
        blob = await blobs.get_blob(connection, blob_id)
    if blob is None:
        raise NoReplica
    return blob


async def read_replica(context: Context, blob: Blob, start: int, length: int) -> AsyncGenerator[bytes]:
    """`length` bytes of a blob from `start`; what one mirror does not give comes from the next.

    Raises `NoReplica` when none is left, and `ReplicaDamaged` in place of the last block of a whole blob that is not
    what was verified, so that nobody takes it for the whole. Replicas that turn out to be lost or damaged are checked.
    """
    async with context.db.connection() as connection:
        found = await replicas.verified_replicas(connection, blob.id)
        named = {mirror.id: mirror for mirror in await mirrors.all_mirrors(connection)}
    hasher, held, used, has_sent = ContentHasher(), b"", list[Replica](), False
    for replica in found:
        mirror = named.get(replica.mirror_id)
        if mirror is None:
            continue
        _log.warning("a mirror stands in for the store", mirror=mirror.id, blob=blob.id.hex)
        used.append(replica)
        is_lost = True
        try:
            async with aclosing(_read(context, mirror, replica, start + hasher.size, length - hasher.size)) as blocks:
                async for block in blocks:
                    if held:
                        yield held
                        has_sent = True
                    hasher.update(block)
                    held = block
        except DomainError as error:
            _log.warning("a mirror cannot stand in", mirror=mirror.id, error=error.code)
            is_lost = isinstance(error, ReplicaLost)
        except Exception:  # noqa: BLE001  (it is logged, with its stack)
            _log.exception("a mirror cannot stand in", mirror=mirror.id)
            is_lost = False
        if hasher.size != length:
            if is_lost:
                await _doubt(context, [replica])
            continue
        if length != blob.size or hasher.sha256 == blob.sha256:
            yield held
            return
        await _doubt(context, used)
        if has_sent:
            raise ReplicaDamaged
        hasher, held, used = ContentHasher(), b"", []
    raise NoReplica


async def _read(context: Context, mirror: Mirror, replica: Replica, start: int, length: int) -> AsyncGenerator[bytes]:
    async with context.drivers.of(mirror) as driver:
        source = aiter(driver.read(replica.place, start, length))
        patience = FIRST_BLOCK_SECONDS
        while True:
            try:
                async with asyncio.timeout(patience):
                    block = await anext(source, None)
            except TimeoutError:
                raise MirrorDown from None
            if block is None:
                return
            yield block
            patience = None


async def _doubt(context: Context, used: Sequence[Replica]) -> None:
    async with context.db.connection() as connection:
        for replica in used:
            _log.error("a replica is lost or damaged", replica=replica.id.hex, mirror=replica.mirror_id)
            await replicas.doubt_replica(connection, replica.id)
