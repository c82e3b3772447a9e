"""Runs statements and turns rows into dataclasses. All queries read rows with these functions."""

from collections.abc import Callable
from typing import Any, LiteralString, TypeVar

from psycopg.rows import kwargs_row, scalar_row

from common.db import Connection, Params

Row = TypeVar("Row")


async def fetch_all(
    connection: Connection, row: Callable[..., Row], statement: LiteralString, parameters: Params
) -> list[Row]:
    """All rows, each passed to `row` as keyword arguments named like its columns."""
    async with connection.cursor(row_factory=kwargs_row(row)) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchall()


async def search(
    connection: Connection, row: Callable[..., Row], statement: LiteralString, parameters: Params
) -> list[Row]:
    """`fetch_all` for a statement with a keyword, on which it depends which index is the shorter way."""
    async with connection.cursor(row_factory=kwargs_row(row)) as cursor:
        # Never prepared: a prepared statement has one plan for all keywords.
        await cursor.execute(statement, parameters, prepare=False)
        return await cursor.fetchall()


async def search_count(connection: Connection, statement: LiteralString, parameters: Params) -> int:
    """The number that a statement with a keyword counts."""
    cursor = await connection.execute(statement, parameters, prepare=False)
    found = await cursor.fetchone()
    return found[0] if found else 0


async def fetch_one(
    connection: Connection, row: Callable[..., Row], statement: LiteralString, parameters: Params
) -> Row | None:
    """The first row, or None."""
    rows = await fetch_all(connection, row, statement, parameters)
    return rows[0] if rows else None


async def fetch_values(connection: Connection, statement: LiteralString, parameters: Params) -> list[Any]:
    """The first column of all rows."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchall()


async def fetch_value(connection: Connection, statement: LiteralString, parameters: Params) -> Any | None:
    """The first column of the first row, or None."""
    values = await fetch_values(connection, statement, parameters)
    return values[0] if values else None


async def count(connection: Connection, statement: LiteralString, parameters: Params) -> int:
    """The number of rows that the statement touched."""
    return (await connection.execute(statement, parameters)).rowcount
