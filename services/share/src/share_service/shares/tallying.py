"""Ending shares by a statement, and counting them for the statistics."""

from typing import LiteralString

from common import statistics
from common.db import Connection, Params
from common.db.rows import count


async def end_counted(connection: Connection, statement: LiteralString, parameters: Params) -> int:
    """Run a statement that ends shares, each of which is counted. Returns their number."""
    number = await count(connection, statement, parameters)
    statistics.count("shares_ended", number)
    return number
