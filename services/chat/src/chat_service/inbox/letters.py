"""Sending, listing and deleting direct messages."""

from contextlib import nullcontext
from dataclasses import dataclass
from uuid import UUID

from chat_service.accounts import Account
from chat_service.bounds import ID_MAX
from chat_service.context import Context
from chat_service.inbox import queries
from chat_service.inbox.model import InboxMessage, InboxMessageNotFound, RecipientNotFound, TooManySent
from common import clock
from common.identity import Identity
from common.limits import counted_success

NEWEST = ID_MAX
"""Lists begin below this id when no other is given."""
ERASE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """A direct message with its two accounts as they are today; None: the account was deleted."""

    message: InboxMessage
    sender: Account | None
    recipient: Account | None


async def send_inbox(context: Context, identity: Identity, recipient: str, text: str) -> Letter:
    """Send `text` to the account with the name `recipient`.

    Raises `RecipientNotFound`, `TooManySent`, `TooManyUnanswered`, `MessageEmpty`, `MessageUnusable`,
    `MessageTooLarge`, `MessageRefused`, `Unavailable`.
    """
    accepted = context.texts.accept(text, context.bounds.inbox_message_bytes)
    found = await context.accounts.find(recipient)
    if found is None:
        raise RecipientNotFound
    async with context.db.connection() as connection:
        if await queries.has_sent(connection, identity.account_id, context.bounds.inbox_messages):
            raise TooManySent
        is_known = await queries.has_written(connection, found.id, identity.account_id)
    async with nullcontext() if is_known else counted_success(context.unanswered, identity.account_id.hex):
        message = await _store(context, identity, found.id, accepted)
    return (await _letters(context, [message]))[0]


async def list_inbox(context: Context, identity: Identity, before: int = NEWEST, limit: int = 1000) -> list[Letter]:
    """Up to `limit` messages that the account sent or received, with ids below `before`, the newest first."""
    async with context.db.connection() as connection:
        found = await queries.messages_of(connection, identity.account_id, before, limit)
    return await _letters(context, found)


async def count_inbox(context: Context, identity: Identity) -> int:
    """The number of messages that the account sent or received."""
    async with context.db.connection() as connection:
        return await queries.count_messages(connection, identity.account_id)


async def delete_inbox(context: Context, identity: Identity, message_id: int) -> None:
    """Delete a message that the account sent or received, for both. Raises `InboxMessageNotFound`."""
    if not 0 < message_id <= ID_MAX:
        raise InboxMessageNotFound
    async with context.db.connection() as connection:
        if not await queries.delete_message(connection, identity.account_id, message_id):
            raise InboxMessageNotFound


async def erase_inbox(context: Context, account_id: UUID) -> None:
    """Delete all messages that the account sent or received. Can run twice."""
    deleted = ERASE_BATCH
    while deleted == ERASE_BATCH:
        async with context.db.transaction() as connection:
            deleted = await queries.delete_messages_of(connection, account_id, ERASE_BATCH)


async def _store(context: Context, identity: Identity, recipient: UUID, text: str) -> InboxMessage:
    async with context.db.connection() as connection:
        return await queries.insert_message(connection, identity.account_id, recipient, text, clock.now())


async def _letters(context: Context, messages: list[InboxMessage]) -> list[Letter]:
    accounts = await context.accounts.of_ids(
        account_id for message in messages for account_id in (message.sender, message.recipient)
    )
    return [Letter(message, accounts.get(message.sender), accounts.get(message.recipient)) for message in messages]
