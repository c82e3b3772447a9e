"""SQL on the replicas of a mirror that are to be checked, or tried again, all of them. One function, one statement.

A replica that has changed since the mirror's `doubted_at` or `retried_at` has been dealt with.
"""

from datetime import datetime
from typing import LiteralString

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_value

_DOUBTED: LiteralString = "state = 'verified' and due_at > now() and replica.changed_at < %(before)s"
_FAILED: LiteralString = """error is not null and due_at > now() and lease_until is null
    and replica.changed_at < %(before)s"""


async def break_off(connection: Connection, mirror_id: int) -> None:
    """Break off all work that is under way on a mirror: as many replicas as the mirror may be asked for at once."""
    statement = """
        update replica set worker = null, lease_until = null where mirror_id = %(id)s and lease_until is not null
    """
    await connection.execute(statement, {"id": mirror_id})


async def doubt(connection: Connection, mirror_id: int) -> datetime:
    """Put in doubt whatever was verified on a mirror until now; returns that moment."""
    # Not when the transaction began: it may have waited for one that has just verified a replica.
    statement = "update mirror set doubted_at = clock_timestamp() where id = %(id)s returning doubted_at"
    moment = await fetch_value(connection, statement, {"id": mirror_id})
    assert moment, "the caller holds the row"
    return moment


async def retry(connection: Connection, mirror_id: int) -> datetime:
    """Have tried again whatever failed on a mirror until now; returns that moment."""
    statement = "update mirror set retried_at = clock_timestamp() where id = %(id)s returning retried_at"
    moment = await fetch_value(connection, statement, {"id": mirror_id})
    assert moment, "the caller holds the row"
    return moment


def _moment(id: int, moment: datetime) -> tuple[int, datetime]:  # noqa: A002  (the name of the column)
    return id, moment


async def doubted_mirrors(connection: Connection) -> list[tuple[int, datetime]]:
    """The mirrors with replicas in doubt, and until when these were verified."""
    statement = "select id, doubted_at as moment from mirror where doubted_at is not null"
    return await fetch_all(connection, _moment, statement, {})


async def retried_mirrors(connection: Connection) -> list[tuple[int, datetime]]:
    """The mirrors with replicas that are to be tried again, and until when these failed."""
    statement = "select id, retried_at as moment from mirror where retried_at is not null"
    return await fetch_all(connection, _moment, statement, {})


async def check_some(connection: Connection, mirror_id: int, before: datetime, limit: int) -> int:
    """Make up to `limit` replicas due to be checked that were verified before; returns their number."""
    statement: LiteralString = f"""
        update replica set due_at = now() where id = any(array(
            select id from replica where mirror_id = %(id)s and {_DOUBTED}
            order by due_at limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"id": mirror_id, "before": before, "limit": limit})


async def retry_some(connection: Connection, mirror_id: int, before: datetime, limit: int) -> int:
    """Make up to `limit` replicas due that failed before, as if they had not been tried; returns their number."""
    statement: LiteralString = f"""
        update replica set due_at = now(), attempts = 0 where id = any(array(
            select id from replica where mirror_id = %(id)s and {_FAILED}
            order by due_at limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"id": mirror_id, "before": before, "limit": limit})


async def end_doubt(connection: Connection, mirror_id: int, before: datetime) -> None:
    """Record that no replica of a mirror is in doubt, unless one is, or all were put in doubt again."""
    statement: LiteralString = f"""
        update mirror set doubted_at = null
        where id = %(id)s and doubted_at = %(before)s
            and not exists (select from replica where mirror_id = %(id)s and {_DOUBTED})
    """
    await connection.execute(statement, {"id": mirror_id, "before": before})


async def end_retry(connection: Connection, mirror_id: int, before: datetime) -> None:
    """Record that nothing is left to be tried again on a mirror, unless something is, or was added."""
    statement: LiteralString = f"""
        update mirror set retried_at = null
        where id = %(id)s and retried_at = %(before)s
            and not exists (select from replica where mirror_id = %(id)s and {_FAILED})
    """
    await connection.execute(statement, {"id": mirror_id, "before": before})


async def count_doubted(connection: Connection) -> int:
    """The number of replicas that are in doubt and not yet due to be checked."""
    statement = """
        select count(*) from mirror join replica on mirror_id = mirror.id
        where doubted_at is not null and state = 'verified' and due_at > now() and replica.changed_at < doubted_at
    """
    return await fetch_value(connection, statement, {}) or 0


async def count_retried(connection: Connection) -> int:
    """The number of replicas that are to be tried again and are not yet due."""
    statement = """
        select count(*) from mirror join replica on mirror_id = mirror.id
        where retried_at is not null and error is not null and due_at > now() and lease_until is null
            and replica.changed_at < retried_at
    """
    return await fetch_value(connection, statement, {}) or 0
