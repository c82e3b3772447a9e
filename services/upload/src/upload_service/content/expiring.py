"""Files whose time is over, by their expiry, their owner's word or their account's end.

A file is marked first, which takes it from everybody at once; then its shares are ended, and then it is released. Each
step can be done again, so whatever dies in between, or a share service that is down, leaves the rest to the sweep.
"""

from collections.abc import Sequence
from uuid import UUID

from common import logging
from common.errors import Unavailable
from upload_service.content.context import Context
from upload_service.content.files import release_file
from upload_service.content.model import EndedFor
from upload_service.content.queries import files

BATCH = 100

_log = logging.get(__name__)


async def clear_ended(context: Context) -> None:
    """Finish with every file whose time is over. Raises `Unavailable` when it must be tried again."""
    while True:
        async with context.db.connection() as connection:
            ended = await files.ended_files(connection, BATCH)
        if ended:
            await _clear(context, ended)
        if len(ended) < BATCH:
            return


async def clear_soon(context: Context, file_id: UUID) -> None:
    """Finish with one file whose time is over, now if that is possible; else the sweep does."""
    try:
        async with context.db.connection() as connection:
            ended_for = await files.why_ended(connection, file_id)
        await _clear(context, [(file_id, ended_for)])
    except Unavailable as error:
        _log.warning("an ended file is left to the sweep", file=file_id.hex, error=error.message)


async def _clear(context: Context, ended: Sequence[tuple[UUID, EndedFor | None]]) -> None:
    by_reason: dict[EndedFor | None, list[UUID]] = {}
    for file_id, ended_for in ended:
        by_reason.setdefault(ended_for, []).append(file_id)
    for ended_for, file_ids in by_reason.items():
        await context.shares.end(file_ids, ended_for)
    for file_id, _ in ended:
        await release_file(context, file_id)
