"""Erasing an account: its places in rooms, its messages there, and its direct messages."""

from contextlib import suppress
from uuid import UUID

from chat_service.context import Context
from chat_service.inbox.letters import erase_inbox
from chat_service.rooms.changes import changing
from chat_service.rooms.model import RoomNotFound
from chat_service.rooms.queries import members
from chat_service.streams import EventType, MessageNotFound
from common import clock

BATCH = 1000


async def erase_account(context: Context, account_id: UUID) -> None:
    """Erase everything that is stored of an account. Can run twice; after `Unavailable` it has to.

    The account stays in a room until its messages there are deleted, so that a second attempt finds them again.
    """
    while True:
        async with context.db.connection() as connection:
            found = await members.rooms_to_leave(connection, account_id, BATCH)
        for room_id in found:
            with suppress(RoomNotFound):
                await _erase_from(context, room_id, account_id)
        if not found:
            break
    await erase_inbox(context, account_id)
    async with context.db.transaction() as connection:
        await members.forget_account(connection, account_id)


async def _erase_from(context: Context, room_id: int, account_id: UUID) -> None:
    async with changing(context, room_id) as change:
        if account_id not in change.members:
            return
        terms = change.room.terms
        # This transaction holds the room's lock, so a later version in Valkey is of a change that was never committed.
        await context.streams.restore_version(room_id, change.room.version)
        for message in await context.streams.messages(terms):
            if message.author == account_id:
                with suppress(MessageNotFound):
                    await context.streams.delete(terms, message.id, account_id)
        await change.remove(account_id, EventType.LEFT, clock.now())
