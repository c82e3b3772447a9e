"""Restoring a blob that the store has lost from a mirror that has a verified copy."""

from uuid import UUID

from common import logging
from common.errors import DomainError
from common.store import ObjectDamaged, ObjectMissing
from upload_service.content.model import Blob
from upload_service.mirrors.context import Context
from upload_service.mirrors.failover import find_blob, read_from_mirrors

_log = logging.get(__name__)


async def restore_soon(context: Context, blob: Blob) -> None:
    """Have a blob restored that a mirror stood in for, if the store answers and does not have it whole.

    A message that is lost is sent again at the next download.
    """
    try:
        if await _is_lost(context, blob):
            await context.queue.restore(blob.id)
    except DomainError as error:
        _log.info("the store cannot be asked", blob=blob.id.hex, error=error.code)


async def restore_blob(context: Context, blob_id: UUID) -> None:
    """Write a blob that the store has lost again, unless it is there. Two workers at once write the same.

    Nothing is written but the verified content. Raises `NoReplica` when no mirror has it.
    """
    blob = await find_blob(context, blob_id)
    if await _is_lost(context, blob):
        await context.store.put(blob.object_key, read_from_mirrors(context, blob, 0, blob.size), blob.size)
        _log.warning("a lost content is restored from a mirror", blob=blob.id.hex)


async def _is_lost(context: Context, blob: Blob) -> bool:
    try:
        await context.store.check(blob.object_key, blob.size)
    except (ObjectMissing, ObjectDamaged):
        return True
    info = await context.store.stat(blob.object_key)
    return info is None or info.size != blob.size
