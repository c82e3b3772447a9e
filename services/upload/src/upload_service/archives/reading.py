"""Reading a content from the store, and from its verified replicas where the store fails."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from common import logging
from common.store import ObjectDamaged, ObjectMissing, StoreUnavailable
from upload_service.content.model import Blob
from upload_service.mirrors import failover, restoring
from upload_service.mirrors.context import Context

_log = logging.get(__name__)


async def read_blob(context: Context, blob: Blob, start: int, length: int) -> AsyncGenerator[bytes]:
    """`length` bytes of a blob from `start`, at least one. Raises `NoReplica` when nobody has them."""
    received = 0
    try:
        await context.store.check(blob.object_key, blob.size)
        async for block in context.store.read(blob.object_key, start, length):
            received += len(block)
            yield block
    except (ObjectMissing, ObjectDamaged, StoreUnavailable) as error:
        _log.warning("the store cannot serve a content", blob=blob.id.hex, error=error.code)
    if received == length:
        return
    async with aclosing(failover.read_from_mirrors(context, blob, start + received, length - received)) as blocks:
        async for block in blocks:
            yield block
    await restoring.restore_soon(context, blob)
