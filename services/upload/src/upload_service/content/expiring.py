"""Files whose time is over, by their expiry, their owner's word or their account's end.

A file is marked first, which takes it from everybody at once; then its shares are ended, and then it is released. Each
step can be done again, so whatever dies in between, or a share service that is down, leaves the rest to the sweep.
"""

from collections.abc import Sequence
from uuid import UUID

from common import logging
from common.errors import Unavailable
from upload_service.content.files import release_file
from upload_service.content.model import EndedFor
from upload_service.content.queries import files, sessions, upload_keys
from upload_service.context import Context
from upload_service.fetches import queries as fetches
from upload_service.mirrors.queries import mirrors
from upload_service.shares import Shares

BATCH = 100

_log = logging.get(__name__)


async def clear_ended(context: Context, shares: Shares) -> None:
    """Finish with every file whose time is over. Raises `Unavailable` when it must be tried again."""
    while True:
        async with context.db.connection() as connection:
            ended = await files.ended_files(connection, BATCH)
        if ended:
            await _clear(context, shares, ended)
        if len(ended) < BATCH:
            return


async def clear_soon(context: Context, shares: Shares, file_id: UUID) -> None:
    """Finish with one file whose time is over, now if that is possible; else the sweep does."""
    try:
        async with context.db.connection() as connection:
            ended_for = await files.why_ended(connection, file_id)
        await _clear(context, shares, [(file_id, ended_for)])
    except Unavailable as error:
        _log.warning("an ended file is left to the sweep", file=file_id.hex, error=error.message)


async def _clear(context: Context, shares: Shares, ended: Sequence[tuple[UUID, EndedFor | None]]) -> None:
    by_reason: dict[EndedFor | None, list[UUID]] = {}
    for file_id, ended_for in ended:
        by_reason.setdefault(ended_for, []).append(file_id)
    for ended_for, file_ids in by_reason.items():
        await shares.end(file_ids, ended_for)
    for file_id, _ in ended:
        await release_file(context, file_id)


async def erase_account(context: Context, account_id: UUID) -> None:
    """Say that all that an account has here is over: its files, and its uploads, which come to nothing.

    The sweeps take it away. Asked again, it does the same to what has come since.
    """
    async with context.db.transaction() as connection:
        await files.end_files_of(connection, account_id)
        # A fetch and the session that it begins are one: whoever still began one comes first, and it is seen.
        await fetches.delete_fetches_of(connection, account_id)
        await sessions.abort_sessions_of(connection, account_id)
        await upload_keys.delete_keys_of(connection, account_id)
        await mirrors.delete_choice(connection, account_id)
        await mirrors.forget_account(connection, account_id)
