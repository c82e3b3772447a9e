"""Reading statistics."""

from datetime import datetime

from common import clock
from common.audit import Author
from share_service.context import Context
from share_service.statistics import queries
from share_service.statistics.model import LENGTHS, Statistics, Step, arranged, steps_between


async def read_statistics(
    context: Context, author: Author, step: Step, begin: datetime | None, end: datetime | None
) -> Statistics:
    """All series between two moments. Raises `Forbidden`, `InvalidInput`."""
    author.require_administrator()
    times = steps_between(step, begin, end, clock.now())
    find = queries.sums_of_hours if step == "hour" else queries.sums_of_days
    async with context.db.connection() as connection:
        sums = await find(connection, times[0], times[-1] + LENGTHS[step])
    return arranged(step, times, sums)
