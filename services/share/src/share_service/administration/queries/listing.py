"""Statements that list, search and count shares, whoever owns them.

They look at the shares that hold something. Each order has an index of its own, and so has the search.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import fetch_all, fetch_one, search, search_count
from common.places import Place
from share_service.administration.model import EXPIRING, Filter, Health, Listed, Order, SortKey, Status, Totals
from share_service.shares.model import Share
from share_service.shares.queries.columns import SHARE

LIVING: LiteralString = "state in ('active', 'spent')"
# The same, as no index has it: all rows are read faster in the order in which they lie than through an index.
_NOT_OVER: LiteralString = "state <> 'ended' and state <> 'released'"

_EXPIRY: LiteralString = "coalesce(expires_at, timestamptz '9999-12-31 00:00:00+00')"
_SORTS: dict[SortKey, LiteralString] = {
    "created_at": "created_at",
    "expires_at": _EXPIRY,
    "name": """(left(lower(name), 64) collate "C")""",
    "size": "size",
    "downloads": "used_count",
    # Not as it is spelled, which is how it is shown.
    "code": "share.code",
}
_WORDS: LiteralString = "(' ' || lower(code || ' ' || name || ' ' || left(coalesce(body, ''), 2000)))"
_OVER: LiteralString = "(state = 'spent' or expires_at <= %(now)s)"
_SOON: LiteralString = "(state = 'active' and expires_at > %(now)s and expires_at <= %(soon)s)"
_PERMANENT: LiteralString = "(state = 'active' and expires_at is null and uses_left is null)"
_LASTING: LiteralString = "(state = 'active' and (expires_at is null or expires_at > %(soon)s))"
_CURRENT: LiteralString = "(state = 'active' and (expires_at is null or expires_at > %(now)s))"
_STATUS: dict[Status, LiteralString] = {"active": _CURRENT, "expired": _OVER}
_HEALTH: dict[Health, LiteralString] = {
    "attention": f"({_OVER} or {_SOON})",
    "danger": _OVER,
    "warning": _SOON,
    "healthy": _LASTING,
    "permanent": _PERMANENT,
    "never_retrieved": "used_count = 0",
}
COUNTED = 100_000
"""The most shares that are counted that a keyword finds: each of their texts has to be read."""
# Shorter keywords consist of no group of three characters.
_LONG = 3


def _listed(note: str | None, tags: list[str] | None, noted_at: datetime | None, **row: Any) -> Listed:
    return Listed(Share(**row), note or "", tags or [], noted_at)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a list that begins at the place `after`, or after `offset` shares."""

    limit: int
    offset: int = 0
    after: Place | None = None


async def list_shares(connection: Connection, wanted: Filter, order: Order, part: Part, now: datetime) -> list[Listed]:
    """A part of the list of shares. The filter has no keyword."""
    statement, parameters = _list(wanted, order, part, now)
    return await fetch_all(connection, _listed, statement, parameters)


async def search_shares(
    connection: Connection, wanted: Filter, order: Order, part: Part, now: datetime
) -> list[Listed]:
    """A part of the list of shares that a keyword finds."""
    statement, parameters = _list(wanted, order, part, now)
    return await search(connection, _listed, statement, parameters)


def _list(wanted: Filter, order: Order, part: Part, now: datetime) -> tuple[LiteralString, dict[str, Any]]:
    sort = _SORTS[order.key]
    conditions: list[LiteralString] = [_conditions(wanted)]
    down: LiteralString = "desc" if order.descending else "asc"
    # A code is its share's alone.
    row: LiteralString = f"({sort})" if order.key == "code" else f"({sort}, id)"
    ordered: LiteralString = f"{sort} {down}" if order.key == "code" else f"{sort} {down}, id {down}"
    if part.after:
        values: LiteralString = "(%(value)s)" if order.key == "code" else "(%(value)s, %(after)s)"
        conditions.append(f"{row} < {values}" if order.descending else f"{row} > {values}")
    statement: LiteralString = f"""
        select {SHARE}, note, tags, changed_at as noted_at from share left join share_note on share_id = share.id
        where id = any(array(
            select id from share where {" and ".join(conditions)}
            order by {ordered} offset %(offset)s limit %(limit)s
        ))
        order by {ordered}
    """
    place = {"value": part.after and part.after.value, "after": part.after and part.after.id}
    return statement, {**_parameters(wanted, now), **place, "offset": part.offset, "limit": part.limit}


async def count_shares(connection: Connection, wanted: Filter, now: datetime) -> int:
    """The number of shares that a filter leaves; with a keyword at most `COUNTED`."""
    bound: LiteralString = "limit %(counted)s" if wanted.keyword else ""
    statement: LiteralString = f"select count(*) from (select from share where {_conditions(wanted)} {bound}) as found"
    return await search_count(connection, statement, {**_parameters(wanted, now), "counted": COUNTED})


async def listed_share(connection: Connection, share_id: UUID) -> Listed | None:
    """A share that holds something."""
    statement: LiteralString = f"""
        select {SHARE}, note, tags, changed_at as noted_at from share left join share_note on share_id = share.id
        where id = %(share_id)s and {LIVING}
    """
    return await fetch_one(connection, _listed, statement, {"share_id": share_id})


async def sum_shares(connection: Connection, now: datetime, today: datetime, yesterday: datetime) -> Totals:
    """Sums over all shares that hold something; `today` and `yesterday`: when these days began."""
    # Every row is read for the first sums, so there are few of them; the others read what is recent.
    statement: LiteralString = f"""
        with whole as (
            select count(*) as shares, coalesce(sum(size), 0)::bigint as size,
                count(*) filter (where {_CURRENT}) as active,
                count(*) filter (where kind = 'text') as texts,
                coalesce(sum(used_count), 0)::bigint as downloads,
                count(*) filter (where {_SOON}) as expiring_soon,
                count(*) filter (where used_count = 0) as never_retrieved,
                count(*) filter (where {_PERMANENT}) as permanent
            from share where {_NOT_OVER}),
        recent as (
            select count(*) filter (where created_at >= %(today)s) as today,
                coalesce(sum(size) filter (where created_at >= %(today)s), 0)::bigint as today_size,
                count(*) filter (where created_at < %(today)s) as yesterday,
                coalesce(sum(size) filter (where created_at < %(today)s), 0)::bigint as yesterday_size
            from share where {LIVING} and created_at >= %(yesterday)s)
        select whole.*, shares - active as expired, shares - texts as files, recent.* from whole, recent
    """
    parameters = {"now": now, "soon": now + EXPIRING, "today": today, "yesterday": yesterday}
    totals = await fetch_one(connection, Totals, statement, parameters)
    assert totals is not None, "a sum has a row"
    return totals


def _conditions(wanted: Filter) -> LiteralString:
    """The conditions of a filter."""
    found: list[LiteralString] = [LIVING]
    if wanted.keyword:
        found.append(f"{_WORDS} like %(pattern)s")
    if wanted.status:
        found.append(_STATUS[wanted.status])
    if wanted.health:
        found.append(_HEALTH[wanted.health])
    if wanted.content_kinds:
        found.append("kind = any(%(content_kinds)s)")
    if wanted.kind:
        found.append("form = %(kind)s")
    if wanted.owner:
        found.append("owner = %(owner)s")
    if wanted.files is not None:
        found.append(
            "(file_id = any(%(files)s) or id = any(array(select share_id from item where file_id = any(%(files)s))))"
        )
    return " and ".join(found)


def _parameters(wanted: Filter, now: datetime) -> dict[str, Any]:
    keyword = wanted.keyword or ""
    quoted = keyword.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return {
        "pattern": f"%{quoted}%" if len(keyword) >= _LONG else f"% {quoted}%",
        "content_kinds": wanted.content_kinds,
        "kind": wanted.kind,
        "owner": wanted.owner,
        "files": wanted.files,
        "now": now,
        "soon": now + EXPIRING,
    }
