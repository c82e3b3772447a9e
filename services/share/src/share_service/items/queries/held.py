"""Statements about the items of shares: adding, finding and changing them."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_values
from share_service.items.model import Awaited, Held, Item, NewItem
from share_service.items.queries.columns import ITEM


async def insert_items(connection: Connection, share_id: UUID, items: Sequence[NewItem], look_at: datetime) -> None:
    """Add items to a share, after those that it has. The share is locked, or new."""
    statement: LiteralString = """
        insert into item (id, share_id, position, kind, name, size, body, sha256, state, file_id, look_at)
        select one.*, %(look_at)s from (
            select unnest(%(ids)s::uuid[]), %(share_id)s::uuid, unnest(%(positions)s::integer[]) + coalesce(
                    (select max(position) + 1 from item where share_id = %(share_id)s), 0),
                unnest(%(kinds)s::text[]), unnest(%(names)s::text[]), unnest(%(sizes)s::bigint[]),
                unnest(%(bodies)s::text[]), unnest(%(digests)s::bytea[]), unnest(%(states)s::text[]),
                unnest(%(file_ids)s::uuid[])
        ) one
    """
    parameters = {
        "share_id": share_id,
        "look_at": look_at,
        "positions": list(range(len(items))),
        "ids": [item.id for item in items],
        "kinds": [item.kind for item in items],
        "names": [item.name for item in items],
        "sizes": [item.size for item in items],
        "bodies": [item.body for item in items],
        "digests": [item.sha256 for item in items],
        "states": [item.state for item in items],
        "file_ids": [item.file_id for item in items],
    }
    await connection.execute(statement, parameters)


async def items_of_share(connection: Connection, share_id: UUID) -> list[Item]:
    """The items of a share, in their order, without those that were removed."""
    statement: LiteralString = f"""
        select {ITEM} from item where share_id = %(share_id)s and state <> 'removed' order by position
    """
    return await fetch_all(connection, Item, statement, {"share_id": share_id})


async def item_of_id(connection: Connection, item_id: UUID) -> Item | None:
    """The item with this id, in any state."""
    statement: LiteralString = f"select {ITEM} from item where id = %(item_id)s"
    return await fetch_one(connection, Item, statement, {"item_id": item_id})


async def lock_items(connection: Connection, item_ids: Sequence[UUID]) -> list[Item]:
    """Those of the items that exist, locked until the transaction ends."""
    statement: LiteralString = f"select {ITEM} from item where id = any(%(item_ids)s) order by id for update"
    return await fetch_all(connection, Item, statement, {"item_ids": list(item_ids)})


async def update_item(connection: Connection, item: Item, look_at: datetime) -> None:
    """Write the state of an item, and what brings or holds its content."""
    statement: LiteralString = """
        update item set state = %(state)s, session_id = %(session_id)s, file_id = %(file_id)s, sha256 = %(sha256)s,
            look_at = %(look_at)s
        where id = %(id)s
    """
    parameters = {
        "id": item.id,
        "state": item.state,
        "session_id": item.session_id,
        "file_id": item.file_id,
        "sha256": item.sha256,
        "look_at": look_at,
    }
    await connection.execute(statement, parameters)


async def held_by_share(connection: Connection, share_id: UUID) -> Held:
    """The number and the sizes of the items of a share."""
    statement: LiteralString = """
        select count(*) as number, coalesce(sum(size), 0)::bigint as size,
            coalesce(sum(size) filter (where kind = 'text'), 0)::bigint as text_size
        from item where share_id = %(share_id)s and state <> 'removed'
    """
    held = await fetch_one(connection, Held, statement, {"share_id": share_id})
    assert held is not None, "sums are always there"
    return held


async def awaited_of_shares(connection: Connection, share_ids: Sequence[UUID]) -> list[Awaited]:
    """The number of files that have not arrived, for those of the shares that wait for some."""
    statement: LiteralString = """
        select share_id, count(*) as number from item
        where share_id = any(%(share_ids)s) and kind = 'file' and state = 'waiting' group by share_id
    """
    return await fetch_all(connection, Awaited, statement, {"share_ids": list(share_ids)})


async def remove_item(connection: Connection, share_id: UUID, item_id: UUID, now: datetime) -> bool:
    """Take an item from its share; False if the share has none with this id."""
    statement: LiteralString = """
        update item set state = 'removed', body = null, look_at = %(now)s
        where id = %(item_id)s and share_id = %(share_id)s and state <> 'removed'
    """
    return await count(connection, statement, {"share_id": share_id, "item_id": item_id, "now": now}) == 1


async def shares_with_files(connection: Connection, file_ids: Sequence[UUID]) -> list[UUID]:
    """The shares that have items with these files."""
    statement: LiteralString = """
        select distinct share_id from item where file_id = any(%(file_ids)s) and state <> 'removed'
    """
    return await fetch_values(connection, statement, {"file_ids": list(file_ids)})


async def remove_of_files(connection: Connection, file_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Take the items with these files from their shares. Returns the ids of the shares, perhaps several times."""
    statement: LiteralString = """
        update item set state = 'removed', look_at = %(now)s
        where id = any(array(
            select id from item where file_id = any(%(file_ids)s) and state <> 'removed' order by id for update
        ))
        returning share_id
    """
    return await fetch_values(connection, statement, {"file_ids": list(file_ids), "now": now})


async def rename_of_file(connection: Connection, file_id: UUID, name: str) -> None:
    """Give the items with this file its new name."""
    statement: LiteralString = """
        update item set name = %(name)s
        where id = any(array(select id from item where file_id = %(file_id)s order by id for update))
    """
    await connection.execute(statement, {"file_id": file_id, "name": name})


async def files_of_items(connection: Connection, file_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these files that an item has and has not given back."""
    statement: LiteralString = "select distinct file_id from item where file_id = any(%(file_ids)s)"
    return await fetch_values(connection, statement, {"file_ids": list(file_ids)})
