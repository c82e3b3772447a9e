"""Statements about direct messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from chat_service.inbox.model import ForeignMessage, InboxMessage, Sent
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value
from common.repeatable import Repeatable

_MESSAGE: LiteralString = "id, sender, recipient, body, created_at"


async def insert_message(
    connection: Connection, sender: UUID, recipient: UUID, body: str, now: datetime
) -> InboxMessage:
    """Add a message."""
    statement: LiteralString = f"""
        insert into inbox_message (sender, recipient, body, created_at)
        values (%(sender)s, %(recipient)s, %(body)s, %(now)s) returning {_MESSAGE}
    """
    parameters = {"sender": sender, "recipient": recipient, "body": body, "now": now}
    return (await fetch_all(connection, InboxMessage, statement, parameters))[0]


async def insert_imported(connection: Connection, messages: Sequence[ForeignMessage], now: datetime) -> int:
    """Add those of these messages that were not imported before, in their order. Returns their number."""
    statement = """
        with fresh as (
            insert into imported (origin, imported_at) select unnest(%(origins)s::bytea[]), %(now)s
            on conflict do nothing returning origin
        )
        insert into inbox_message (sender, recipient, body, created_at)
        select sender, recipient, body, created_at
        from unnest(%(origins)s::bytea[], %(senders)s::uuid[], %(recipients)s::uuid[], %(bodies)s::text[],
                    %(moments)s::timestamptz[])
            with ordinality as given (origin, sender, recipient, body, created_at, position)
        join fresh using (origin) order by position
    """
    parameters = {
        "origins": [message.origin for message in messages],
        "senders": [message.sender for message in messages],
        "recipients": [message.recipient for message in messages],
        "bodies": [message.body for message in messages],
        "moments": [message.created_at for message in messages],
        "now": now,
    }
    return await count(connection, statement, parameters)


async def message_of(connection: Connection, message_id: int) -> InboxMessage | None:
    """The message with this id."""
    statement: LiteralString = f"select {_MESSAGE} from inbox_message where id = %(message_id)s"
    return await fetch_one(connection, InboxMessage, statement, {"message_id": message_id})


async def note_send(
    connection: Connection, repeatable: Repeatable, message_id: int, now: datetime, before: datetime
) -> bool:
    """Record the message that a send has made; False if it made another one later than `before`.

    Of two at once, the second waits for the first one's commit.
    """
    statement = """
        insert into inbox_send (request, digest, message_id, sent_at)
        values (%(request)s, %(digest)s, %(message_id)s, %(now)s)
        on conflict (request) do update
            set digest = excluded.digest, message_id = excluded.message_id, sent_at = excluded.sent_at
            where inbox_send.sent_at <= %(before)s
    """
    parameters = {"request": repeatable.origin, "digest": repeatable.digest, "message_id": message_id}
    return await count(connection, statement, {**parameters, "now": now, "before": before}) == 1


async def send_of(connection: Connection, request: str, after: datetime) -> Sent | None:
    """The send with this key, if it was later than `after`."""
    statement = """
        select digest, message_id, sent_at from inbox_send where request = %(request)s and sent_at > %(after)s
    """
    return await fetch_one(connection, Sent, statement, {"request": request, "after": after})


async def delete_sends(connection: Connection, before: datetime, limit: int) -> int:
    """Forget up to `limit` sends that were made by then. Returns their number."""
    statement = """
        delete from inbox_send where request = any(array(
            select request from inbox_send where sent_at <= %(before)s order by sent_at limit %(limit)s
            for update skip locked
        ))
    """
    return await count(connection, statement, {"before": before, "limit": limit})


async def count_sends(connection: Connection, before: datetime) -> int:
    """The sends that are to be forgotten."""
    return await fetch_value(connection, "select count(*) from inbox_send where sent_at <= %(b)s", {"b": before}) or 0


async def messages_of(connection: Connection, account_id: UUID, before: int, limit: int) -> list[InboxMessage]:
    """Up to `limit` messages that an account sent or received before the message `before`, the newest first."""
    # Each half reads one index from its end; a condition with `or` would read both of them whole.
    statement: LiteralString = f"""
        (select {_MESSAGE} from inbox_message where sender = %(account_id)s and id < %(before)s
         order by id desc limit %(limit)s)
        union
        (select {_MESSAGE} from inbox_message where recipient = %(account_id)s and id < %(before)s
         order by id desc limit %(limit)s)
        order by id desc limit %(limit)s
    """
    parameters = {"account_id": account_id, "before": before, "limit": limit}
    return await fetch_all(connection, InboxMessage, statement, parameters)


async def count_messages(connection: Connection, account_id: UUID) -> int:
    """The number of messages that an account sent or received."""
    statement = """
        select (select count(*) from inbox_message where sender = %(account_id)s)
             + (select count(*) from inbox_message where recipient = %(account_id)s and sender <> %(account_id)s)
            as number
    """
    return await fetch_one(connection, _number, statement, {"account_id": account_id}) or 0


async def has_sent(connection: Connection, account_id: UUID, number: int) -> bool:
    """Whether at least `number` messages of a sender are kept."""
    statement = "select 1 from inbox_message where sender = %(account_id)s offset %(skipped)s limit 1"
    return await count(connection, statement, {"account_id": account_id, "skipped": number - 1}) == 1


async def has_written(connection: Connection, sender: UUID, recipient: UUID) -> bool:
    """Whether a message of this sender to this recipient is kept."""
    statement = "select 1 from inbox_message where sender = %(sender)s and recipient = %(recipient)s limit 1"
    return await count(connection, statement, {"sender": sender, "recipient": recipient}) == 1


async def delete_message(connection: Connection, account_id: UUID, message_id: int) -> bool:
    """Delete a message that the account sent or received, for both; False when there is none."""
    statement = """
        delete from inbox_message
        where id = %(message_id)s and (sender = %(account_id)s or recipient = %(account_id)s)
    """
    return await count(connection, statement, {"account_id": account_id, "message_id": message_id}) == 1


async def delete_messages_of(connection: Connection, account_id: UUID, limit: int) -> int:
    """Delete up to `limit` messages each that an account sent and received. Returns their number."""
    statement = """
        delete from inbox_message where id = any(array(
            (select id from inbox_message where sender = %(account_id)s order by id limit %(limit)s)
            union all
            (select id from inbox_message where recipient = %(account_id)s order by id limit %(limit)s)
        ))
    """
    return await count(connection, statement, {"account_id": account_id, "limit": limit})


def _number(number: int) -> int:
    return number
