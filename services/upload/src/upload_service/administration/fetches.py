"""Everybody's fetches: listed and canceled by administrators."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from common.audit import Author
from common.errors import NotFound
from common.pages import Cursor
from upload_service.administration import queries
from upload_service.administration.model import FetchFilter
from upload_service.context import Context
from upload_service.fetches.jobs import cancel_fetch
from upload_service.fetches.model import Fetch
from upload_service.fetches.queries import get_fetch


@dataclass(frozen=True, slots=True)
class Page:
    """Some fetches of a list, and the number of fetches in all of it; None: it was not counted."""

    fetches: list[Fetch]
    total: int | None


async def page_of_fetches(
    context: Context, author: Author, wanted: FetchFilter, after: Cursor | None, limit: int
) -> Page:
    """Up to `limit` fetches, the newest first; without a cursor, with the number of all. Raises `Forbidden`."""
    author.require_administrator()

    async def found() -> list[Fetch]:
        async with context.db.connection() as connection:
            return await queries.list_fetches(connection, wanted, after, limit)

    async def total() -> int | None:
        if after:
            return None
        async with context.db.connection() as connection:
            return await queries.count_fetches(connection, wanted)

    return Page(*await asyncio.gather(found(), total()))


async def cancel(context: Context, author: Author, fetch_id: UUID) -> None:
    """Cancel a fetch, and leave nothing of it. Raises `NotFound`, `Forbidden`, `Conflict` when it is settled."""
    author.require_administrator()
    async with context.db.connection() as connection:
        fetch = await get_fetch(connection, fetch_id)
    if fetch is None:
        raise NotFound
    await cancel_fetch(context, fetch, author)
