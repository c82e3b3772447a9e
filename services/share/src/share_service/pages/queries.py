"""Statements about pages."""

from collections.abc import Sequence
from typing import LiteralString

from common.db import Connection
from common.db.rows import fetch_all
from share_service.shares.model import Share
from share_service.shares.queries.columns import SHARE


async def pages_of_slugs(connection: Connection, slugs: Sequence[str]) -> list[Share]:
    """The pages with these slugs, in any state."""
    statement: LiteralString = f"select {SHARE} from share where code = any(%(slugs)s) and form = 'page'"
    return await fetch_all(connection, Share, statement, {"slugs": list(slugs)})
