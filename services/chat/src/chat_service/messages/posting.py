"""Posting messages, with or without a file. A message without a file costs one step in Valkey."""

from datetime import timedelta
from uuid import UUID

from chat_service.context import Context
from chat_service.messages.model import SharedFile
from chat_service.messages.writing import write
from chat_service.rooms.model import RoomNotFound, RoomState
from chat_service.rooms.queries import files
from chat_service.streams import Draft, Message, is_event_id
from common import clock
from common.errors import InvalidInput
from common.identity import Identity


async def post_message(
    context: Context,
    identity: Identity,
    room_id: int,
    text: str,
    *,
    reply_to: str | None = None,
    file: SharedFile | None = None,
) -> Message:
    """Post a message. `reply_to`: the id of another message, which may have expired.

    Raises `RoomNotFound`, `NotAMember`, `Muted`, `MessageEmpty`, `MessageUnusable`, `MessageTooLarge`,
    `MessageRefused`, `InvalidInput`, `Unavailable`.
    """
    draft = _draft(context, identity, text, reply_to, file)
    return await write(context, identity, room_id, lambda state: context.streams.post(state.room.terms, draft))


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
    """Post a message that carries a file by `share_id`, a share of the account's own.

    The share is recorded before the message is posted, so that the end of the room revokes it even if this process
    dies in between. Raises the errors of `post_message`, and then no record is left.
    """
    draft = _draft(context, identity, text, reply_to, file)

    async def record_and_post(state: RoomState) -> Message:
        room, now = state.room, clock.now()
        revoke_at = None
        if room.file_lifetime_seconds is not None:
            revoke_at = now + timedelta(seconds=room.lifetime_seconds + room.file_lifetime_seconds)
        async with context.db.connection() as connection:
            if not await files.insert_file(connection, room_id, share_id, now, revoke_at):
                raise RoomNotFound
        return await context.streams.post(state.room.terms, draft)

    try:
        message = await write(context, identity, room_id, record_and_post)
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
    """Post a file like `post_file`, unless the same share is already posted in the room. Returns the message's id.

    A caller that received no answer can therefore ask again.
    """
    async with context.db.connection() as connection:
        known = await files.file_of(connection, room_id, share_id)
    if known and known.message_id:
        return known.message_id
    return (await post_file(context, identity, room_id, text, file=file, share_id=share_id)).id


def _draft(context: Context, identity: Identity, text: str, reply_to: str | None, file: SharedFile | None) -> Draft:
    """The message to post. Raises the errors about texts, and `InvalidInput`."""
    accepted = context.texts.accept(text, context.bounds.message_bytes)
    if reply_to is not None and not is_event_id(reply_to):
        raise InvalidInput("reply_to is not the id of a message")
    return Draft(identity.account_id, identity.name, accepted, reply_to, file)
