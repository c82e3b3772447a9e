"""Statements that count what is waiting for the sweep."""

from datetime import datetime
from typing import LiteralString

from chat_service.rooms.queries.rooms import FORGOTTEN
from common.db import Connection
from common.db.rows import fetch_value


async def count_closed(connection: Connection) -> int:
    """The closed rooms whose messages are to be deleted."""
    statement = "select count(*) from room where closed_at is not null and cleaned_at is null"
    return await fetch_value(connection, statement, {}) or 0


async def count_without_skeleton(connection: Connection) -> int:
    """The open rooms whose names' skeletons are not computed."""
    statement = "select count(*) from room where closed_at is null and name_skeleton is null"
    return await fetch_value(connection, statement, {}) or 0


async def count_files(connection: Connection, now: datetime) -> int:
    """The shares posted as files that are to be revoked."""
    return await fetch_value(connection, "select count(*) from room_file where revoke_at <= %(now)s", {"now": now}) or 0


async def count_cleaned(connection: Connection, before: datetime) -> int:
    """The rooms that are to be deleted, having been cleaned by the moment `before`."""
    statement: LiteralString = f"select count(*) from room where {FORGOTTEN}"
    return await fetch_value(connection, statement, {"before": before}) or 0


async def count_addresses(connection: Connection, now: datetime, joined_before: datetime) -> int:
    """The addresses that are to be forgotten."""
    statement = """
        select (select count(*) from address_hold where expires_at <= %(now)s)
             + (select count(*) from member where address_digest is not null and joined_at <= %(before)s)
    """
    return await fetch_value(connection, statement, {"now": now, "before": joined_before}) or 0


async def count_invitations(connection: Connection, now: datetime) -> int:
    """The invitations that are over."""
    statement = "select count(*) from invitation where expires_at <= %(now)s"
    return await fetch_value(connection, statement, {"now": now}) or 0
