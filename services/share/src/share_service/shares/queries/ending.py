"""Statements that end shares, which are counted here, release them and delete them.

Rows are claimed as an array, whose elements are always looked up by the primary key. A subquery would be joined, which
may read the table through.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_values
from share_service.shares.model import EndedFor, Release
from share_service.shares.queries.columns import ENDED, EXPIRED, FORGOTTEN, SPENT, SPENT_ID
from share_service.shares.tallying import end_counted


async def end_expired(connection: Connection, now: datetime, limit: int) -> int:
    """End up to `limit` shares whose time is over, and erase their texts. Returns their number."""
    statement: LiteralString = f"""
        update share set {ENDED}
        where id = any(array(
            select id from share where {EXPIRED}
            order by expires_at limit %(limit)s for update skip locked
        ))
    """
    return await end_counted(connection, statement, {"now": now, "ended_for": None, "limit": limit})


async def end_spent(connection: Connection, now: datetime, limit: int) -> int:
    """End up to `limit` shares whose last use is taken and whose leases are over. Returns their number."""
    statement: LiteralString = f"""
        update share set state = 'ended', release_due_at = %(now)s
        where id = any(array(
            select id from share where {SPENT} order by {SPENT_ID} limit %(limit)s for update skip locked
        ))
    """
    return await end_counted(connection, statement, {"now": now, "limit": limit})


async def end_of_files(
    connection: Connection, file_ids: Sequence[UUID], now: datetime, ended_for: EndedFor | None
) -> int:
    """End the shares of these files that have not ended. Returns their number."""
    statement: LiteralString = f"""
        update share set {ENDED}
        where id = any(array(
            select id from share where file_id = any(%(file_ids)s) and state in ('active', 'spent')
            order by id for update
        ))
    """
    return await end_counted(connection, statement, {"file_ids": list(file_ids), "now": now, "ended_for": ended_for})


async def end_of_ids(connection: Connection, share_ids: Sequence[UUID], now: datetime) -> int:
    """End those of these shares that have not ended. Returns their number."""
    statement: LiteralString = f"""
        update share set {ENDED}
        where id = any(array(
            select id from share where id = any(%(share_ids)s) and state in ('active', 'spent')
            order by id for update
        ))
    """
    return await end_counted(connection, statement, {"share_ids": list(share_ids), "now": now, "ended_for": None})


async def end_of_owner(connection: Connection, owner: UUID, now: datetime, limit: int) -> int:
    """End up to `limit` shares of an account that have not ended. Returns their number."""
    statement: LiteralString = f"""
        update share set {ENDED}
        where id = any(array(
            select id from share where state in ('active', 'spent') and id = any(array(
                select id from share where owner = %(owner)s and state in ('active', 'spent') limit %(limit)s
            ))
            order by id for update
        ))
    """
    return await end_counted(connection, statement, {"owner": owner, "now": now, "ended_for": None, "limit": limit})


async def end_drops(connection: Connection, owner: UUID, now: datetime) -> None:
    """End the drop-offs of an account."""
    statement: LiteralString = "update drop_off set ended_at = %(now)s where owner = %(owner)s and ended_at is null"
    await connection.execute(statement, {"owner": owner, "now": now})


async def end_of_id(connection: Connection, share_id: UUID, now: datetime, ended_for: EndedFor) -> None:
    """End a share that has not ended."""
    statement: LiteralString = f"""
        update share set {ENDED} where id = %(share_id)s and state in ('active', 'spent')
    """
    await end_counted(connection, statement, {"share_id": share_id, "now": now, "ended_for": ended_for})


async def claim_ended(connection: Connection, now: datetime, again_at: datetime, limit: int) -> list[Release]:
    """Up to `limit` ended shares to release now; no other sweep gets them until `again_at`."""
    statement: LiteralString = """
        update share set release_due_at = %(again_at)s
        where id = any(array(
            select id from share where state = 'ended' and release_due_at <= %(now)s
            order by release_due_at limit %(limit)s for update skip locked
        ))
        returning id, file_id
    """
    return await fetch_all(connection, Release, statement, {"now": now, "again_at": again_at, "limit": limit})


async def files_wanted(connection: Connection, file_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these files that a share still serves, by itself or as one of its items."""
    statement: LiteralString = """
        select file_id from share where file_id = any(%(file_ids)s) and state in ('active', 'spent')
        union
        select item.file_id from item join share on share.id = share_id
        where item.file_id = any(%(file_ids)s) and item.state <> 'removed' and share.state in ('active', 'spent')
    """
    return await fetch_values(connection, statement, {"file_ids": list(file_ids)})


async def lock_shares(connection: Connection, share_ids: Sequence[UUID]) -> None:
    """Lock shares until the transaction ends, always in the same order."""
    statement: LiteralString = "select from share where id = any(%(share_ids)s) order by id for update"
    await connection.execute(statement, {"share_ids": list(share_ids)})


async def end_emptied(connection: Connection, share_ids: Sequence[UUID], now: datetime) -> int:
    """End those of these shares whose items have all failed or been removed. Returns their number.

    They have to be locked: while a statement waits for a share, it does not see the items that it gets.
    """
    statement: LiteralString = f"""
        update share set {ENDED}
        where id = any(%(share_ids)s) and kind = 'items' and state in ('active', 'spent')
            and not exists (
                select from item where share_id = share.id and item.state in ('waiting', 'verifying', 'ready') offset 0)
    """
    return await end_counted(connection, statement, {"share_ids": list(share_ids), "now": now, "ended_for": None})


async def mark_released(connection: Connection, share_ids: Sequence[UUID], now: datetime) -> None:
    """Record that these shares have given back what they held."""
    statement: LiteralString = """
        update share set state = 'released', body = null, released_at = %(now)s
        where id = any(%(share_ids)s) and state = 'ended'
    """
    await connection.execute(statement, {"share_ids": list(share_ids), "now": now})


async def delete_released(connection: Connection, before: datetime, pages_before: datetime, limit: int) -> int:
    """Delete up to `limit` shares released before `before` (pages: before `pages_before`), with their leases.

    Returns their number.
    """
    statement: LiteralString = f"""
        delete from share where id = any(array(
            select id from share where {FORGOTTEN} limit %(limit)s for update skip locked
        ))
    """
    parameters = {"before": before, "pages_before": pages_before, "limit": limit}
    return await count(connection, statement, parameters)


async def delete_leases(connection: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` leases that are over. Returns their number."""
    statement: LiteralString = """
        delete from lease where ctid = any(array(
            select ctid from lease where expires_at <= %(now)s limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"now": now, "limit": limit})
