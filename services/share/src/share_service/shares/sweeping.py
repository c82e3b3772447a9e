"""The sweep: shares end, give back what they hold, and are deleted a day later (pages a month later).

Each step finds its work in the rows alone. So it may run twice at once, and the next run repairs what a crash left.
"""

from collections.abc import Awaitable, Sequence
from uuid import UUID

from common import clock, logging
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.sweeping import Sweep, drain
from share_service.context import Context
from share_service.shares.model import KEEP_PAGES, KEEP_RELEASED, RELEASE_AGAIN, Release
from share_service.shares.queries import ending as queries
from share_service.shares.queries import waiting

BATCH = 500


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


async def finish_releases(context: Context, share_ids: Sequence[UUID]) -> None:
    """Record that the files of these shares have been given back."""
    async with context.db.transaction() as connection:
        await queries.mark_released(connection, share_ids, clock.now())


async def _release(context: Context) -> int:
    """Give back the files of ended shares, all of a batch by one call."""
    claimed = await claim_releases(context)
    file_ids = {release.file_id.hex for release in claimed if release.file_id and not release.is_wanted}
    try:
        if file_ids:
            await context.upload.call("POST", "/internal/files/release", {"file_ids": sorted(file_ids)})
    except Unavailable:
        raise
    except DomainError as error:
        logging.get(__name__).error("files were not released", number=len(file_ids), error=error.code)
        return len(claimed)
    await finish_releases(context, [release.id for release in claimed])
    return len(claimed)


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


def _count_forgotten(connection: Connection) -> Awaitable[int]:
    now = clock.now()
    return waiting.count_released(connection, now - KEEP_RELEASED, now - KEEP_PAGES)


def _count_leases(connection: Connection) -> Awaitable[int]:
    return waiting.count_leases(connection, clock.now())


SWEEPS = (
    Sweep("shares to end", end_shares, _count_over),
    Sweep("shares to release", _release, waiting.count_ended),
    Sweep("shares to delete", delete_shares, _count_forgotten),
    Sweep("leases to delete", delete_leases, _count_leases),
)
