"""The sweep that clears up after closed rooms and revokes the files whose time is over.

The rows say what is left to do: a sweep that dies leaves them to the next one, and every step can run twice.
"""

from datetime import datetime, timedelta

from chat_service.context import Context
from chat_service.rooms.queries import files, invitations, rooms
from common import clock, logging
from common.errors import Unavailable

BATCH = 500
CLEAN_AGAIN = timedelta(minutes=1)
"""The time after which another sweep retries the work that a sweep claimed and did not finish."""
KEEP_CLEANED = timedelta(days=1)
"""The time for which the row of a cleaned room is kept, in case a request that began before is still running."""


async def purge_rooms(context: Context) -> None:
    """Delete the messages of closed rooms, revoke due files, and delete finished rows. Two sweeps may run at once."""
    now = clock.now()
    try:
        await _clear(context, now)
        await _revoke(context, now)
    except Unavailable as error:
        # What this sweep claimed is due again in a minute.
        logging.get(__name__).warning("rooms cannot be purged now, a later sweep will", error=error.message)
    await _delete(context, now)


async def _clear(context: Context, now: datetime) -> None:
    """Delete the messages of closed rooms from Valkey."""
    claimed = [0]
    while claimed:
        async with context.db.transaction() as connection:
            claimed = await rooms.claim_closed(connection, now, now + CLEAN_AGAIN, BATCH)
        for room_id in claimed:
            await context.streams.clear(room_id)
            async with context.db.connection() as connection:
                await rooms.mark_cleaned(connection, room_id, clock.now())


async def _revoke(context: Context, now: datetime) -> None:
    """End the shares that were posted as files and are due."""
    while True:
        async with context.db.transaction() as connection:
            claimed = await files.claim_files(connection, now, now + CLEAN_AGAIN, BATCH)
        if not claimed:
            return
        share_ids = [file.share_id for file in claimed]
        await context.shares.revoke(share_ids)
        async with context.db.transaction() as connection:
            await files.delete_revoked(connection, share_ids, now)


async def _delete(context: Context, now: datetime) -> None:
    """Delete the rows of rooms that were cleaned long ago, and of expired invitations."""
    deleted = 1
    while deleted:
        async with context.db.transaction() as connection:
            deleted = await rooms.delete_cleaned(connection, now - KEEP_CLEANED, BATCH)
            deleted += await invitations.delete_expired(connection, now, BATCH)
