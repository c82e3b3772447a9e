"""Having all replicas of a mirror checked, or those that have failed there tried again.

A few are changed at once. If there are more, the mirror's row says which are left, by the time when they last changed,
and a sweep changes them some at a time, so that no transaction holds the rows of a whole mirror.
"""

from common.db import Connection
from common.sweeping import Sweep
from upload_service.mirrors.context import Context
from upload_service.mirrors.queries import renewal

BATCH = 500


async def check_all_on(connection: Connection, mirror_id: int) -> None:
    """Have everything checked that was verified on a mirror, and break off all work that is under way there.

    The caller holds the mirror's row.
    """
    await renewal.break_off(connection, mirror_id)
    doubted_at = await renewal.doubt(connection, mirror_id)
    if await renewal.check_some(connection, mirror_id, doubted_at, BATCH) < BATCH:
        await renewal.end_doubt(connection, mirror_id, doubted_at)


async def try_failed_again(connection: Connection, mirror_id: int) -> None:
    """Have everything that failed on a mirror tried now, as if it had not been tried. The caller holds its row."""
    retried_at = await renewal.retry(connection, mirror_id)
    if await renewal.retry_some(connection, mirror_id, retried_at, BATCH) < BATCH:
        await renewal.end_retry(connection, mirror_id, retried_at)


async def _check(context: Context) -> int:
    """Have some of the replicas in doubt checked."""
    done = 0
    async with context.db.connection() as connection:
        for mirror_id, doubted_at in await renewal.doubted_mirrors(connection):
            done += (did := await renewal.check_some(connection, mirror_id, doubted_at, BATCH))
            if not did:
                await renewal.end_doubt(connection, mirror_id, doubted_at)
    return done


async def _try_again(context: Context) -> int:
    """Have some of the replicas that failed tried again."""
    done = 0
    async with context.db.connection() as connection:
        for mirror_id, retried_at in await renewal.retried_mirrors(connection):
            done += (did := await renewal.retry_some(connection, mirror_id, retried_at, BATCH))
            if not did:
                await renewal.end_retry(connection, mirror_id, retried_at)
    return done


SWEEPS = (
    Sweep("replicas to check at a mirror that moved", _check, renewal.count_doubted),
    Sweep("replicas to try again", _try_again, renewal.count_retried),
)
