"""What the statements have in common."""

from typing import LiteralString, TypeVar

from psycopg.rows import class_row

from common.db import Connection, Params

Row = TypeVar("Row")

SHARE: LiteralString = (
    "id, form, code, kind, owner, password_hash, file_id, name, size, body, state, expires_at, uses_left, used_count,"
    " created_at"
)
"""The columns of a `Share`."""

ENDED: LiteralString = "state = 'ended', body = null, ended_at = coalesce(ended_at, %(now)s), release_due_at = %(now)s"
"""What ending a share sets: nothing is served of it any more, its text is forgotten, its file is to be released."""


async def rows(connection: Connection, kind: type[Row], statement: LiteralString, parameters: Params) -> list[Row]:
    """All rows of the answer."""
    async with connection.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchall()


async def row(connection: Connection, kind: type[Row], statement: LiteralString, parameters: Params) -> Row | None:
    """The first row of the answer, if there is one."""
    found = await rows(connection, kind, statement, parameters)
    return found[0] if found else None


async def count(connection: Connection, statement: LiteralString, parameters: Params) -> int:
    """How many rows the statement found or changed."""
    cursor = await connection.execute(statement, parameters)
    return cursor.rowcount
