"""Statements that make, find and redeem shares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import scalar_row

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from share_service.shares.model import Form, Kind, Made, Share, Terms
from share_service.shares.queries.columns import SHARE


async def insert_share(
    connection: Connection,
    *,
    id: UUID,  # noqa: A002
    form: Form,
    code: str,
    kind: Kind,
    origin: str | None,
    owner: UUID | None,
    password_hash: str | None,
    file_id: UUID | None,
    name: str,
    size: int,
    body: str | None,
    terms: Terms,
    now: datetime,
) -> bool:
    """Add an active share; False when its code or its origin is there already."""
    statement: LiteralString = """
        insert into share (id, form, code, kind, origin, owner, password_hash, file_id, name, size, body, expires_at,
                           uses_left, created_at)
        values (%(id)s, %(form)s, %(code)s, %(kind)s, %(origin)s, %(owner)s, %(password_hash)s, %(file_id)s, %(name)s,
                %(size)s, %(body)s, %(expires_at)s, %(uses)s, %(now)s)
        on conflict do nothing
    """
    parameters = {
        "id": id,
        "form": form,
        "code": code,
        "kind": kind,
        "origin": origin,
        "owner": owner,
        "password_hash": password_hash,
        "file_id": file_id,
        "name": name,
        "size": size,
        "body": body,
        "expires_at": terms.expires_at,
        "uses": terms.uses,
        "now": now,
    }
    return await count(connection, statement, parameters) == 1


async def share_of_origin(connection: Connection, origin: str) -> Made | None:
    """The share that `origin` caused, ended or not."""
    return await fetch_one(
        connection, Made, "select id, code, created_at from share where origin = %(origin)s", {"origin": origin}
    )


async def share_of_code(connection: Connection, form: Form, code: str) -> Share | None:
    """The share that goes by this code, link or slug, in whatever state."""
    statement: LiteralString = f"select {SHARE} from share where code = %(code)s and form = %(form)s"
    return await fetch_one(connection, Share, statement, {"code": code, "form": form})


async def pages_of_slugs(connection: Connection, slugs: Sequence[str]) -> list[Share]:
    """The pages that go by these slugs, in whatever state."""
    statement: LiteralString = f"select {SHARE} from share where code = any(%(slugs)s) and form = 'page'"
    return await fetch_all(connection, Share, statement, {"slugs": list(slugs)})


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
        returning {SHARE}
    """
    return await fetch_one(connection, Share, statement, {"share_id": share_id, "now": now})


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
    return await count(connection, statement, parameters) == 1


async def held_files(connection: Connection, file_ids: Sequence[UUID]) -> list[UUID]:
    """Which of these files a share holds that has not given it back."""
    statement: LiteralString = """
        select distinct file_id from share where file_id = any(%(file_ids)s) and state <> 'released'
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(statement, {"file_ids": list(file_ids)})
        return await cursor.fetchall()


async def policy_changes(connection: Connection) -> dict[str, Any]:
    """What an administrator changed, by the name of the policy's field."""
    cursor = await connection.execute("select name, value from policy")
    return dict(await cursor.fetchall())
