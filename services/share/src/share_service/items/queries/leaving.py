"""Statements of the sweeps: items whose uploads ended without telling, and items that give back what they hold.

Rows are claimed as an array, for the reason that `shares.queries.ending` gives.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import fetch_all, fetch_value
from share_service.items.model import Holding, Item
from share_service.items.queries.columns import ITEM


async def claim_looks(connection: Connection, now: datetime, again_at: datetime, limit: int) -> list[Item]:
    """Up to `limit` items whose content is due or has failed; no other sweep gets them until `again_at`."""
    statement: LiteralString = f"""
        update item set look_at = %(again_at)s
        where id = any(array(
            select id from item where state in ('waiting', 'verifying', 'failed') and look_at <= %(now)s
            order by look_at limit %(limit)s for update skip locked
        ))
        returning {ITEM}
    """
    return await fetch_all(connection, Item, statement, {"now": now, "again_at": again_at, "limit": limit})


async def forget_failed(connection: Connection, item_ids: Sequence[UUID]) -> None:
    """Look at failed items no more, unless their content has been begun again."""
    statement: LiteralString = """
        update item set look_at = 'infinity'
        where id = any(array(
            select id from item where id = any(%(item_ids)s) and state = 'failed' order by id for update
        ))
    """
    await connection.execute(statement, {"item_ids": list(item_ids)})


async def claim_removed(connection: Connection, now: datetime, again_at: datetime, limit: int) -> list[Holding]:
    """Up to `limit` removed items to give back now; no other sweep gets them until `again_at`."""
    statement: LiteralString = """
        update item set look_at = %(again_at)s
        where id = any(array(
            select id from item where state = 'removed' and look_at <= %(now)s
            order by look_at limit %(limit)s for update skip locked
        ))
        returning id as item_id, session_id, file_id
    """
    return await fetch_all(connection, Holding, statement, {"now": now, "again_at": again_at, "limit": limit})


async def holdings_of_shares(connection: Connection, share_ids: Sequence[UUID]) -> list[Holding]:
    """The uploads and files that the items of these shares hold."""
    statement: LiteralString = """
        select id as item_id, session_id, file_id from item where share_id = any(%(share_ids)s)
    """
    return await fetch_all(connection, Holding, statement, {"share_ids": list(share_ids)})


async def delete_items(connection: Connection, item_ids: Sequence[UUID]) -> None:
    """Delete items that hold nothing any more."""
    await connection.execute("delete from item where id = any(%(item_ids)s)", {"item_ids": list(item_ids)})


async def count_looks(connection: Connection, now: datetime) -> int:
    """The items whose content is due."""
    statement: LiteralString = """
        select count(*) from item where state in ('waiting', 'verifying', 'failed') and look_at <= %(now)s
    """
    return await fetch_value(connection, statement, {"now": now}) or 0


async def count_removed(connection: Connection, now: datetime) -> int:
    """The removed items that are due to be given back."""
    statement: LiteralString = "select count(*) from item where state = 'removed' and look_at <= %(now)s"
    return await fetch_value(connection, statement, {"now": now}) or 0
