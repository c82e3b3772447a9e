"""Use cases: how much an account, guests and the place use."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from common.audit import Author
from common.identity import Identity
from upload_service.content.context import Context
from upload_service.quotas import queries
from upload_service.quotas.model import Most, Usage

Rank = tuple[int, UUID]
"""The place of an account in the list: its bytes as they were summed up last, and its id."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list of all accounts, with what everybody uses together."""

    accounts: dict[UUID, Usage]
    next: Rank | None
    total: int
    guests: Usage
    place: Usage


async def usage_of(context: Context, identity: Identity) -> Usage:
    """The use of one's own account."""
    return (await _usage_of(context, [identity.account_id]))[identity.account_id]


async def usage_of_accounts(context: Context, author: Author, accounts: Sequence[UUID]) -> Page:
    """The use of these accounts. Raises `Forbidden`."""
    author.require_administrator()
    found = await _usage_of(context, accounts)
    guests, place = await use_of_all(context)
    return Page(found, None, len(found), guests, place)


async def list_usage(context: Context, author: Author, after: Rank | None, limit: int) -> Page:
    """A page of all accounts that have something, the largest first. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        ranked = await queries.largest_accounts(connection, after, limit + 1)
        total = await queries.count_accounts(connection)
    page = ranked[:limit]
    found = await _usage_of(context, [account for _, account in page])
    guests, place = await use_of_all(context)
    return Page(found, page[-1] if len(ranked) > limit else None, total, guests, place)


async def use_of_all(context: Context) -> tuple[Usage, Usage]:
    """What guests use, and what everybody uses together."""
    limits = await context.limits_for(None)
    async with context.db.connection() as connection:
        guests, place = await queries.usage_of_all(connection)
    return (
        guests.usage(Most(limits.owner_bytes, limits.owner_files)),
        place.usage(Most(limits.place_bytes, limits.place_files)),
    )


async def _usage_of(context: Context, accounts: Sequence[UUID]) -> dict[UUID, Usage]:
    # The policy's limits are the same for all accounts.
    limits = await context.limits_for(queries.PLACE)
    usual = Most(limits.owner_bytes, limits.owner_files)
    async with context.db.connection() as connection:
        found = await queries.usage_of_accounts(connection, accounts)
    return {one.owner: one.usage(usual) for one in found}
