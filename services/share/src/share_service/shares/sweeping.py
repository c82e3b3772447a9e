"""How shares go away: they end, give back what they hold, and are forgotten a day later; pages a month.

Each step finds its work in the rows alone, so it may run twice at once, and a crash between two steps is caught by the
next run. Each takes a batch; the caller repeats while a step reports work.
"""

from datetime import datetime
from uuid import UUID

from common.db import Connection
from share_service.shares import queries
from share_service.shares.model import KEEP_PAGES, KEEP_RELEASED, RELEASE_AGAIN, Release

BATCH = 500
RELEASE_BATCH = 50


async def end_shares(connection: Connection, now: datetime) -> int:
    """End shares whose time is over, or whose last use is taken and downloaded. Returns how many."""
    expired = await queries.end_expired(connection, now, BATCH)
    return expired + await queries.end_spent(connection, now, BATCH)


async def claim_releases(connection: Connection, now: datetime) -> list[Release]:
    """Ended shares whose files are to be released now; no other sweep gets them for the next minute."""
    return await queries.claim_releases(connection, now, now + RELEASE_AGAIN, RELEASE_BATCH)


async def finish_release(connection: Connection, share_id: UUID, now: datetime) -> None:
    """Record that a share's file is given back."""
    await queries.mark_released(connection, share_id, now)


async def purge(connection: Connection, now: datetime) -> int:
    """Delete shares that were released a day ago, pages a month ago, and leases that are over.

    Returns how many rows.
    """
    shares = await queries.delete_released(connection, now - KEEP_RELEASED, now - KEEP_PAGES, BATCH)
    return shares + await queries.delete_leases(connection, now, BATCH)
