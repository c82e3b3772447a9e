"""Fetching while somebody waits for it."""

import asyncio
from uuid import UUID

from common.errors import DomainError
from common.identity import Identity
from upload_service.fetch_model import OPEN, Fetch, FetchState
from upload_service.model import UploadSession
from upload_service.operations import sessions
from upload_service.operations.context import Context
from upload_service.operations.fetch_jobs import NewFetch, request_fetch
from upload_service.queries import fetches

# How often it is looked at, at first and at most.
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.05, 0.5


class FetchEnded(DomainError):
    """The URL could not be fetched."""

    code = "fetch_ended"


async def fetch_now(context: Context, identity: Identity, new: NewFetch, most_open: int) -> UploadSession:
    """The session that a URL's content filled, once it is a file. The worker fetches it, also when nobody waits longer.

    Raises what `request_fetch` raises, and `FetchEnded` with the reason in words.
    """
    fetch = await request_fetch(context, identity, new, most_open)
    settled = await _settled(context, fetch.id)
    if settled is None or settled.state is not FetchState.DONE or settled.session_id is None:
        raise FetchEnded(settled.detail if settled else None)
    return await sessions.find_session(context, settled.session_id)


async def _settled(context: Context, fetch_id: UUID) -> Fetch | None:
    pause = FIRST_LOOK_SECONDS
    while True:
        async with context.db.connection() as connection:
            fetch = await fetches.get_fetch(connection, fetch_id)
        if fetch is None or fetch.state not in OPEN:
            return fetch
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)
