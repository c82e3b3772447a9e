"""Summing up what changed, and comparing the sums with the files."""

from common import logging
from common.sweeping import Sweep, drain
from upload_service.content.context import Context
from upload_service.quotas import queries

BATCH = 10_000

_log = logging.get(__name__)


async def sum_up(context: Context) -> None:
    """Add all changes to the sums."""
    await drain(context, [CHANGES])


async def _sum_batch(context: Context) -> int:
    async with context.db.connection() as connection:
        return await queries.sum_up(connection, BATCH)


CHANGES = Sweep("changes of usage to sum up", _sum_batch, queries.count_changes)


async def compare(context: Context) -> None:
    """Correct the sums where they are not those of the files, and forget those of accounts that have nothing.

    They never differ, unless somebody has changed the database by hand, or the program has a fault.
    """
    async with context.db.alone(CHANGES.name) as is_alone:
        if not is_alone:
            # The sums are being changed at this moment. The next comparison finds what there is to find.
            return
        async with context.db.connection() as connection:
            if corrected := await queries.correct(connection):
                _log.error("sums of usage were wrong and are corrected", number=len(corrected))
            while await queries.forget_empty(connection, BATCH):
                pass
