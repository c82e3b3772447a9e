"""What closed rooms and files whose time is over leave behind.

The rows say what is to be done: a sweep that dies leaves them to the next, and all of it can be done twice.
"""

from datetime import datetime

from chat_service.rooms.model import CLEAN_AGAIN, KEEP_CLEANED
from chat_service.rooms.queries import files, invitations, rooms
from chat_service.shares import Shares
from chat_service.streams import Streams
from common import clock, logging
from common.db import Database
from common.errors import Unavailable

BATCH = 500


async def purge_rooms(database: Database, streams: Streams, shares: Shares) -> None:
    """Clear what was said in closed rooms, revoke files that are due, forget what is done. Can run twice at once."""
    now = clock.now()
    try:
        await _clear(database, streams, now)
        await _revoke(database, shares, now)
    except Unavailable as error:
        # The claims come back in a minute.
        logging.get(__name__).warning("rooms cannot be purged now, a later sweep will", error=error.message)
    await _forget(database, now)


async def _clear(database: Database, streams: Streams, now: datetime) -> None:
    claimed = [0]
    while claimed:
        async with database.transaction() as connection:
            claimed = await rooms.claim_closed(connection, now, now + CLEAN_AGAIN, BATCH)
        for room_id in claimed:
            await streams.clear(room_id)
            async with database.connection() as connection:
                await rooms.mark_cleaned(connection, room_id, clock.now())


async def _revoke(database: Database, shares: Shares, now: datetime) -> None:
    while True:
        async with database.transaction() as connection:
            claimed = await files.claim_files(connection, now, now + CLEAN_AGAIN, BATCH)
        if not claimed:
            return
        share_ids = [file.share_id for file in claimed]
        await shares.revoke(share_ids)
        async with database.transaction() as connection:
            await files.delete_revoked(connection, share_ids, now)


async def _forget(database: Database, now: datetime) -> None:
    deleted = 1
    while deleted:
        async with database.transaction() as connection:
            deleted = await rooms.delete_cleaned(connection, now - KEEP_CLEANED, BATCH)
            deleted += await invitations.delete_over(connection, now, BATCH)
