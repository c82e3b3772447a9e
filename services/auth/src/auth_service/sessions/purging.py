"""Forgetting what is over: expired sessions, and addresses that have not signed in for long."""

from auth_service.sessions import known_addresses
from auth_service.sessions import queries as sessions
from common import clock
from common.db import Database

BATCH = 500


async def purge(database: Database) -> None:
    """Delete them, in batches. Safe to run twice at once."""
    purged = 1
    while purged:
        now = clock.now()
        async with database.transaction() as connection:
            purged = await sessions.delete_expired(connection, now, BATCH)
            purged += await known_addresses.forget_old(connection, now, BATCH)
