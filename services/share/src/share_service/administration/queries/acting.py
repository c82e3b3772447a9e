"""Statements that change shares and what is noted about them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import fetch_all
from share_service.administration.model import Note
from share_service.shares.model import EndedFor, Share
from share_service.shares.queries.columns import ENDED, SHARE
from share_service.shares.tallying import end_counted


async def lock_shares(connection: Connection, share_ids: Sequence[UUID]) -> list[Share]:
    """Those of these shares that hold something, locked until the transaction ends."""
    statement: LiteralString = f"""
        select {SHARE} from share where id = any(%(share_ids)s) and state in ('active', 'spent') order by id for update
    """
    return await fetch_all(connection, Share, statement, {"share_ids": list(share_ids)})


async def update_limits(connection: Connection, shares: Sequence[Share]) -> None:
    """Write the names, ends, uses and states of shares."""
    statement: LiteralString = """
        update share set name = %(name)s, expires_at = %(expires_at)s, uses_left = %(uses_left)s, state = %(state)s,
            ended_at = case when %(state)s = 'active' then null else ended_at end
        where id = %(id)s
    """
    async with connection.cursor() as cursor:
        await cursor.executemany(statement, [asdict(share) for share in shares])


async def end_shares(connection: Connection, share_ids: Sequence[UUID], now: datetime, ended_for: EndedFor) -> int:
    """End those of these shares that hold something. Returns their number."""
    statement: LiteralString = f"""
        update share set {ENDED} where id = any(%(share_ids)s) and state in ('active', 'spent')
    """
    return await end_counted(connection, statement, {"share_ids": list(share_ids), "now": now, "ended_for": ended_for})


async def put_note(connection: Connection, share_ids: Sequence[UUID], note: Note, now: datetime) -> None:
    """Note something about shares."""
    statement: LiteralString = """
        insert into share_note (share_id, note, tags, changed_at)
        select id, coalesce(%(note)s::text, ''), coalesce(%(tags)s::text[], '{}'), %(now)s
        from unnest(%(share_ids)s::uuid[]) id
        on conflict (share_id) do update set note = coalesce(%(note)s::text, share_note.note),
            tags = coalesce(%(tags)s::text[], share_note.tags), changed_at = %(now)s
    """
    parameters = {"share_ids": list(share_ids), "note": note.note, "tags": note.tags, "now": now}
    await connection.execute(statement, parameters)
