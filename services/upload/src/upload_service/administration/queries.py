"""Statements that list, search, count and end files, whoever owns them, and list fetches.

Each order has an index of its own, and so has the search.
"""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import fetch_all, search, search_count
from common.pages import Cursor
from common.places import Place
from upload_service.administration.model import FetchFilter, Filter, Order, SortKey
from upload_service.content.model import EndedFor, File
from upload_service.content.queries.files import FILE_COLUMNS, LIVING
from upload_service.fetches.model import Fetch
from upload_service.fetches.queries import COLUMNS as FETCH_COLUMNS

_SORTS: dict[SortKey, LiteralString] = {"created_at": "created_at", "size": "size"}
# Shorter keywords consist of no group of three characters.
_LONG = 3


def _counted(blob_id: UUID, state: str, number: int) -> tuple[UUID, str, int]:
    return blob_id, state, number


async def list_files(
    connection: Connection, wanted: Filter, order: Order, after: Place | None, limit: int
) -> list[File]:
    """Up to `limit` files that come after a place. The filter has neither a keyword nor a digest."""
    statement, parameters = _list(wanted, order, after, limit)
    return await fetch_all(connection, File, statement, parameters)


async def search_files(
    connection: Connection, wanted: Filter, order: Order, after: Place | None, limit: int
) -> list[File]:
    """Up to `limit` files that a keyword or a digest finds, after a place."""
    statement, parameters = _list(wanted, order, after, limit)
    return await search(connection, File, statement, parameters)


async def count_files(connection: Connection, wanted: Filter) -> int:
    """The number of files that a filter leaves."""
    statement: LiteralString = f"select count(*) from file where {_conditions(wanted)}"
    return await search_count(connection, statement, _parameters(wanted))


async def replicas_of(connection: Connection, blob_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """The numbers of the replicas of each of these blobs, by their states."""
    statement = """
        select blob_id, state, count(*) as number from replica where blob_id = any(%(blob_ids)s) group by 1, 2
    """
    counts: dict[UUID, dict[str, int]] = {}
    for blob_id, state, number in await fetch_all(connection, _counted, statement, {"blob_ids": list(blob_ids)}):
        counts.setdefault(blob_id, {})[state] = number
    return counts


async def end_files(connection: Connection, file_ids: Sequence[UUID], ended_for: EndedFor) -> list[File]:
    """End those of these files whose time is not over, and return them."""
    statement: LiteralString = f"""
        update file set expires_at = now(), ended_for = %(ended_for)s
        where id = any(array(select id from file where id = any(%(ids)s) and {LIVING} order by id for update))
        returning {FILE_COLUMNS}
    """
    return await fetch_all(connection, File, statement, {"ids": list(file_ids), "ended_for": ended_for})


async def list_fetches(connection: Connection, wanted: FetchFilter, after: Cursor | None, limit: int) -> list[Fetch]:
    """Up to `limit` fetches that come after the cursor, the newest first."""
    conditions = _fetch_conditions(wanted)
    if after:
        conditions += " and (created_at, id) < (%(moment)s, %(id)s)"
    statement: LiteralString = f"""
        select {FETCH_COLUMNS} from fetch_job where {conditions}
        order by created_at desc, id desc limit %(limit)s
    """
    place = {"moment": after and after.created_at, "id": after and after.id, "limit": limit}
    return await fetch_all(connection, Fetch, statement, {**_fetch_parameters(wanted), **place})


async def count_fetches(connection: Connection, wanted: FetchFilter) -> int:
    """The number of fetches that a filter leaves."""
    statement: LiteralString = f"select count(*) from fetch_job where {_fetch_conditions(wanted)}"
    cursor = await connection.execute(statement, _fetch_parameters(wanted))
    found = await cursor.fetchone()
    return found[0] if found else 0


def _list(wanted: Filter, order: Order, after: Place | None, limit: int) -> tuple[LiteralString, dict[str, Any]]:
    sort = _SORTS[order.key]
    conditions = _conditions(wanted)
    down: LiteralString = "desc" if order.descending else "asc"
    if after:
        beyond: LiteralString = "<" if order.descending else ">"
        conditions += f" and ({sort}, id) {beyond} (%(value)s, %(after)s)"
    statement: LiteralString = f"""
        select {FILE_COLUMNS} from file where {conditions} order by {sort} {down}, id {down} limit %(limit)s
    """
    place = {"value": after and after.value, "after": after and after.id}
    return statement, {**_parameters(wanted), **place, "limit": limit}


def _conditions(wanted: Filter) -> LiteralString:
    found: list[LiteralString] = [LIVING]
    if wanted.keyword:
        found.append("(' ' || lower(name)) like %(pattern)s")
    if wanted.sha256:
        found.append("blob_id = any(array(select id from blob where sha256 = %(sha256)s and state = 'ready'))")
    if wanted.owner:
        found.append("owner = %(owner)s")
    if wanted.state:
        found.append("state = %(state)s")
    if wanted.larger_than is not None:
        found.append("size > %(larger_than)s")
    return " and ".join(found)


def _parameters(wanted: Filter) -> dict[str, Any]:
    keyword = wanted.keyword or ""
    quoted = keyword.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return {
        "pattern": f"%{quoted}%" if len(keyword) >= _LONG else f" {quoted}%",
        "sha256": wanted.sha256,
        "owner": wanted.owner,
        "state": wanted.state,
        "larger_than": wanted.larger_than,
    }


def _fetch_conditions(wanted: FetchFilter) -> LiteralString:
    found: list[LiteralString] = ["true"]
    if wanted.owner:
        found.append("owner = %(owner)s")
    if wanted.state:
        found.append("state = %(state)s")
    return " and ".join(found)


def _fetch_parameters(wanted: FetchFilter) -> dict[str, Any]:
    return {"owner": wanted.owner, "state": wanted.state}
