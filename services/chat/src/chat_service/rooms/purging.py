"""The sweeps that clear up after closed rooms and revoke the files whose time is over.

The rows say what is left to do: a sweep that dies leaves them to the next one, and every step can run twice.
"""

from collections.abc import Awaitable
from datetime import timedelta

from chat_service.context import Context
from chat_service.rooms.model import ADDRESS_HOLD_MAX
from chat_service.rooms.queries import files, invitations, members, rooms, waiting
from chat_service.streams import ChatUnavailable
from chat_service.streams.log import rewrite_log
from common import clock, logging
from common.db import Connection
from common.lookalikes import skeleton
from common.sweeping import Sweep, each

BATCH = 500
CLEAN_AGAIN = timedelta(minutes=1)
"""The time after which another sweep retries the work that a sweep claimed and did not finish."""
KEEP_CLEANED = timedelta(days=1)
"""The time for which the row of a cleaned room is kept, in case a request that began before is still running."""


async def expire_messages(context: Context) -> None:
    """Remove messages that have expired, and that no later message in their room has pushed out."""
    try:
        while found := await context.streams.due(BATCH):
            await each(found, context.streams.expire)
    except ChatUnavailable:
        logging.get(__name__).warning("expired messages cannot be removed, a later sweep will")


async def forget_texts(context: Context) -> None:
    """Have Valkey write its file again without the texts that are over. Raises `ChatUnavailable`."""
    await expire_messages(context)
    await rewrite_log(context.streams.redis)


async def _clear(context: Context) -> int:
    """Delete the messages of closed rooms from Valkey."""
    now = clock.now()
    async with context.db.transaction() as connection:
        claimed = await rooms.claim_closed(connection, now, now + CLEAN_AGAIN, BATCH)
    await each(claimed, context.streams.clear)
    async with context.db.connection() as connection:
        await rooms.mark_cleaned(connection, claimed, clock.now())
    return len(claimed)


async def _revoke(context: Context) -> int:
    """End the shares that were posted as files and are due."""
    now = clock.now()
    async with context.db.transaction() as connection:
        claimed = await files.claim_files(connection, now, now + CLEAN_AGAIN, BATCH)
    if claimed:
        share_ids = [file.share_id for file in claimed]
        await context.shares.revoke(share_ids)
        async with context.db.transaction() as connection:
            await files.delete_revoked(connection, share_ids, now)
    return len(claimed)


async def _compute_skeletons(context: Context) -> int:
    """Compute the skeletons of names that are older than they. Of rooms that look alike, the oldest one has it."""
    async with context.db.transaction() as connection:
        found = await rooms.rooms_without_skeleton(connection, BATCH)
        for room_id, name in found:
            await rooms.set_skeleton(connection, room_id, skeleton(name))
    return len(found)


async def _delete_rooms(context: Context) -> int:
    """Delete the rows of rooms that were cleaned long ago."""
    async with context.db.transaction() as connection:
        return await rooms.delete_cleaned(connection, clock.now() - KEEP_CLEANED, BATCH)


async def _delete_invitations(context: Context) -> int:
    async with context.db.transaction() as connection:
        return await invitations.delete_expired(connection, clock.now(), BATCH)


async def _forget_addresses(context: Context) -> int:
    async with context.db.transaction() as connection:
        now = clock.now()
        return await members.forget_addresses(connection, now, now - ADDRESS_HOLD_MAX, BATCH)


def _count_addresses(connection: Connection) -> Awaitable[int]:
    return waiting.count_addresses(connection, clock.now(), clock.now() - ADDRESS_HOLD_MAX)


def _count_files(connection: Connection) -> Awaitable[int]:
    return waiting.count_files(connection, clock.now())


def _count_cleaned(connection: Connection) -> Awaitable[int]:
    return waiting.count_cleaned(connection, clock.now() - KEEP_CLEANED)


def _count_invitations(connection: Connection) -> Awaitable[int]:
    return waiting.count_invitations(connection, clock.now())


SWEEPS = (
    Sweep("rooms to clear", _clear, waiting.count_closed),
    Sweep("files to revoke", _revoke, _count_files),
    Sweep("rooms to delete", _delete_rooms, _count_cleaned),
    Sweep("room names to compare", _compute_skeletons, waiting.count_without_skeleton),
    Sweep("invitations to delete", _delete_invitations, _count_invitations),
    Sweep("addresses to forget", _forget_addresses, _count_addresses),
)
