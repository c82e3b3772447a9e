"""Statements that list, search and count accounts. Each order has an index of its own, and so has the search."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from auth_service.administration.model import Filter, Order, SortKey, State
from auth_service.directory.model import Account
from auth_service.directory.queries import ACCOUNT, account_of_row
from common.db import Connection
from common.db.rows import fetch_all, fetch_one, search, search_count
from common.identity import Role
from common.places import Place

_SORTS: dict[SortKey, LiteralString] = {
    "created_at": "created_at",
    "name": """(left(lower(name), 64) collate "C")""",
    "last_seen_at": "coalesce(last_seen_at, timestamptz '1970-01-01 00:00:00+00')",
}
_STATES: dict[State, LiteralString] = {"active": "suspended_at is null", "suspended": "suspended_at is not null"}
# Shorter keywords consist of no group of three characters.
_LONG = 3


def _pair(sessions: int, keys: int) -> tuple[int, int]:
    return sessions, keys


async def list_accounts(
    connection: Connection, wanted: Filter, order: Order, after: Place | None, limit: int
) -> list[Account]:
    """Up to `limit` accounts that come after a place. The filter has no keyword."""
    statement, parameters = _list(wanted, order, after, limit)
    return await fetch_all(connection, account_of_row, statement, parameters)


async def search_accounts(
    connection: Connection, wanted: Filter, order: Order, after: Place | None, limit: int
) -> list[Account]:
    """Up to `limit` accounts that a keyword finds, after a place."""
    statement, parameters = _list(wanted, order, after, limit)
    return await search(connection, account_of_row, statement, parameters)


async def count_accounts(connection: Connection, wanted: Filter) -> int:
    """The number of accounts that a filter leaves."""
    statement: LiteralString = f"select count(*) from account where {_conditions(wanted)}"
    return await search_count(connection, statement, _parameters(wanted))


async def credentials_of(connection: Connection, account_id: UUID, now: datetime) -> tuple[int, int]:
    """The numbers of an account's sessions that have not expired, and of its API keys."""
    statement = """
        select (select count(*) from session
                where account_id = %(account_id)s and (expires_at is null or expires_at > %(now)s)) as sessions,
            (select count(*) from api_key where account_id = %(account_id)s) as keys
    """
    return await fetch_one(connection, _pair, statement, {"account_id": account_id, "now": now}) or (0, 0)


def _list(wanted: Filter, order: Order, after: Place | None, limit: int) -> tuple[LiteralString, dict[str, Any]]:
    sort = _SORTS[order.key]
    conditions = _conditions(wanted)
    if after:
        conditions += (
            f" and ({sort}, id) < (%(value)s, %(after)s)"
            if order.descending
            else (f" and ({sort}, id) > (%(value)s, %(after)s)")
        )
    down: LiteralString = "desc" if order.descending else "asc"
    statement: LiteralString = f"""
        select {ACCOUNT} from account where {conditions} order by {sort} {down}, id {down} limit %(limit)s
    """
    place = {"value": after and after.value, "after": after and after.id}
    return statement, {**_parameters(wanted), **place, "limit": limit}


def _conditions(wanted: Filter) -> LiteralString:
    found: list[LiteralString] = ["true"]
    if wanted.keyword:
        found.append("(' ' || lower(name || ' ' || coalesce(email, ''))) like %(pattern)s")
    if wanted.account_id:
        found.append("id = %(account_id)s")
    if wanted.role is Role.ADMINISTRATOR:
        # Written out, because there is an index of them.
        found.append("role = 'administrator'")
    elif wanted.role:
        found.append("role = 'user'")
    if wanted.state:
        found.append(_STATES[wanted.state])
    return " and ".join(found)


def _parameters(wanted: Filter) -> dict[str, Any]:
    keyword = wanted.keyword or ""
    quoted = keyword.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    pattern = f"%{quoted}%" if len(keyword) >= _LONG else f"% {quoted}%"
    return {"pattern": pattern, "account_id": wanted.account_id}
