"""Fetching while somebody waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from common.errors import DomainError
from common.identity import Identity
from upload_service.fetches import queries as fetches
from upload_service.fetches.context import Context
from upload_service.fetches.jobs import NewFetch, request_fetch
from upload_service.fetches.model import OPEN, Fetch, FetchState

# How often it is looked at, at first and at most.
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.05, 0.5


class FetchEnded(DomainError):
    """The URL could not be fetched."""

    code = "fetch_ended"


async def fetch_now(
    context: Context,
    identity: Identity,
    new: NewFetch,
    most_open: int,
    has_left: Callable[[], Awaitable[bool]],
) -> Fetch:
    """A fetch that is done. Whoever waits may leave: the worker fetches all the same.

    Raises what `request_fetch` raises, and `FetchEnded` with the reason in words.
    """
    fetch = await request_fetch(context, identity, new, most_open)
    settled = await _settled(context, fetch.id, has_left)
    if settled is None or settled.state is not FetchState.DONE:
        raise FetchEnded(settled.detail if settled else None)
    return settled


async def _settled(context: Context, fetch_id: UUID, has_left: Callable[[], Awaitable[bool]]) -> Fetch | None:
    """The fetch once it is settled; None when it is forgotten, or nobody waits any more."""
    pause = FIRST_LOOK_SECONDS
    while not await has_left():
        async with context.db.connection() as connection:
            fetch = await fetches.get_fetch(connection, fetch_id)
        if fetch is None or fetch.state not in OPEN:
            return fetch
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)
    return None
