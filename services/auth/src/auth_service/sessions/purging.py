"""Deleting expired sessions, and addresses that have not signed in for long."""

from collections.abc import Awaitable

from auth_service.context import WorkerContext
from auth_service.sessions import known_addresses, queries
from common import clock
from common.db import Connection
from common.sweeping import Sweep, drain

BATCH = 500


async def purge(context: WorkerContext) -> None:
    """Delete them all, in batches. Safe to run twice at once."""
    await drain(context, SWEEPS)


async def _delete_sessions(context: WorkerContext) -> int:
    async with context.db.transaction() as connection:
        return await queries.delete_expired(connection, clock.now(), BATCH)


async def _forget_addresses(context: WorkerContext) -> int:
    async with context.db.transaction() as connection:
        return await known_addresses.forget_old(connection, clock.now(), BATCH)


def _count_sessions(connection: Connection) -> Awaitable[int]:
    return queries.count_expired(connection, clock.now())


def _count_addresses(connection: Connection) -> Awaitable[int]:
    return known_addresses.count_old(connection, clock.now())


SWEEPS = (
    Sweep("sessions to delete", _delete_sessions, _count_sessions),
    Sweep("addresses to forget", _forget_addresses, _count_addresses),
)
