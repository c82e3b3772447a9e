"""Statements about the sums of hours and days."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all
from share_service.statistics.model import Sum


async def insert_batch(connection: Connection, batch_id: UUID, now: datetime) -> bool:
    """Record that a batch is added in this transaction; False if it was added before."""
    statement = """
        insert into statistic_batch (id, added_at) values (%(batch_id)s, %(now)s) on conflict do nothing
    """
    return await count(connection, statement, {"batch_id": batch_id, "now": now}) == 1


async def insert_sums(connection: Connection, sums: Sequence[Sum]) -> None:
    """Add to the sums of hours."""
    statement = """
        insert into statistic (step, at, name, dialect, value)
        select 'hour', * from unnest(%(at)s::timestamptz[], %(name)s::text[], %(dialect)s::text[], %(value)s::bigint[])
        on conflict (step, at, name, dialect) do update set value = statistic.value + excluded.value
    """
    parameters = {
        "at": [one.at for one in sums],
        "name": [one.name for one in sums],
        "dialect": [one.dialect for one in sums],
        "value": [one.value for one in sums],
    }
    await connection.execute(statement, parameters)


async def roll_up(connection: Connection, before: datetime) -> int:
    """Turn the hours before a moment into days. Returns the number of their sums."""
    statement = """
        with old as (delete from statistic where step = 'hour' and at < %(before)s returning at, name, dialect, value),
        added as (
            insert into statistic (step, at, name, dialect, value)
            select 'day', date_trunc('day', at, 'UTC'), name, dialect, sum(value)::bigint from old group by 2, 3, 4
            on conflict (step, at, name, dialect) do update set value = statistic.value + excluded.value
        )
        select from old
    """
    return await count(connection, statement, {"before": before})


async def forget_batches(connection: Connection, before: datetime, limit: int) -> int:
    """Forget up to `limit` batches that were added before a moment. Returns their number."""
    statement = """
        delete from statistic_batch where id = any(array(
            select id from statistic_batch where added_at < %(before)s order by added_at limit %(limit)s
        ))
    """
    return await count(connection, statement, {"before": before, "limit": limit})


async def sums_of_hours(connection: Connection, begin: datetime, end: datetime) -> list[Sum]:
    """The sums of the hours from `begin` until `end`."""
    statement = """
        select at, name, dialect, value from statistic where step = 'hour' and at >= %(begin)s and at < %(end)s
    """
    return await fetch_all(connection, Sum, statement, {"begin": begin, "end": end})


async def sums_of_days(connection: Connection, begin: datetime, end: datetime) -> list[Sum]:
    """The sums of the days from `begin` until `end`, made of hours and of days."""
    statement = """
        select date_trunc('day', at, 'UTC') as at, name, dialect, sum(value)::bigint as value from statistic
        where step = any('{hour,day}') and at >= %(begin)s and at < %(end)s group by 1, 2, 3
    """
    return await fetch_all(connection, Sum, statement, {"begin": begin, "end": end})
