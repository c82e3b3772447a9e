"""Having all replicas of a mirror checked, or those that have failed there tried again.

A few are changed at once. If there are more, the mirror's row says which are left, by the time when they last changed,
and a sweep changes them some at a time, so that no transaction holds the rows of a whole mirror.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

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
    return await _go_on(context, renewal.doubted_mirrors, renewal.check_some, renewal.end_doubt)


async def _try_again(context: Context) -> int:
    """Have some of the replicas that failed tried again."""
    return await _go_on(context, renewal.retried_mirrors, renewal.retry_some, renewal.end_retry)


async def _go_on(
    context: Context,
    begun: Callable[[Connection], Awaitable[list[tuple[int, datetime]]]],
    change_some: Callable[[Connection, int, datetime, int], Awaitable[int]],
    end: Callable[[Connection, int, datetime], Awaitable[None]],
) -> int:
    """Change some replicas of each mirror for which that has begun, and end it where none are left.

    Returns the number of those that were changed.
    """
    done = 0
    async with context.db.connection() as connection:
        for mirror_id, moment in await begun(connection):
            done += (did := await change_some(connection, mirror_id, moment, BATCH))
            if not did:
                await end(connection, mirror_id, moment)
    return done


SWEEPS = (
    Sweep("replicas to check at a mirror that moved", _check, renewal.count_doubted),
    Sweep("replicas to try again", _try_again, renewal.count_retried),
)
