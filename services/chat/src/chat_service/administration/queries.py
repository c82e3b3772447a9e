"""Statements that list, search and count open rooms. Each order has an index of its own, and so has the search."""

from collections.abc import Sequence
from typing import Any, LiteralString

from chat_service.administration.model import After, Filter, Kind, Order, SortKey
from chat_service.rooms.model import Room
from chat_service.rooms.queries.rooms import OPEN, ROOM
from common.db import Connection
from common.db.rows import fetch_all, fetch_one, search, search_count

_SORTS: dict[SortKey, LiteralString] = {"created_at": "id", "name": """(left(lower(name), 64) collate "C")"""}
_KINDS: dict[Kind, LiteralString] = {"public": "not is_private", "private": "is_private"}
# Shorter keywords consist of no group of three characters.
_LONG = 3


def _counted(room_id: int, number: int) -> tuple[int, int]:
    return room_id, number


async def list_rooms(
    connection: Connection, wanted: Filter, order: Order, after: After | None, limit: int
) -> list[Room]:
    """Up to `limit` rooms that come after a place. The filter has no keyword."""
    statement, parameters = _list(wanted, order, after, limit)
    return await fetch_all(connection, Room, statement, parameters)


async def search_rooms(
    connection: Connection, wanted: Filter, order: Order, after: After | None, limit: int
) -> list[Room]:
    """Up to `limit` rooms that a keyword finds, after a place."""
    statement, parameters = _list(wanted, order, after, limit)
    return await search(connection, Room, statement, parameters)


async def count_rooms(connection: Connection, wanted: Filter) -> int:
    """The number of rooms that a filter leaves."""
    statement: LiteralString = f"select count(*) from room where {_conditions(wanted)}"
    return await search_count(connection, statement, _parameters(wanted))


async def open_room(connection: Connection, room_id: int) -> Room | None:
    """An open room."""
    statement: LiteralString = f"select {ROOM} from room where id = %(room_id)s and {OPEN}"
    return await fetch_one(connection, Room, statement, {"room_id": room_id})


async def count_members(connection: Connection, room_ids: Sequence[int]) -> dict[int, int]:
    """The numbers of the members of these rooms."""
    statement = """
        select room_id, count(*) as number from member where room_id = any(%(room_ids)s) group by room_id
    """
    return dict(await fetch_all(connection, _counted, statement, {"room_ids": list(room_ids)}))


def _list(wanted: Filter, order: Order, after: After | None, limit: int) -> tuple[LiteralString, dict[str, Any]]:
    sort = _SORTS[order.key]
    down: LiteralString = "desc" if order.descending else "asc"
    beyond: LiteralString = "<" if order.descending else ">"
    row: LiteralString = "id" if order.key == "created_at" else f"({sort}, id)"
    ordered: LiteralString = f"id {down}" if order.key == "created_at" else f"{sort} {down}, id {down}"
    conditions = _conditions(wanted)
    if after:
        place: LiteralString = "%(after)s" if order.key == "created_at" else "(%(value)s, %(after)s)"
        conditions += f" and {row} {beyond} {place}"
    statement: LiteralString = f"select {ROOM} from room where {conditions} order by {ordered} limit %(limit)s"
    values = {"value": after and after.value, "after": after and after.room_id, "limit": limit}
    return statement, {**_parameters(wanted), **values}


def _conditions(wanted: Filter) -> LiteralString:
    found: list[LiteralString] = [OPEN]
    if wanted.keyword:
        found.append("(' ' || lower(name)) like %(pattern)s")
    if wanted.owner:
        found.append("owner = %(owner)s")
    if wanted.kind:
        found.append(_KINDS[wanted.kind])
    return " and ".join(found)


def _parameters(wanted: Filter) -> dict[str, Any]:
    keyword = wanted.keyword or ""
    quoted = keyword.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return {"pattern": f"%{quoted}%" if len(keyword) >= _LONG else f" {quoted}%", "owner": wanted.owner}
