"""Listing and summing all shares."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common import clock
from common.audit import Author
from common.errors import NotFound
from common.places import Place
from share_service.administration.model import Filter, Listed, Order, Totals
from share_service.administration.queries import listing as queries
from share_service.context import Context

MANY = 100_000
"""Adding up fewer shares takes some hundredths of a second, and such sums are not remembered."""
KEPT_SECONDS = 5.0
"""How old sums over so many shares may be."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some shares of a list, and the number of shares in all of it."""

    shares: list[Listed]
    total: int


async def list_shares(
    context: Context, author: Author, wanted: Filter, order: Order, after: Place | None, limit: int
) -> list[Listed]:
    """Up to `limit` shares that come after a place. Raises `Forbidden`."""
    author.require_administrator()
    return await _part(context, wanted, order, queries.Part(limit, after=after), clock.now())


async def page_of_shares(
    context: Context, author: Author, wanted: Filter, order: Order, offset: int, limit: int
) -> Page:
    """Up to `limit` shares after the first `offset`, and the number of all. Raises `Forbidden`."""
    author.require_administrator()
    now = clock.now()

    async def total() -> int:
        async with context.db.connection() as connection:
            return await queries.count_shares(connection, wanted, now)

    return Page(*await asyncio.gather(_part(context, wanted, order, queries.Part(limit, offset), now), total()))


async def see_share(context: Context, author: Author, share_id: UUID) -> Listed:
    """A share that holds something. Raises `NotFound`, `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        found = await queries.listed_share(connection, share_id)
    if found is None:
        raise NotFound
    return found


async def sum_shares(context: Context, author: Author, today: datetime) -> Totals:
    """Sums over all shares; `today`: when this day began. Raises `Forbidden`.

    Every open dashboard asks for them, and so does every page of FileCodeBox's list. Sums over many shares are a few
    seconds old at most.
    """
    author.require_administrator()

    async def add_up() -> Totals:
        async with context.db.connection() as connection:
            return await queries.sum_shares(connection, clock.now(), today, today - timedelta(days=1))

    return await context.sums.answer(today, KEPT_SECONDS, add_up, lambda totals: totals.shares >= MANY)


async def _part(context: Context, wanted: Filter, order: Order, part: queries.Part, now: datetime) -> list[Listed]:
    find = queries.search_shares if wanted.keyword else queries.list_shares
    async with context.db.connection() as connection:
        return await find(connection, wanted, order, part, now)
