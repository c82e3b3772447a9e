"""Deleting expired sessions, and addresses that have not signed in for long."""

from auth_service.context import WorkerContext
from auth_service.sessions import known_addresses, queries
from common import clock

BATCH = 500


async def purge(context: WorkerContext) -> None:
    """Delete them all, in batches. Safe to run twice at once."""
    purged = 1
    while purged:
        now = clock.now()
        async with context.db.transaction() as connection:
            purged = await queries.delete_expired(connection, now, BATCH)
            purged += await known_addresses.forget_old(connection, now, BATCH)
