"""Fetches as their owners see them: asked for, watched, canceled."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from common.errors import Conflict, NotFound, RateLimited
from common.identity import Identity
from common.ids import new_id
from common.outbound.urls import parse
from common.pages import Cursor
from common.rights import Action, Actor, require
from upload_service.content.model import check_name
from upload_service.fetches import queries as fetches
from upload_service.fetches.context import Context
from upload_service.fetches.model import Fetch, ShareTerms
from upload_service.fetches.work import clear_away
from upload_service.mirrors.queries import wanted
from upload_service.mirrors.wishes import MirrorNotFound
from upload_service.shares import Shares

# How long a fetch that is settled is remembered.
REMEMBERED = timedelta(days=30)
BATCH = 20


class TooManyFetches(RateLimited):
    """The account has too many fetches that are not done."""

    code = "too_many_fetches"


@dataclass(frozen=True, slots=True)
class NewFetch:
    """What is to be fetched."""

    url: str
    terms: ShareTerms
    max_size: int
    """In bytes."""
    lifetime: timedelta
    """How long it may take."""
    file_name: str | None = None
    sha256: bytes | None = None
    """What the content must be."""
    mirrors: list[int] | None = None
    """Where the file is wanted besides; None: on the mirrors of its owner's choice."""


async def request_fetch(context: Context, identity: Identity, new: NewFetch, most_open: int) -> Fetch:
    """Have a URL fetched for an account. Raises `UrlInvalid`, `InvalidInput`, `MirrorNotFound`, `TooManyFetches`."""
    url = new.url.strip()
    parse(url)
    if new.file_name is not None:
        check_name(new.file_name)
    values = {
        "id": new_id(),
        "owner": identity.account_id,
        "url": url,
        "file_name": new.file_name,
        "sha256": new.sha256,
        "mirrors": new.mirrors,
        "terms": new.terms.to_json(),
        "max_size": new.max_size,
        "lifetime": new.lifetime,
    }
    async with context.db.transaction() as connection:
        if new.mirrors:
            usable = {mirror.id for mirror in await wanted.mirrors_for(connection, identity.account_id)}
            if not set(new.mirrors) <= usable:
                raise MirrorNotFound
        await fetches.hold_counts(connection)
        fetch = await fetches.insert_fetch(connection, values, most_open)
    if fetch is None:
        raise TooManyFetches
    await context.queue.fetch(fetch.id)
    return fetch


async def find_fetch(context: Context, identity: Identity, fetch_id: UUID, action: Action = Action.SEE) -> Fetch:
    """The fetch, to do this with it. Raises `NotFound`, `Forbidden`."""
    async with context.db.connection() as connection:
        fetch = await fetches.get_fetch(connection, fetch_id)
    if fetch is None:
        raise NotFound
    require(action, Actor(identity), fetch.owner)
    return fetch


async def list_fetches(
    context: Context, identity: Identity, after: Cursor | None, limit: int
) -> tuple[list[Fetch], Cursor | None]:
    """A page of an account's fetches, the newest first, and where the next one begins, if there is one."""
    known = after and (after.created_at, after.id)
    async with context.db.connection() as connection:
        found = await fetches.fetches_of(connection, identity.account_id, known, limit + 1)
    page = found[:limit]
    return page, Cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None


async def cancel_fetch(context: Context, shares: Shares, fetch: Fetch) -> None:
    """Break a fetch off, and leave nothing of it. Raises `Conflict` when it is settled.

    Whoever fetches notices within a second; what is stored until then goes with the sweeps.
    """
    async with context.db.connection() as connection:
        canceled = await fetches.cancel_fetch(connection, fetch.id)
    if canceled is None:
        raise Conflict("the fetch is settled already")
    await clear_away(context, shares, canceled)


async def sweep_fetches(context: Context, shares: Shares) -> None:
    """Request fetches that nobody is at, clear away what came to nothing, and forget what was settled long ago."""
    async with context.db.connection() as connection:
        waiting = await fetches.waiting_fetches(connection, BATCH)
        abandoned = await fetches.abandoned_fetches(connection, BATCH)
        await fetches.forget_fetches(connection, REMEMBERED)
    for fetch_id in waiting:
        await context.queue.fetch(fetch_id)
    for fetch in abandoned:
        await clear_away(context, shares, fetch)
