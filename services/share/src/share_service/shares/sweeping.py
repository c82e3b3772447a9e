"""The sweep: shares end, give back what they hold, and are deleted a day later (pages a month later).

Each step finds its work in the rows alone. So it may run twice at once, and the next run repairs what a crash left.
Each step takes one batch, and the sweep repeats it until nothing is left.
"""

from uuid import UUID

from common import clock, logging
from common.errors import DomainError, Unavailable
from share_service.context import Context
from share_service.shares.model import KEEP_PAGES, KEEP_RELEASED, RELEASE_AGAIN, Release
from share_service.shares.queries import ending as queries

BATCH = 500
RELEASE_BATCH = 50


async def sweep(context: Context) -> None:
    """End shares that are over, give back the files of ended ones, delete those that were released long enough ago."""
    while await end_shares(context):
        pass
    await _release_all(context)
    while await purge(context):
        pass


async def end_shares(context: Context) -> int:
    """End shares whose time is over, or whose last use is taken and downloaded. Returns their number."""
    now = clock.now()
    async with context.db.transaction() as connection:
        expired = await queries.end_expired(connection, now, BATCH)
        return expired + await queries.end_spent(connection, now, BATCH)


async def claim_releases(context: Context) -> list[Release]:
    """Ended shares whose files are due for release; no other sweep gets them for the next minute."""
    now = clock.now()
    async with context.db.transaction() as connection:
        return await queries.claim_ended(connection, now, now + RELEASE_AGAIN, RELEASE_BATCH)


async def finish_release(context: Context, share_id: UUID) -> None:
    """Record that a share's file has been given back."""
    async with context.db.transaction() as connection:
        await queries.mark_released(connection, share_id, clock.now())


async def purge(context: Context) -> int:
    """Delete shares that were released a day ago, pages a month ago, and leases that are over.

    Returns the number of rows.
    """
    now = clock.now()
    async with context.db.transaction() as connection:
        shares = await queries.delete_released(connection, now - KEEP_RELEASED, now - KEEP_PAGES, BATCH)
        return shares + await queries.delete_leases(connection, now, BATCH)


async def _release_all(context: Context) -> None:
    while releases := await claim_releases(context):
        for release in releases:
            try:
                await _release(context, release)
            except Unavailable:
                # The claim expires in a minute; the rest of this batch would fail as well.
                logging.get(__name__).warning("files cannot be released now; a later sweep will do it")
                return
            except DomainError as error:
                logging.get(__name__).error("a file was not released", share=str(release.id), error=error.code)


async def _release(context: Context, release: Release) -> None:
    if release.file_id and not release.is_wanted:
        await context.upload.call("DELETE", f"/internal/files/{release.file_id}")
    await finish_release(context, release.id)
