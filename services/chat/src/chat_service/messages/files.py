"""Files in rooms: a message that carries a share, which may end with the room or some time after its message."""

from datetime import datetime, timedelta
from uuid import UUID

from chat_service.context import Context
from chat_service.messages.posting import post_message
from chat_service.rooms.model import NotAMember, Room, RoomNotFound, SharedFile
from chat_service.rooms.queries import files
from chat_service.streams import Message
from common import clock
from common.identity import Identity


async def post_file(
    context: Context,
    identity: Identity,
    room_id: int,
    text: str,
    *,
    file: SharedFile,
    share_id: UUID,
    reply_to: str | None = None,
) -> Message:
    """Post a message that carries a file, by a share that is the account's own.

    That the share is in the room is noted first, so that a room that is closed meanwhile revokes it; where nothing was
    posted, it is forgotten. Raises what `post_message` raises.
    """
    await _note(context, identity, room_id, share_id)
    try:
        message = await post_message(context, identity, room_id, text, reply_to=reply_to, file=file)
    except BaseException:
        async with context.db.connection() as connection:
            await files.forget_unposted(connection, room_id, share_id)
        raise
    async with context.db.connection() as connection:
        await files.mark_posted(connection, room_id, share_id, message.id)
    return message


async def post_file_once(
    context: Context, identity: Identity, room_id: int, text: str, *, file: SharedFile, share_id: UUID
) -> str:
    """`post_file` for a caller that asks again when it heard no answer: the same share is posted once.

    Returns the message's id.
    """
    async with context.db.connection() as connection:
        known = await files.file_of(connection, room_id, share_id)
    if known and known.message_id:
        return known.message_id
    return (await post_file(context, identity, room_id, text, file=file, share_id=share_id)).id


async def _note(context: Context, identity: Identity, room_id: int, share_id: UUID) -> None:
    state = await context.states.fresh(room_id)
    if identity.account_id not in state.members:
        raise RoomNotFound if state.room.is_private else NotAMember
    now = clock.now()
    async with context.db.connection() as connection:
        if not await files.insert_file(connection, room_id, share_id, now, _end(state.room, now)):
            raise RoomNotFound


def _end(room: Room, now: datetime) -> datetime | None:
    """When a file that is posted now is revoked, its message being long gone."""
    if room.file_lifetime_seconds is None:
        return None
    return now + timedelta(seconds=room.lifetime_seconds + room.file_lifetime_seconds)
