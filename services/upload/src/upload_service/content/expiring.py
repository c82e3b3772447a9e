"""Files whose time is over: they expired, or their owner, an administrator or the end of an account ended them.

A file is marked first, which takes it from everybody at once; then its shares are ended, and then it is released. Each
step can be done again: when a process dies in between, or the share service is down, the sweep does the rest.
"""

from collections.abc import Sequence
from uuid import UUID

from common import logging
from common.errors import Unavailable
from common.sweeping import Sweep, drain
from upload_service.content.context import Context
from upload_service.content.files import release_files
from upload_service.content.model import EndedFile, EndedFor
from upload_service.content.queries import files

BATCH = 500

_log = logging.get(__name__)


async def clear_ended(context: Context) -> None:
    """End the shares of every file whose time is over, and release it."""
    await drain(context, [ENDED])


async def _clear_batch(context: Context) -> int:
    async with context.db.connection() as connection:
        ended = await files.ended_files(connection, BATCH)
    await _clear(context, ended)
    return len(ended)


ENDED = Sweep("files to end", _clear_batch, files.count_ended)


async def clear_soon(context: Context, file_ids: Sequence[UUID]) -> None:
    """End the shares of files whose time is over, and release them: now if that is possible, else by the sweep."""
    try:
        async with context.db.connection() as connection:
            found = await files.why_ended(connection, file_ids)
        reasons: dict[UUID, EndedFor | None] = {file.id: file.ended_for for file in found}
        await _clear(context, [EndedFile(file_id, reasons.get(file_id)) for file_id in file_ids])
    except Unavailable as error:
        _log.warning("ended files are left to the sweep", number=len(file_ids), error=error.message)


async def _clear(context: Context, ended: Sequence[EndedFile]) -> None:
    by_reason: dict[EndedFor | None, list[UUID]] = {}
    for file in ended:
        by_reason.setdefault(file.ended_for, []).append(file.id)
    for ended_for, file_ids in by_reason.items():
        await context.shares.end(file_ids, ended_for)
    await release_files(context, [file.id for file in ended])
