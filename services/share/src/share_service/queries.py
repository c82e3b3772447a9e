"""The statements of the share service: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from common.db import Connection, Params
from share_service.model import Kind, Release, Share, Terms

Row = TypeVar("Row")

_SHARE: LiteralString = (
    "id, code, kind, file_id, name, size, body, state, expires_at, uses_left, used_count, created_at"
)


async def _rows(connection: Connection, row: type[Row], statement: LiteralString, parameters: Params) -> list[Row]:
    async with connection.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchall()


async def _row(connection: Connection, row: type[Row], statement: LiteralString, parameters: Params) -> Row | None:
    rows = await _rows(connection, row, statement, parameters)
    return rows[0] if rows else None


async def _count(connection: Connection, statement: LiteralString, parameters: Params) -> int:
    cursor = await connection.execute(statement, parameters)
    return cursor.rowcount


async def insert_share(
    connection: Connection,
    *,
    id: UUID,  # noqa: A002
    code: str,
    kind: Kind,
    origin: str | None,
    file_id: UUID | None,
    name: str,
    size: int,
    body: str | None,
    terms: Terms,
    now: datetime,
) -> bool:
    """Add an active share; False when its code or its origin is there already."""
    statement: LiteralString = """
        insert into share (id, code, kind, origin, file_id, name, size, body, expires_at, uses_left, created_at)
        values (%(id)s, %(code)s, %(kind)s, %(origin)s, %(file_id)s, %(name)s, %(size)s, %(body)s,
                %(expires_at)s, %(uses)s, %(now)s)
        on conflict do nothing
    """
    parameters = {
        "id": id,
        "code": code,
        "kind": kind,
        "origin": origin,
        "file_id": file_id,
        "name": name,
        "size": size,
        "body": body,
        "expires_at": terms.expires_at,
        "uses": terms.uses,
        "now": now,
    }
    return await _count(connection, statement, parameters) == 1


async def code_of_origin(connection: Connection, origin: str) -> str | None:
    """The code of the share that `origin` caused, ended or not."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select code from share where origin = %(origin)s", {"origin": origin})
        return await cursor.fetchone()


async def share_of_code(connection: Connection, code: str) -> Share | None:
    """The share with this code, in whatever state."""
    return await _row(connection, Share, f"select {_SHARE} from share where code = %(code)s", {"code": code})


async def take_use(connection: Connection, share_id: UUID, now: datetime) -> Share | None:
    """Redeem once and return the share as it stands then; None when there is nothing left to take.

    Of two redemptions of the last use at once, the second waits for the first and finds nothing.
    """
    statement: LiteralString = f"""
        update share set
            uses_left = uses_left - 1,
            used_count = used_count + 1,
            state = case when uses_left > 1 or uses_left is null then state when kind = 'file' then 'spent'
                    else 'ended' end,
            ended_at = case when uses_left = 1 then %(now)s else ended_at end,
            release_due_at = case when uses_left = 1 then %(now)s else release_due_at end
        where id = %(share_id)s and state = 'active' and (uses_left is null or uses_left > 0)
            and (expires_at is null or expires_at > %(now)s)
        returning {_SHARE}
    """
    return await _row(connection, Share, statement, {"share_id": share_id, "now": now})


async def erase_body(connection: Connection, share_id: UUID) -> None:
    """Forget the text of a share."""
    await connection.execute("update share set body = null where id = %(share_id)s", {"share_id": share_id})


async def upsert_lease(connection: Connection, share_id: UUID, holder: bytes, expires_at: datetime) -> None:
    """Let `holder` resume until `expires_at`."""
    statement: LiteralString = """
        insert into lease (share_id, holder, expires_at) values (%(share_id)s, %(holder)s, %(expires_at)s)
        on conflict (share_id, holder) do update set expires_at = excluded.expires_at
    """
    await connection.execute(statement, {"share_id": share_id, "holder": holder, "expires_at": expires_at})


async def has_lease(connection: Connection, share_id: UUID, holder: bytes, now: datetime) -> bool:
    """Whether `holder` may resume."""
    statement: LiteralString = """
        select 1 from lease where share_id = %(share_id)s and holder = %(holder)s and expires_at > %(now)s
    """
    parameters = {"share_id": share_id, "holder": holder, "now": now}
    return await _count(connection, statement, parameters) == 1


async def held_files(connection: Connection, file_ids: Sequence[UUID]) -> list[UUID]:
    """Which of these files a share holds that has not given it back."""
    statement: LiteralString = """
        select distinct file_id from share where file_id = any(%(file_ids)s) and state <> 'released'
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(statement, {"file_ids": list(file_ids)})
        return await cursor.fetchall()


async def end_expired(connection: Connection, now: datetime, limit: int) -> int:
    """End up to `limit` shares whose time is over, and forget their texts. Returns how many."""
    statement: LiteralString = """
        update share set state = 'ended', body = null, ended_at = coalesce(ended_at, %(now)s), release_due_at = %(now)s
        where id in (
            select id from share where state in ('active', 'spent') and expires_at <= %(now)s
            order by expires_at limit %(limit)s for update skip locked
        )
    """
    return await _count(connection, statement, {"now": now, "limit": limit})


async def end_spent(connection: Connection, now: datetime, limit: int) -> int:
    """End up to `limit` shares whose last use is taken and whose leases are over. Returns how many."""
    statement: LiteralString = """
        update share set state = 'ended', release_due_at = %(now)s
        where id in (
            select id from share where state = 'spent' and not exists (
                select from lease where lease.share_id = share.id and lease.expires_at > %(now)s
            ) limit %(limit)s for update skip locked
        )
    """
    return await _count(connection, statement, {"now": now, "limit": limit})


async def claim_releases(connection: Connection, now: datetime, again_at: datetime, limit: int) -> list[Release]:
    """Up to `limit` ended shares to release now; another sweep leaves them alone until `again_at`."""
    statement: LiteralString = """
        update share set release_due_at = %(again_at)s
        where id in (
            select id from share where state = 'ended' and release_due_at <= %(now)s
            order by release_due_at limit %(limit)s for update skip locked
        )
        returning id, file_id, file_id is not null and exists (
            select from share other where other.file_id = share.file_id and other.state in ('active', 'spent')
        ) as wanted
    """
    return await _rows(connection, Release, statement, {"now": now, "again_at": again_at, "limit": limit})


async def mark_released(connection: Connection, share_id: UUID, now: datetime) -> None:
    """Record that a share holds nothing any more."""
    statement: LiteralString = """
        update share set state = 'released', body = null, released_at = %(now)s
        where id = %(share_id)s and state = 'ended'
    """
    await connection.execute(statement, {"share_id": share_id, "now": now})


async def delete_released(connection: Connection, released_before: datetime, limit: int) -> int:
    """Delete up to `limit` shares that were released before that moment, with their leases. Returns how many."""
    statement: LiteralString = """
        delete from share where id in (
            select id from share where state = 'released' and released_at <= %(before)s
            limit %(limit)s for update skip locked
        )
    """
    return await _count(connection, statement, {"before": released_before, "limit": limit})


async def delete_leases(connection: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` leases that are over. Returns how many."""
    statement: LiteralString = """
        delete from lease where (share_id, holder) in (
            select share_id, holder from lease where expires_at <= %(now)s limit %(limit)s for update skip locked
        )
    """
    return await _count(connection, statement, {"now": now, "limit": limit})


async def policy_changes(connection: Connection) -> dict[str, Any]:
    """What an administrator changed, by the name of the policy's field."""
    cursor = await connection.execute("select name, value from policy")
    return dict(await cursor.fetchall())
