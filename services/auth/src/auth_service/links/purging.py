"""Deleting links whose time is over."""

from collections.abc import Awaitable

from auth_service.context import WorkerContext
from auth_service.links import queries
from auth_service.links.model import REMEMBERED
from common import clock
from common.db import Connection
from common.sweeping import Sweep, drain

BATCH = 500


async def _forget_invitations(context: WorkerContext) -> int:
    async with context.db.transaction() as connection:
        return await queries.forget_invitations(connection, clock.now() - REMEMBERED, BATCH)


async def _forget_resets(context: WorkerContext) -> int:
    async with context.db.transaction() as connection:
        return await queries.forget_resets(connection, clock.now(), BATCH)


def _count_invitations(connection: Connection) -> Awaitable[int]:
    return queries.count_forgotten(connection, clock.now() - REMEMBERED)


def _count_resets(connection: Connection) -> Awaitable[int]:
    return queries.count_resets(connection, clock.now())


SWEEPS = (
    Sweep("invitations to forget", _forget_invitations, _count_invitations),
    Sweep("links to forget", _forget_resets, _count_resets),
)


async def purge(context: WorkerContext) -> None:
    """Delete them all, in batches. Safe to run twice at once."""
    await drain(context, SWEEPS)
