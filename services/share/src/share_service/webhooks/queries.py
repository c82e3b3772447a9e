"""Statements about webhooks and their events. Triggers write the events (migration 0010)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value
from share_service.webhooks.model import Event, Kind, Webhook

_WEBHOOK: LiteralString = (
    "id, owner, url, events, is_enabled, created_at, due_at, failures, called_at, error, failing_since, dropped,"
    " kind, sealed, vouched_by"
)
_FIRST = UUID(int=0)
# The webhooks after one that have events, each found by one step in the index of the events.
_PENDING: LiteralString = """
    with recursive pending (webhook_id) as (
        (select webhook_id from webhook_event where webhook_id > %(after)s order by webhook_id limit 1)
        union all
        select (
            select later.webhook_id from webhook_event later
            where later.webhook_id > pending.webhook_id order by later.webhook_id limit 1
        ) from pending where pending.webhook_id is not null
    )
"""


async def lock_webhooks_of(connection: Connection, owner: UUID, kind: Kind) -> int:
    """The number of an owner's webhooks of a kind, which nobody else adds to until the transaction ends."""
    parameters = {"owner": owner, "kind": kind, "name": f"webhooks {owner}"}
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", parameters)
    statement: LiteralString = "select count(*) from webhook where owner = %(owner)s and kind = %(kind)s"
    return await fetch_value(connection, statement, parameters) or 0


async def insert_webhook(connection: Connection, webhook: Webhook) -> None:
    """Add a webhook."""
    statement: LiteralString = """
        insert into webhook (id, owner, url, events, created_at, due_at, kind, sealed, vouched_by)
        values (%(id)s, %(owner)s, %(url)s, %(events)s, %(created_at)s, %(due_at)s, %(kind)s, %(sealed)s,
            %(vouched_by)s)
    """
    parameters = {
        "id": webhook.id,
        "owner": webhook.owner,
        "url": webhook.url,
        "events": webhook.events,
        "created_at": webhook.created_at,
        "due_at": webhook.due_at,
        "kind": webhook.kind,
        "sealed": webhook.sealed,
        "vouched_by": webhook.vouched_by,
    }
    await connection.execute(statement, parameters)


async def webhooks_of(connection: Connection, owner: UUID, kind: Kind) -> list[Webhook]:
    """The webhooks of an owner of a kind, the newest first."""
    statement: LiteralString = f"""
        select {_WEBHOOK} from webhook where owner = %(owner)s and kind = %(kind)s order by created_at desc, id desc
    """
    return await fetch_all(connection, Webhook, statement, {"owner": owner, "kind": kind})


async def lock_webhook(connection: Connection, webhook_id: UUID) -> Webhook | None:
    """A webhook, locked until the transaction ends."""
    statement: LiteralString = f"select {_WEBHOOK} from webhook where id = %(webhook_id)s for update"
    return await fetch_one(connection, Webhook, statement, {"webhook_id": webhook_id})


async def update_webhook(connection: Connection, webhook: Webhook) -> None:
    """Write a changed webhook, which has had no failure yet."""
    statement: LiteralString = """
        update webhook set url = %(url)s, events = %(events)s, is_enabled = %(is_enabled)s, due_at = %(due_at)s,
            failures = 0, error = null, failing_since = null, sealed = %(sealed)s,
            vouched_by = %(vouched_by)s
        where id = %(id)s
    """
    parameters = {
        "id": webhook.id,
        "url": webhook.url,
        "events": webhook.events,
        "is_enabled": webhook.is_enabled,
        "due_at": webhook.due_at,
        "sealed": webhook.sealed,
        "vouched_by": webhook.vouched_by,
    }
    await connection.execute(statement, parameters)


async def delete_webhook(connection: Connection, webhook_id: UUID) -> None:
    """Delete a webhook. An event that is written at this moment stays for a day."""
    await connection.execute("delete from webhook where id = %(webhook_id)s", {"webhook_id": webhook_id})


async def delete_events_of(connection: Connection, webhook_id: UUID) -> None:
    """Delete all events of a webhook."""
    await connection.execute("delete from webhook_event where webhook_id = %(webhook_id)s", {"webhook_id": webhook_id})


async def delete_webhooks_of(connection: Connection, owner: UUID) -> None:
    """Delete all webhooks of an account, with their events."""
    statement: LiteralString = """
        with gone as (delete from webhook where owner = %(owner)s returning id)
        delete from webhook_event where webhook_id in (select id from gone)
    """
    await connection.execute(statement, {"owner": owner})


async def insert_event(connection: Connection, webhook_id: UUID, event_type: str, now: datetime) -> None:
    """Add an event that concerns no share."""
    statement: LiteralString = """
        insert into webhook_event (webhook_id, type, at, data) values (%(webhook_id)s, %(type)s, %(now)s, %(data)s)
    """
    parameters = {"webhook_id": webhook_id, "type": event_type, "now": now, "data": Jsonb({})}
    await connection.execute(statement, parameters)


async def insert_told(
    connection: Connection, origin: UUID, event_type: str, owner: UUID | None, at: datetime, data: dict[str, Any]
) -> None:
    """Add an event of another service for each webhook of its owner, and of the place, that hears of it."""
    statement: LiteralString = """
        insert into webhook_event (webhook_id, type, at, data, origin)
        select id, %(type)s, %(at)s, %(data)s, %(origin)s from webhook
        where owner = any(%(owners)s) and is_enabled and %(type)s = any(events)
        on conflict (origin, webhook_id) where origin is not null do nothing
    """
    owners = [_FIRST, *([owner] if owner else [])]
    parameters = {"origin": origin, "type": event_type, "owners": owners, "at": at, "data": Jsonb(data)}
    await connection.execute(statement, parameters)


async def due_webhooks(
    connection: Connection, kind: Kind, now: datetime, after: UUID | None, limit: int
) -> list[tuple[UUID, UUID]]:
    """Up to `limit` webhooks of a kind that have events and may be called, with their owners, in the order of ids."""
    statement: LiteralString = f"""
        {_PENDING}
        select webhook.id, webhook.owner from pending join webhook on webhook.id = pending.webhook_id
        where is_enabled and due_at <= %(now)s and kind = %(kind)s
        limit %(limit)s
    """
    parameters = {"kind": kind, "now": now, "after": after or _FIRST, "limit": limit}
    found = await fetch_all(connection, dict, statement, parameters)
    return [(row["id"], row["owner"]) for row in found]


async def claim_webhook(connection: Connection, webhook_id: UUID, now: datetime, until: datetime) -> Webhook | None:
    """A webhook, if it may still be called; no other process gets it before `until`."""
    statement: LiteralString = f"""
        update webhook set due_at = %(until)s where id = %(webhook_id)s and is_enabled and due_at <= %(now)s
        returning {_WEBHOOK}
    """
    return await fetch_one(connection, Webhook, statement, {"webhook_id": webhook_id, "now": now, "until": until})


async def next_events(connection: Connection, webhook: Webhook, limit: int) -> list[Event]:
    """Up to `limit` events that a claimed webhook is to be told of next; none if it was changed or has ended."""
    statement: LiteralString = """
        select id, type, at, data, origin from webhook_event
        where webhook_id = %(webhook_id)s
            and exists (select from webhook where id = %(webhook_id)s and is_enabled and due_at = %(claimed)s)
        order by id limit %(limit)s
    """
    parameters = {"webhook_id": webhook.id, "claimed": webhook.due_at, "limit": limit}
    return await fetch_all(connection, Event, statement, parameters)


async def delete_told(connection: Connection, event_ids: Sequence[int]) -> None:
    """Delete events that were told."""
    statement: LiteralString = "delete from webhook_event where id = any(%(event_ids)s)"
    await connection.execute(statement, {"event_ids": list(event_ids)})


async def put_off(connection: Connection, webhook: Webhook, due_at: datetime) -> None:
    """Leave a claimed webhook alone until then, unless it was changed meanwhile."""
    statement: LiteralString = """
        update webhook set due_at = %(due_at)s where id = %(webhook_id)s and due_at = %(claimed)s
    """
    await connection.execute(statement, {"webhook_id": webhook.id, "claimed": webhook.due_at, "due_at": due_at})


async def record_call(
    connection: Connection, webhook: Webhook, now: datetime, due_at: datetime, *, is_over: bool
) -> None:
    """Write the outcome of a turn, unless the webhook was changed meanwhile. `is_over`: it is called no more."""
    statement: LiteralString = """
        update webhook set called_at = %(now)s, error = %(error)s, failures = %(failures)s, due_at = %(due_at)s,
            failing_since = %(failing_since)s, is_enabled = not %(is_over)s
        where id = %(webhook_id)s and due_at = %(claimed)s
    """
    parameters = {
        "webhook_id": webhook.id,
        "claimed": webhook.due_at,
        "now": now,
        "error": webhook.error,
        "failures": webhook.failures,
        "due_at": due_at,
        "failing_since": webhook.failing_since,
        "is_over": is_over,
    }
    await connection.execute(statement, parameters)


async def delete_events_before(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` events from before a moment. Returns their number."""
    statement: LiteralString = """
        delete from webhook_event where id = any(array(
            select id from webhook_event where at < %(before)s order by at limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"before": before, "limit": limit})


async def overfull(connection: Connection, most: int) -> tuple[UUID, int] | None:
    """A webhook for which more than `most` events wait, and the id of the last event that is one too many."""
    statement: LiteralString = f"""
        {_PENDING}
        select pending.webhook_id, surplus.id from pending, lateral (
            select id from webhook_event where webhook_event.webhook_id = pending.webhook_id
            order by id desc offset %(most)s limit 1
        ) surplus
        limit 1
    """
    rows = await fetch_all(connection, dict, statement, {"most": most, "after": _FIRST})
    return (rows[0]["webhook_id"], rows[0]["id"]) if rows else None


async def drop_events_to(connection: Connection, webhook_id: UUID, event_id: int, limit: int) -> int:
    """Delete up to `limit` events of a webhook up to this one, and count them as dropped. Returns their number."""
    statement: LiteralString = """
        with gone as (
            delete from webhook_event where id = any(array(
                select id from webhook_event where webhook_id = %(webhook_id)s and id <= %(event_id)s
                order by id limit %(limit)s for update skip locked
            ))
            returning id
        ), counted as (
            update webhook set dropped = dropped + (select count(*) from gone) where id = %(webhook_id)s
        )
        select count(*) from gone
    """
    parameters = {"webhook_id": webhook_id, "event_id": event_id, "limit": limit}
    return await fetch_value(connection, statement, parameters) or 0


async def count_overfull(connection: Connection, most: int) -> int:
    """The webhooks for which more than `most` events wait."""
    statement: LiteralString = f"""
        {_PENDING}
        select count(*) from pending, lateral (
            select id from webhook_event where webhook_event.webhook_id = pending.webhook_id
            order by id desc offset %(most)s limit 1
        ) surplus
    """
    return await fetch_value(connection, statement, {"most": most, "after": _FIRST}) or 0


async def count_due(connection: Connection, now: datetime) -> int:
    """The webhooks that have events and may be called."""
    statement: LiteralString = f"""
        {_PENDING}
        select count(*) from pending join webhook on webhook.id = pending.webhook_id
        where is_enabled and due_at <= %(now)s
    """
    return await fetch_value(connection, statement, {"now": now, "after": _FIRST}) or 0


async def count_events_before(connection: Connection, before: datetime) -> int:
    """The events from before a moment."""
    statement: LiteralString = "select count(*) from webhook_event where at < %(before)s"
    return await fetch_value(connection, statement, {"before": before}) or 0


async def count_events(connection: Connection, webhook_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The number of events that each of these webhooks is still to be told of, without those that have none."""
    statement: LiteralString = """
        select webhook_id, count(*) as waiting from webhook_event
        where webhook_id = any(%(webhook_ids)s) group by webhook_id
    """
    rows = await fetch_all(connection, dict, statement, {"webhook_ids": list(webhook_ids)})
    return {row["webhook_id"]: row["waiting"] for row in rows}
