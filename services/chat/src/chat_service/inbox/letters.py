"""Direct messages between two accounts. Both see them; what one deletes is gone for both."""

from dataclasses import dataclass

from chat_service.accounts import Account
from chat_service.context import Context
from chat_service.inbox import queries as inbox
from chat_service.rooms.model import InboxMessage, InboxMessageNotFound, RecipientNotFound, TooManySent
from common import clock
from common.identity import Identity

NEWEST = 2**63 - 1
"""Before which message a list of the newest begins."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A direct message with the two accounts as they are today; None: the account is gone."""

    message: InboxMessage
    sender: Account | None
    recipient: Account | None


async def send_inbox(context: Context, identity: Identity, recipient: str, text: str) -> Letter:
    """Send `text` to the account that goes by the name `recipient`.

    Raises `RecipientNotFound`, `TooManySent`, `MessageEmpty`, `MessageUnusable`, `MessageTooLarge`, `MessageRefused`,
    `Unavailable`.
    """
    kept = context.texts.kept(text, context.bounds.inbox_message_bytes)
    found = await context.accounts.find(recipient)
    if found is None:
        raise RecipientNotFound
    async with context.db.connection() as connection:
        if await inbox.has_sent(connection, identity.account_id, context.bounds.inbox_messages):
            raise TooManySent
        message = await inbox.insert_message(connection, identity.account_id, found.id, kept, clock.now())
    return (await _letters(context, [message]))[0]


async def list_inbox(context: Context, identity: Identity, before: int = NEWEST, limit: int = 1000) -> list[Letter]:
    """Up to `limit` messages that the account sent or received, with ids below `before`, the newest first."""
    async with context.db.connection() as connection:
        found = await inbox.messages_of(connection, identity.account_id, before, limit)
    return await _letters(context, found)


async def count_inbox(context: Context, identity: Identity) -> int:
    """How many messages the account has sent or received."""
    async with context.db.connection() as connection:
        return await inbox.count_messages(connection, identity.account_id)


async def delete_inbox(context: Context, identity: Identity, message_id: int) -> None:
    """Delete a message that the account sent or received, for both. Raises `InboxMessageNotFound`."""
    if not 0 < message_id <= NEWEST:
        raise InboxMessageNotFound
    async with context.db.connection() as connection:
        if not await inbox.delete_message(connection, identity.account_id, message_id):
            raise InboxMessageNotFound


async def _letters(context: Context, messages: list[InboxMessage]) -> list[Letter]:
    accounts = await context.accounts.of_ids(
        account_id for message in messages for account_id in (message.sender, message.recipient)
    )
    return [Letter(message, accounts.get(message.sender), accounts.get(message.recipient)) for message in messages]
