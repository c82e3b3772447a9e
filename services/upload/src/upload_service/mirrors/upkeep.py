"""The upkeep of mirrors and replicas: mirrors are probed, due work is requested, and removed mirrors are forgotten."""

import asyncio
from functools import partial

from common import logging
from common.claims import UnexpectedFailure
from common.sweeping import Sweep, drain
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import MirrorDown, MirrorError, OptionsInvalid
from upload_service.mirrors.model import REMEMBERED, Mirror
from upload_service.mirrors.queries import claimed, health, mirrors, replicas
from upload_service.mirrors.sealing import Unsealable

PROBE_SECONDS = 20
BATCH = 500

_log = logging.get(__name__)


async def probe_mirror(context: Context, mirror: Mirror) -> str | None:
    """Ask a mirror whether it answers and accepts our credentials. Returns the code of the error, or None.

    If it is well for the first time since a failed probe, everything that has failed there is tried again at once.
    """
    error = await _probe(context, mirror)
    async with context.db.transaction() as connection:
        await health.note_probe(connection, mirror.id, error)
        if mirror.probe_error is not None and error is None:
            await health.end_break(connection, mirror.id)
            await replicas.try_failed_again(connection, mirror.id)
    return error


async def _probe(context: Context, mirror: Mirror) -> str | None:
    try:
        async with asyncio.timeout(PROBE_SECONDS), context.drivers.of(mirror) as driver:
            await driver.check()
    except (MirrorError, OptionsInvalid, Unsealable) as failure:
        return failure.code
    except TimeoutError:
        return MirrorDown.code
    except Exception:  # noqa: BLE001  (it is logged, with its stack)
        _log.exception("a mirror could not be probed", mirror=mirror.id)
        return UnexpectedFailure.code
    return None


async def probe_mirrors(context: Context) -> None:
    """Probe every mirror that is in use, all at once, so that one that hangs delays no other."""
    async with context.db.connection() as connection:
        found = await mirrors.all_mirrors(connection)
    probes = (probe_mirror(context, mirror) for mirror in found if mirror.is_enabled)
    for result in await asyncio.gather(*probes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


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


SWEEPS = (Sweep("replicas to forget", _forget, partial(replicas.count_forgotten, age=REMEMBERED)),)
