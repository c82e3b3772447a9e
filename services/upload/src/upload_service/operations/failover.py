"""Handing out a blob that the store cannot serve, from a verified replica.

The gateway asks for it when the store fails, by a ticket that came with the download's answer: it names the blob, ends
when the store's own signature would, and cannot be made by anybody else.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from uuid import UUID

from common import logging
from common.blob.store import SIGNED_FOR
from common.errors import DomainError, Forbidden, Unavailable
from upload_service.mirror_model import Mirror, Replica
from upload_service.model import Blob
from upload_service.operations.context import Context
from upload_service.queries import blobs, mirrors, replicas

_log = logging.get(__name__)


class NoReplica(Unavailable):
    """The store cannot serve the content, and no mirror has it that answers."""

    code = "no_replica"


def ticket_for(context: Context, blob_id: UUID) -> str:
    """What lets the gateway have this blob from its replicas, for as long as a signed path holds."""
    until = int(time.time() + SIGNED_FOR.total_seconds())
    return f"{until}.{context.drivers.sealer.sign(f'{blob_id.hex}.{until}')}"


def check_ticket(context: Context, blob_id: UUID, ticket: str) -> None:
    """Raise `Forbidden` unless the ticket was given for this blob and has not ended."""
    until, _, tag = ticket.partition(".")
    if not until.isascii() or not until.isdecimal() or int(until) < time.time():
        raise Forbidden("the ticket is over")
    if not context.drivers.sealer.is_signed(f"{blob_id.hex}.{until}", tag):
        raise Forbidden("the ticket is not for this")


async def find_blob(context: Context, blob_id: UUID) -> Blob:
    """The blob. Raises `NoReplica` when it is gone."""
    async with context.db.connection() as connection:
        blob = await blobs.get_blob(connection, blob_id)
    if blob is None:
        raise NoReplica
    return blob


async def read_replica(context: Context, blob: Blob, start: int, length: int) -> AsyncGenerator[bytes]:
    """`length` bytes of a blob from `start`, from the first mirror that gives any. Raises `NoReplica` before any."""
    async with context.db.connection() as connection:
        found = await replicas.verified_replicas(connection, blob.id)
        named = {mirror.id: mirror for mirror in await mirrors.all_mirrors(connection)}
    for replica in found:
        blocks = _read(context, named[replica.mirror_id], replica, start, length)
        async with aclosing(blocks):
            try:
                first = await anext(blocks, b"")
            except DomainError as error:
                _log.warning("a mirror cannot stand in", mirror=replica.mirror_id, error=error.code)
                continue
            _log.warning("a mirror stands in for the store", mirror=replica.mirror_id, blob=blob.id.hex)
            yield first
            async for block in blocks:
                yield block
            return
    raise NoReplica


async def _read(context: Context, mirror: Mirror, replica: Replica, start: int, length: int) -> AsyncGenerator[bytes]:
    driver = await context.drivers.of(mirror)
    blocks: AsyncIterator[bytes] = driver.read(replica.place, start, length)
    async for block in blocks:
        yield block
