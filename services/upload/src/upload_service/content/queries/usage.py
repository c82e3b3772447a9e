"""SQL on what the files of each owner take: one function, one statement. ADR 48 says what is counted."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg

from common.db import Connection
from common.db.rows import fetch_value
from upload_service.content.model import Quota, QuotaExceeded, Scope

REFUSED = "WS507"
"""The code of the error that the functions of the database raise."""
LIMITS: LiteralString = "%(owner_bytes)s, %(owner_files)s, %(place_bytes)s, %(place_files)s"


def limit_values(limits: Quota) -> dict[str, Any]:
    """The values for `LIMITS`."""
    return {
        "owner_bytes": limits.owner_bytes,
        "owner_files": limits.owner_files,
        "place_bytes": limits.place_bytes,
        "place_files": limits.place_files,
    }


@contextmanager
def refusals() -> Generator[None]:
    """Turn the database's refusal in the block into `QuotaExceeded`."""
    try:
        yield
    except psycopg.DatabaseError as error:
        if error.sqlstate != REFUSED:
            raise
        raise QuotaExceeded(cast("Scope", error.diag.message_detail)) from None


async def check_usage(connection: Connection, owner: UUID | None, size: int, limits: Quota) -> None:
    """Raise `QuotaExceeded` unless the owner and the place have room for another file of `size` bytes."""
    statement: LiteralString = f"select check_usage(%(owner)s, %(size)s, 1, {LIMITS})"
    with refusals():
        await connection.execute(statement, {"owner": owner, "size": size, **limit_values(limits)})


async def reserve(connection: Connection, session_id: UUID, size: int, limits: Quota) -> int | None:
    """Reserve at least `size` bytes in all for an open session; returns the number reserved, None if it has ended.

    Raises `QuotaExceeded`.
    """
    statement: LiteralString = f"""
        with before as (
            select id, owner, reserved from upload_session where id = %(id)s and state = 'open' for update),
        reserving as (
            update upload_session set reserved = %(size)s from before
            where upload_session.id = before.id and before.reserved < %(size)s
            returning before.owner, %(size)s - before.reserved as more),
        taken as materialized (
            select take_usage(reserving.owner, reserving.more, 0, {LIMITS}) from reserving)
        select greatest(reserved, %(size)s) from before left join taken on true
    """
    values = {"id": session_id, "size": size, **limit_values(limits)}
    with refusals():
        return await fetch_value(connection, statement, values)
