"""What goes when an account is gone: its places in rooms, and what it said and wrote. Can be asked for twice."""

from contextlib import suppress
from uuid import UUID

from chat_service.context import Context
from chat_service.inbox import queries as inbox
from chat_service.rooms.changes import changing
from chat_service.rooms.model import RoomNotFound
from chat_service.rooms.queries import members
from chat_service.rooms.states import terms_of
from chat_service.streams import EventType, MessageNotFound
from common import clock

BATCH = 1000


async def erase_account(context: Context, account_id: UUID) -> None:
    """Erase all that is kept of an account. Raises `Unavailable`, and then it is to be asked for again.

    Its messages go while it still is in the room, so that a try that fails finds them again.
    """
    while True:
        async with context.db.connection() as connection:
            found = await members.rooms_to_leave(connection, account_id, BATCH)
        for room_id in found:
            with suppress(RoomNotFound):
                await _erase_from(context, room_id, account_id)
        if not found:
            break
    deleted = BATCH
    while deleted == BATCH:
        async with context.db.transaction() as connection:
            deleted = await inbox.delete_messages_of(connection, account_id, BATCH)
    async with context.db.transaction() as connection:
        await members.forget_account(connection, account_id)


async def _erase_from(context: Context, room_id: int, account_id: UUID) -> None:
    async with changing(context, room_id) as change:
        if account_id not in change.members:
            return
        terms = terms_of(change.room)
        # Nobody else changes the room meanwhile: what Valkey says of a later version was never committed.
        await context.streams.restore_version(room_id, change.room.version)
        for message in await context.streams.messages(terms):
            if message.author == account_id:
                with suppress(MessageNotFound):
                    await context.streams.delete(terms, message.id, account_id)
        await change.remove(account_id, EventType.LEFT, clock.now())
