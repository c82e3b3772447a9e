"""A fetch for a client that waits for its result."""

from collections.abc import Awaitable, Callable

from common.errors import DomainError
from common.identity import Identity
from common.waiting import wait_until
from upload_service.fetches import queries
from upload_service.fetches.context import Context
from upload_service.fetches.jobs import NewFetch, request_fetch
from upload_service.fetches.model import OPEN, Fetch, FetchState

# Pauses between two looks, in seconds.
FIRST_LOOK, LONGEST_LOOK = 0.05, 0.5


class FetchEnded(DomainError):
    """The URL could not be fetched."""

    code = "fetch_ended"


async def fetch_now(
    context: Context, identity: Identity, new: NewFetch, has_left: Callable[[], Awaitable[bool]]
) -> Fetch:
    """Request a fetch and wait until it is done. If the client leaves, the worker fetches all the same.

    Raises what `request_fetch` raises, and `FetchEnded` with the reason in words.
    """
    fetch = await request_fetch(context, identity, new)

    async def look() -> Fetch | None:
        if await has_left():
            return None
        async with context.db.connection() as connection:
            return await queries.get_fetch(connection, fetch.id)

    def is_over(now: Fetch | None) -> bool:
        return now is None or now.state not in OPEN

    ended = await wait_until(look, is_over, None, first=FIRST_LOOK, longest=LONGEST_LOOK)
    if ended is None or ended.state is not FetchState.DONE:
        raise FetchEnded(ended.detail if ended else None)
    return ended
