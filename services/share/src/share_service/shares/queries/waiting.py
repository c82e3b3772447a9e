"""Statements that count what is waiting for the sweep."""

from datetime import datetime
from typing import LiteralString

from common.db import Connection
from common.db.rows import fetch_value
from share_service.shares.queries.columns import EXPIRED, FORGOTTEN, SPENT


async def count_over(connection: Connection, now: datetime) -> int:
    """The shares that are to end."""
    statement: LiteralString = f"""
        select (select count(*) from share where {EXPIRED})
            + (select count(*) from share where {SPENT} and not coalesce(expires_at <= %(now)s, false))
    """
    return await fetch_value(connection, statement, {"now": now}) or 0


async def count_ended(connection: Connection) -> int:
    """The ended shares that have not given back what they hold."""
    return await fetch_value(connection, "select count(*) from share where state = 'ended'", {}) or 0


async def count_released(connection: Connection, before: datetime, pages_before: datetime) -> int:
    """The shares that are to be deleted: released before `before` (pages: before `pages_before`)."""
    statement: LiteralString = f"select count(*) from share where {FORGOTTEN}"
    return await fetch_value(connection, statement, {"before": before, "pages_before": pages_before}) or 0


async def count_leases(connection: Connection, now: datetime) -> int:
    """The leases that are over."""
    return await fetch_value(connection, "select count(*) from lease where expires_at <= %(now)s", {"now": now}) or 0
