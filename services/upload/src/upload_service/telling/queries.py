"""Statements about events that are still to be told. Triggers write most of them (migration 0015)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_value
from upload_service.telling.model import Event


async def first_events(connection: Connection, limit: int) -> list[Event]:
    """Up to `limit` events, the oldest first."""
    statement: LiteralString = "select id, type, owner, at, data from event order by number limit %(limit)s"
    return await fetch_all(connection, Event, statement, {"limit": limit})


async def delete_events(connection: Connection, event_ids: Sequence[UUID]) -> None:
    """Delete events that were told."""
    await connection.execute("delete from event where id = any(%(event_ids)s)", {"event_ids": list(event_ids)})


async def delete_old_events(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete events of this age, among the `limit` oldest. Returns their number."""
    statement: LiteralString = """
        delete from event where id = any(array(select id from event order by number limit %(limit)s))
            and at < now() - %(age)s
    """
    return await count(connection, statement, {"age": age, "limit": limit})


async def insert_event(connection: Connection, event_type: str, data: dict[str, Any], pause: timedelta) -> None:
    """Add an event of the place, unless there was one of its type within the pause."""
    statement: LiteralString = """
        with due as (
            insert into noticed (type, at) values (%(type)s, now())
            on conflict (type) do update set at = excluded.at where noticed.at < excluded.at - %(pause)s
            returning type
        )
        insert into event (type, data) select type, %(data)s from due
    """
    await connection.execute(statement, {"type": event_type, "data": Jsonb(data), "pause": pause})


async def count_events(connection: Connection) -> int:
    """The events that are still to be told."""
    return await fetch_value(connection, "select count(*) from event", {}) or 0
