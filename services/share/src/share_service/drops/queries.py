"""Statements about drop-offs."""

from dataclasses import asdict
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value
from common.pages import Cursor
from share_service.drops.model import Drop
from share_service.shares.model import Share
from share_service.shares.queries.columns import SHARE

_DROP: LiteralString = (
    "id, coalesce(spelling, code) as code, owner, title, greeting, size_limit, item_limit, share_limit, types,"
    " received, created_at, expires_at, ended_at"
)
_OPEN: LiteralString = """ended_at is null and (expires_at is null or expires_at > %(now)s)
    and (share_limit is null or received < share_limit)"""


async def insert_drop(connection: Connection, drop: Drop, code: str, spelling: str | None) -> bool:
    """Add a drop-off; False if its code is taken."""
    statement: LiteralString = """
        insert into drop_off (id, code, spelling, owner, title, greeting, size_limit, item_limit, share_limit, types,
                              created_at, expires_at)
        values (%(id)s, %(canonical)s, %(spelling)s, %(owner)s, %(title)s, %(greeting)s, %(size_limit)s, %(item_limit)s,
                %(share_limit)s, %(types)s, %(created_at)s, %(expires_at)s)
        on conflict (code) do nothing
    """
    return await count(connection, statement, {**asdict(drop), "canonical": code, "spelling": spelling}) == 1


async def drop_of_code(connection: Connection, code: str) -> Drop | None:
    """The drop-off with this code, in capital letters, ended or not."""
    return await fetch_one(connection, Drop, f"select {_DROP} from drop_off where code = %(code)s", {"code": code})


async def lock_drops_of(connection: Connection, owner: UUID) -> int:
    """The number of drop-offs of an account, which nobody else adds to until the transaction ends."""
    parameters = {"owner": owner, "name": f"drop-offs {owner}"}
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", parameters)
    return await fetch_value(connection, "select count(*) from drop_off where owner = %(owner)s", parameters) or 0


async def lock_drop(connection: Connection, code: str) -> Drop | None:
    """The drop-off with this code, locked until the transaction ends."""
    statement: LiteralString = f"select {_DROP} from drop_off where code = %(code)s for no key update"
    return await fetch_one(connection, Drop, statement, {"code": code})


async def drops_of_owner(connection: Connection, owner: UUID, after: Cursor | None, limit: int) -> list[Drop]:
    """Up to `limit` drop-offs of an account that come after the cursor, the newest first."""
    further: LiteralString = "and (created_at, id) < (%(created_at)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {_DROP} from drop_off where owner = %(owner)s {further}
        order by created_at desc, id desc limit %(limit)s
    """
    parameters = {
        "owner": owner,
        "created_at": after.created_at if after else None,
        "id": after.id if after else None,
        "limit": limit,
    }
    return await fetch_all(connection, Drop, statement, parameters)


async def shares_of_drop(connection: Connection, drop_id: UUID, after: Cursor | None, limit: int) -> list[Share]:
    """Up to `limit` shares that came by a drop-off, after the cursor, in any state, the newest first."""
    further: LiteralString = "and (created_at, id) < (%(created_at)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {SHARE} from share where drop_id = %(drop_id)s {further}
        order by created_at desc, id desc limit %(limit)s
    """
    parameters = {
        "drop_id": drop_id,
        "created_at": after.created_at if after else None,
        "id": after.id if after else None,
        "limit": limit,
    }
    return await fetch_all(connection, Share, statement, parameters)


async def take_place(connection: Connection, drop_id: UUID, now: datetime) -> bool:
    """Count a share that comes by a drop-off; False if it takes none any more."""
    statement: LiteralString = f"update drop_off set received = received + 1 where id = %(drop_id)s and {_OPEN}"
    return await count(connection, statement, {"drop_id": drop_id, "now": now}) == 1


async def update_drop(connection: Connection, drop: Drop) -> None:
    """Write what an owner may change."""
    statement: LiteralString = """
        update drop_off set title = %(title)s, greeting = %(greeting)s, size_limit = %(size_limit)s,
            item_limit = %(item_limit)s, share_limit = %(share_limit)s, types = %(types)s, expires_at = %(expires_at)s,
            ended_at = %(ended_at)s
        where id = %(id)s
    """
    await connection.execute(statement, asdict(drop))


async def delete_ended(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` drop-offs that ended before this moment. Returns their number."""
    statement: LiteralString = """
        delete from drop_off where id = any(array(
            select id from drop_off where least(ended_at, expires_at) <= %(before)s
            order by least(ended_at, expires_at) limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"before": before, "limit": limit})


async def count_ended(connection: Connection, before: datetime) -> int:
    """The drop-offs that ended before this moment."""
    statement: LiteralString = "select count(*) from drop_off where least(ended_at, expires_at) <= %(before)s"
    return await fetch_value(connection, statement, {"before": before}) or 0
