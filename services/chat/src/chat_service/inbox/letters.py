"""Sending, listing and deleting direct messages."""

from collections.abc import Awaitable
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import UUID

from chat_service.accounts import Account
from chat_service.bounds import ID_MAX
from chat_service.context import Context
from chat_service.inbox import queries
from chat_service.inbox.model import (
    REPEATABLE,
    InboxMessage,
    InboxMessageNotFound,
    RecipientNotFound,
    TooManySent,
)
from common import clock
from common.db import Connection
from common.errors import Unavailable
from common.identity import Identity
from common.limits import counted_success
from common.repeatable import IdempotencyKeyReused, Repeatable

NEWEST = ID_MAX
"""Lists begin below this id when no other is given."""
ERASE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """A direct message with its two accounts as they are today; None: the account was deleted."""

    message: InboxMessage
    sender: Account | None
    recipient: Account | None


async def send_inbox(
    context: Context, identity: Identity, recipient: str, text: str, repeatable: Repeatable | None = None
) -> Letter:
    """Send `text` to the account with the name `recipient`. A `repeatable` send that is sent again is the same message.

    Raises `RecipientNotFound`, `TooManySent`, `TooManyUnanswered`, `MessageEmpty`, `MessageUnusable`,
    `MessageTooLarge`, `MessageRefused`, `IdempotencyKeyReused`, `Unavailable`.
    """
    accepted = context.texts.accept(text, context.bounds.inbox_message_bytes)
    found = await context.accounts.find(recipient)
    if found is None:
        raise RecipientNotFound
    wanted = _Wanted(identity.account_id, found.id, accepted, repeatable)
    async with context.db.connection() as connection:
        if again := await _sent_before(connection, wanted):
            return (await _letters(context, [again]))[0]
        if await queries.has_sent(connection, identity.account_id, context.bounds.inbox_messages):
            raise TooManySent
        is_known = await queries.has_written(connection, found.id, identity.account_id)
    try:
        async with nullcontext() if is_known else counted_success(context.unanswered, identity.account_id.hex):
            message = await _store(context, wanted)
    except _SentMeanwhile:
        message = await _sent_meanwhile(context, wanted)
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


async def forget_sends(context: Context) -> int:
    """Forget a batch of sends that are not repeated any more. Returns their number."""
    async with context.db.transaction() as connection:
        return await queries.delete_sends(connection, clock.now() - REPEATABLE, ERASE_BATCH)


def count_forgettable(connection: Connection) -> Awaitable[int]:
    """The number of sends that are to be forgotten."""
    return queries.count_sends(connection, clock.now() - REPEATABLE)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A message to send."""

    sender: UUID
    recipient: UUID
    text: str
    repeatable: Repeatable | None


class _SentMeanwhile(Exception):
    """The same send was made at the same time."""


async def _store(context: Context, wanted: _Wanted) -> InboxMessage:
    """Store the message. Raises `_SentMeanwhile`, and then nothing is stored."""
    now, repeatable = clock.now(), wanted.repeatable
    async with context.db.transaction() as connection:
        made = await queries.insert_message(connection, wanted.sender, wanted.recipient, wanted.text, now)
        if repeatable and not await queries.note_send(connection, repeatable, made.id, now, now - REPEATABLE):
            raise _SentMeanwhile
        return made


async def _sent_meanwhile(context: Context, wanted: _Wanted) -> InboxMessage:
    async with context.db.connection() as connection:
        again = await _sent_before(connection, wanted)
    if again is None:
        raise Unavailable
    return again


async def _sent_before(connection: Connection, wanted: _Wanted) -> InboxMessage | None:
    """The message that this send has made lately. Raises `IdempotencyKeyReused`."""
    repeatable = wanted.repeatable
    sent = repeatable and await queries.send_of(connection, repeatable.origin, clock.now() - REPEATABLE)
    if not repeatable or not sent:
        return None
    if sent.digest != repeatable.digest:
        raise IdempotencyKeyReused
    # One of the two may have deleted it; it was sent nevertheless.
    return await queries.message_of(connection, sent.message_id) or InboxMessage(
        sent.message_id, wanted.sender, wanted.recipient, wanted.text, sent.sent_at
    )


async def _letters(context: Context, messages: list[InboxMessage]) -> list[Letter]:
    accounts = await context.accounts.of_ids(
        account_id for message in messages for account_id in (message.sender, message.recipient)
    )
    return [Letter(message, accounts.get(message.sender), accounts.get(message.recipient)) for message in messages]
