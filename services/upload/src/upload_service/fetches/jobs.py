"""Fetches as their owners see them: requested, watched, canceled; and the sweep over all of them."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from common.audit import Act, Author
from common.audit_log import record
from common.errors import Conflict, NotFound, RateLimited
from common.identity import Identity
from common.ids import new_id
from common.names import clean_name
from common.outbound.urls import parse
from common.pages import Cursor
from common.rights import Action, Actor, require
from common.sweeping import Sweep, drain
from upload_service.fetches import queries
from upload_service.fetches.context import Context
from upload_service.fetches.model import Fetch, ShareTerms
from upload_service.fetches.work import clear_all_away, clear_away
from upload_service.mirrors.queries import wanted
from upload_service.mirrors.wishes import MirrorNotFound

REMEMBERED = timedelta(days=30)
"""How long a settled fetch is remembered."""
BATCH = 20
CLEAR_BATCH = 500


class TooManyFetches(RateLimited):
    """The account has too many unfinished fetches."""

    code = "too_many_fetches"


@dataclass(frozen=True, slots=True)
class NewFetch:
    """A fetch to be requested."""

    url: str
    terms: ShareTerms
    max_size: int
    """In bytes."""
    file_name: str | None = None
    sha256: bytes | None = None
    """The digest that the content must have."""
    mirrors: list[int] | None = None
    """The mirrors for the file; None: those of its owner's choice."""


async def request_fetch(context: Context, identity: Identity, new: NewFetch) -> Fetch:
    """Have a URL fetched for an account. Raises `UrlInvalid`, `InvalidInput`, `MirrorNotFound`, `TooManyFetches`."""
    url = new.url.strip()
    parse(url)
    values = {
        "id": new_id(),
        "owner": identity.account_id,
        "url": url,
        "file_name": None if new.file_name is None else clean_name(new.file_name),
        "sha256": new.sha256,
        "mirrors": new.mirrors,
        "terms": new.terms.to_json(),
        "max_size": new.max_size,
        "lifetime": context.fetch_lifetime,
    }
    async with context.db.transaction() as connection:
        if new.mirrors:
            usable = {mirror.id for mirror in await wanted.mirrors_for(connection, identity.account_id)}
            if not set(new.mirrors) <= usable:
                raise MirrorNotFound
        await queries.lock_fetches_of(connection, identity.account_id)
        fetch = await queries.insert_fetch(connection, values, context.fetches_open)
    if fetch is None:
        raise TooManyFetches
    await context.queue.fetch(fetch.id)
    return fetch


async def find_fetch(context: Context, identity: Identity, fetch_id: UUID, action: Action = Action.SEE) -> Fetch:
    """The fetch, if the account may do this with it. Raises `NotFound`, `Forbidden`."""
    async with context.db.connection() as connection:
        fetch = await queries.get_fetch(connection, fetch_id)
    if fetch is None:
        raise NotFound
    require(action, Actor(identity), fetch.owner)
    return fetch


async def list_fetches(
    context: Context, identity: Identity, after: Cursor | None, limit: int
) -> tuple[list[Fetch], Cursor | None]:
    """A page of an account's fetches, the newest first, and the cursor of the next page, if there is one."""
    known = after and (after.created_at, after.id)
    async with context.db.connection() as connection:
        found = await queries.fetches_of(connection, identity.account_id, known, limit + 1)
    page = found[:limit]
    return page, Cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None


async def cancel_fetch(context: Context, fetch: Fetch, administrator: Author | None = None) -> None:
    """Cancel a fetch, and leave nothing of it. Raises `Conflict` when it is settled.

    `administrator`: the one whose act is recorded.

    A worker that has it notices within a second; the sweeps remove what is stored until then.
    """
    async with context.db.transaction() as connection:
        canceled = await queries.mark_canceled(connection, fetch.id)
        if canceled is None:
            raise Conflict("the fetch is settled already")
        if administrator:
            old = {"owner": str(fetch.owner), "state": fetch.state}
            act = Act("fetch.cancel", "fetch", str(fetch.id), fetch.file_name, old=old)
            await record(connection, administrator, [act])
    await clear_away(context, canceled)


async def sweep_fetches(context: Context) -> None:
    """Request fetches that no worker has, clear away what failed ones left, and forget those settled long ago.

    Those that wait are requested a few at a time, because each one that ends requests the next.
    """
    async with context.db.connection() as connection:
        waiting = await queries.waiting_fetches(connection, BATCH)
    for fetch_id in waiting:
        await context.queue.fetch(fetch_id)
    await drain(context, SWEEPS)


async def _clear(context: Context) -> int:
    async with context.db.connection() as connection:
        abandoned = await queries.abandoned_fetches(connection, CLEAR_BATCH)
    if abandoned:
        await clear_all_away(context, abandoned)
    return len(abandoned)


async def _forget(context: Context) -> int:
    async with context.db.connection() as connection:
        return await queries.forget_fetches(connection, REMEMBERED, CLEAR_BATCH)


SWEEPS = (
    Sweep("fetches to clear away", _clear, queries.count_abandoned),
    Sweep("fetches to forget", _forget, partial(queries.count_forgotten, age=REMEMBERED)),
)
