"""The upkeep of mirrors and replicas: mirrors are probed, due work is requested, and removed mirrors are forgotten."""

import asyncio
from datetime import timedelta
from functools import partial

from common import clock, logging
from common.sweeping import Sweep, drain
from upload_service.mirrors import removing, renewing
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import MirrorError, OptionsInvalid
from upload_service.mirrors.model import REMEMBERED, Mirror
from upload_service.mirrors.probing import Failure, try_out
from upload_service.mirrors.queries import claimed, health, mirrors, replicas
from upload_service.mirrors.sealing import Unsealable

BATCH = 500
LEFT_AFTER = timedelta(days=2)
"""Files of ours that have not changed for this long are of no copy under way. FTP servers tell the time of their zone.
"""
SWEEP_SECONDS = 120

_log = logging.get(__name__)


async def probe_mirror(context: Context, mirror: Mirror, *, whole: bool = True) -> Failure | None:
    """Try a mirror out, as `probing` does, and record the result.

    If it is well for the first time since a failed probe, everything that has failed there is tried again at once.
    """
    failure = await try_out(context, mirror, whole=whole)
    async with context.db.transaction() as connection:
        await health.note_probe(connection, mirror.id, failure.error if failure else None)
        if mirror.probe_error is not None and failure is None:
            await health.end_break(connection, mirror.id)
            await renewing.try_failed_again(connection, mirror.id)
    return failure


async def probe_mirrors(context: Context) -> None:
    """Probe every mirror that is in use, all at once, so that one that hangs delays no other.

    One that was well since it was last changed only has to accept our credentials, so that nothing is written every
    minute where requests cost money.
    """
    async with context.db.connection() as connection:
        found = await mirrors.all_mirrors(connection)
    probes = (probe_mirror(context, mirror, whole=not mirror.was_well) for mirror in found if mirror.is_enabled)
    for result in await asyncio.gather(*probes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def sweep_mirrors(context: Context) -> None:
    """Remove old files that killed copies and interrupted probes left on mirrors, on all of them at once."""
    async with context.db.connection() as connection:
        found = await mirrors.all_mirrors(connection)
    await asyncio.gather(*(_remove_left(context, mirror) for mirror in found if mirror.was_well and mirror.is_enabled))


async def _remove_left(context: Context, mirror: Mirror) -> None:
    try:
        async with asyncio.timeout(SWEEP_SECONDS), context.drivers.of(mirror) as driver:
            count = await driver.remove_left(clock.now() - LEFT_AFTER)
    except (MirrorError, OptionsInvalid, Unsealable, TimeoutError) as error:
        _log.info("a mirror could not be swept", mirror=mirror.id, error=type(error).__name__)
    except Exception:  # noqa: BLE001  (it is logged, with its stack; other mirrors are swept)
        _log.exception("a mirror could not be swept", mirror=mirror.id)
    else:
        if count:
            _log.info("files that were left on a mirror were removed", mirror=mirror.id, files=count)


async def sweep_replicas(context: Context) -> None:
    """Request all replicas that are due, as far as their mirrors have room, and forget what was removed.

    This finds what a lost message or a dead worker left, and what is to be tried or checked again. A mirror has room
    for a few at a time, and each transfer that ends requests the next.
    """
    async with context.db.connection() as connection:
        due = await claimed.due_replicas(connection)
    for replica_id in due:
        await context.queue.replicate(replica_id)
    await drain(context, SWEEPS)
    async with context.db.connection() as connection:
        await mirrors.delete_removed(connection)


async def _forget(context: Context) -> int:
    async with context.db.connection() as connection:
        return await replicas.forget_removed(connection, REMEMBERED, BATCH)


SWEEPS = (
    Sweep("replicas to forget", _forget, partial(replicas.count_forgotten, age=REMEMBERED)),
    *removing.SWEEPS,
    *renewing.SWEEPS,
)
