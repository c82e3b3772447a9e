"""Files whose time is over: they expired, or their owner, an administrator or the end of an account ended them.

A file is marked first, which takes it from everybody at once; then its shares are ended, and then it is released. Each
step can be done again: when a process dies in between, or the share service is down, the sweep does the rest.
"""

from collections.abc import Sequence
from uuid import UUID

from common import logging
from common.errors import Unavailable
from upload_service.content.context import Context
from upload_service.content.files import release_file
from upload_service.content.model import EndedFile, EndedFor
from upload_service.content.queries import files

BATCH = 100

_log = logging.get(__name__)


async def clear_ended(context: Context) -> None:
    """End the shares of every file whose time is over, and release it. Raises `Unavailable`."""
    while True:
        async with context.db.connection() as connection:
            ended = await files.ended_files(connection, BATCH)
        if ended:
            await _clear(context, ended)
        if len(ended) < BATCH:
            return


async def clear_soon(context: Context, file_id: UUID) -> None:
    """End the shares of one file whose time is over, and release it: now if that is possible, else by the sweep."""
    try:
        async with context.db.connection() as connection:
            ended_for = await files.why_ended(connection, file_id)
        await _clear(context, [EndedFile(file_id, ended_for)])
    except Unavailable as error:
        _log.warning("an ended file is left to the sweep", file=file_id.hex, error=error.message)


async def _clear(context: Context, ended: Sequence[EndedFile]) -> None:
    by_reason: dict[EndedFor | None, list[UUID]] = {}
    for file in ended:
        by_reason.setdefault(file.ended_for, []).append(file.id)
    for ended_for, file_ids in by_reason.items():
        await context.shares.end(file_ids, ended_for)
    for file in ended:
        await release_file(context, file.id)
