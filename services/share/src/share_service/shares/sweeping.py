"""The sweep: shares end, give back what they hold, and are deleted a day later (pages a month later).

Each step finds its work in the rows alone. So it may run twice at once, and the next run repairs what a crash left.
"""

from collections.abc import Awaitable, Iterable, Iterator, Sequence
from uuid import UUID

from common import clock, logging
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.sweeping import Sweep, drain
from share_service.context import Context
from share_service.items.model import Holding
from share_service.items.queries import leaving
from share_service.shares.model import KEEP_PAGES, KEEP_RELEASED, RELEASE_AGAIN, Release
from share_service.shares.queries import ending as queries
from share_service.shares.queries import waiting

BATCH = 500
CALL_LIMIT = 5000
"""The most ids in one call of the upload service."""


async def sweep(context: Context) -> None:
    """End shares that are over, give back the files of ended ones, delete those that were released long enough ago."""
    await drain(context, SWEEPS)


async def end_shares(context: Context) -> int:
    """End shares whose time is over, or whose last use is taken and downloaded."""
    now = clock.now()
    async with context.db.transaction() as connection:
        expired = await queries.end_expired(connection, now, BATCH)
        return expired + await queries.end_spent(connection, now, BATCH)


async def claim_releases(context: Context) -> list[Release]:
    """Ended shares whose files are due for release; no other sweep gets them for the next minute."""
    now = clock.now()
    async with context.db.transaction() as connection:
        return await queries.claim_ended(connection, now, now + RELEASE_AGAIN, BATCH)


async def finish_releases(context: Context, share_ids: Sequence[UUID], item_ids: Sequence[UUID] = ()) -> None:
    """Record that these shares have given back what they held, and forget their items."""
    async with context.db.transaction() as connection:
        await leaving.delete_items(connection, item_ids)
        await queries.mark_released(connection, share_ids, clock.now())


async def _release(context: Context) -> int:
    """Give back the files of ended shares, and the uploads and files of their items, all of a batch by one call."""
    claimed = await claim_releases(context)
    share_ids = [release.id for release in claimed]
    async with context.db.connection() as connection:
        holdings = await leaving.holdings_of_shares(connection, share_ids) if share_ids else []
    if await _give_back(context, holdings, {release.file_id for release in claimed if release.file_id}):
        await finish_releases(context, share_ids, [holding.item_id for holding in holdings])
    return len(claimed)


async def _release_removed(context: Context) -> int:
    """Give back what removed items hold, and forget them."""
    now = clock.now()
    async with context.db.transaction() as connection:
        claimed = await leaving.claim_removed(connection, now, now + RELEASE_AGAIN, BATCH)
    if await _give_back(context, claimed, set()):
        async with context.db.transaction() as connection:
            await leaving.delete_items(connection, [holding.item_id for holding in claimed])
    return len(claimed)


async def _give_back(context: Context, holdings: Sequence[Holding], file_ids: set[UUID]) -> bool:
    """Abort the uploads of items, and release their files and `file_ids`, unless a share still serves them.

    Returns whether upload did so. Raises `Unavailable`.
    """
    files = file_ids | {holding.file_id for holding in holdings if holding.file_id}
    # An upload that has become a file says which one.
    begun = [holding.session_id for holding in holdings if holding.session_id and not holding.file_id]
    try:
        for some in _batches(begun):
            answer = await context.upload.call("POST", "/internal/uploads/abort", {"session_ids": some})
            files.update(UUID(file_id) for file_id in answer["file_ids"])
        async with context.db.connection() as connection:
            files.difference_update(await queries.files_wanted(connection, list(files)) if files else [])
        for some in _batches(files):
            await context.upload.call("POST", "/internal/files/release", {"file_ids": some})
    except Unavailable:
        raise
    except DomainError as error:
        logging.get(__name__).error("files were not released", number=len(files), error=error.code)
        return False
    return True


def _batches(ids: Iterable[UUID]) -> Iterator[list[str]]:
    """The ids as texts, in their order, no more than one call takes at a time."""
    texts = sorted(found.hex for found in ids)
    return (texts[first : first + CALL_LIMIT] for first in range(0, len(texts), CALL_LIMIT))


async def delete_shares(context: Context) -> int:
    """Delete shares that were released a day ago, pages a month ago."""
    now = clock.now()
    async with context.db.transaction() as connection:
        return await queries.delete_released(connection, now - KEEP_RELEASED, now - KEEP_PAGES, BATCH)


async def delete_leases(context: Context) -> int:
    async with context.db.transaction() as connection:
        return await queries.delete_leases(connection, clock.now(), BATCH)


def _count_over(connection: Connection) -> Awaitable[int]:
    return waiting.count_over(connection, clock.now())


def _count_removed(connection: Connection) -> Awaitable[int]:
    return leaving.count_removed(connection, clock.now())


def _count_forgotten(connection: Connection) -> Awaitable[int]:
    now = clock.now()
    return waiting.count_released(connection, now - KEEP_RELEASED, now - KEEP_PAGES)


def _count_leases(connection: Connection) -> Awaitable[int]:
    return waiting.count_leases(connection, clock.now())


SWEEPS = (
    Sweep("shares to end", end_shares, _count_over),
    Sweep("shares to release", _release, waiting.count_ended),
    Sweep("items to give back", _release_removed, _count_removed),
    Sweep("shares to delete", delete_shares, _count_forgotten),
    Sweep("leases to delete", delete_leases, _count_leases),
)
