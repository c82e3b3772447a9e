"""Editing and deleting messages."""

from chat_service.context import Context
from chat_service.messages.posting import write
from chat_service.rooms.model import RoomState
from chat_service.streams import Message, NotYourMessage
from common.identity import Identity
from common.rights import Action


async def edit_message(context: Context, identity: Identity, room_id: int, message_id: str, text: str) -> Message:
    """Change the text of a message of the account's own.

    Raises `MessageNotFound`, `NotYourMessage`, and the errors of `post_message`.
    """
    accepted = context.texts.accept(text, context.bounds.message_bytes)
    author = identity.account_id
    return await write(
        context, identity, room_id, lambda state: context.streams.edit(state.room.terms, message_id, author, accepted)
    )


async def delete_message(context: Context, identity: Identity, room_id: int, message_id: str) -> None:
    """Delete a message of the account's own; owner and moderators may delete those of others.

    Raises `RoomNotFound`, `NotAMember`, `MessageNotFound`, `NotYourMessage`, `Unavailable`.
    """

    async def delete(state: RoomState) -> None:
        try:
            await context.streams.delete(state.room.terms, message_id, identity.account_id)
        except NotYourMessage:
            if not state.may(Action.MODERATE, identity):
                raise
            await context.streams.delete(state.room.terms, message_id, None)

    await write(context, identity, room_id, delete, even_muted=True)
