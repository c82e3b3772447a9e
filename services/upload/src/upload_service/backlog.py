"""How much is waiting for the sweeps of this service and for the workers of transfers."""

from common.sweeping import backlog
from upload_service.content import cleaning, expiring, verification
from upload_service.context import Context
from upload_service.fetches import jobs
from upload_service.fetches.queries import count_waiting
from upload_service.mirrors import upkeep
from upload_service.mirrors.queries.claimed import count_due
from upload_service.quotas.counting import CHANGES
from upload_service.telling import telling


async def waiting(context: Context) -> dict[str, int]:
    """How much of each kind of work is waiting."""
    sweeps = (
        verification.unverified(),
        expiring.ENDED,
        *cleaning.STALE,
        cleaning.garbage(context.garbage_grace),
        cleaning.unclaimed(context.unclaimed_lifetime),
        *upkeep.SWEEPS,
        *jobs.SWEEPS,
        CHANGES,
        *telling.SWEEPS,
    )
    found = await backlog(context.db, sweeps)
    async with context.db.connection() as connection:
        found["replicas to work on"] = await count_due(connection)
        found["fetches to run"] = await count_waiting(connection)
    return found
