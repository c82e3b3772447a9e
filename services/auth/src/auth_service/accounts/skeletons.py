"""The sweep that computes the skeletons of names that were registered before there were any."""

from auth_service.context import WorkerContext
from auth_service.directory import queries
from common.lookalikes import skeleton
from common.sweeping import Sweep, drain

BATCH = 500


async def compute_skeletons(context: WorkerContext) -> None:
    """Compute all skeletons that are missing. Safe to run twice at once."""
    await drain(context, SWEEPS)


async def _compute(context: WorkerContext) -> int:
    """Compute some skeletons. Of accounts that look alike already, the oldest one has it, and all keep their names."""
    async with context.db.transaction() as connection:
        found = await queries.accounts_without_skeleton(connection, BATCH)
        for account_id, name in found:
            await queries.set_skeleton(connection, account_id, skeleton(name))
    return len(found)


SWEEPS = (Sweep("names to compare", _compute, queries.count_without_skeleton),)
