"""Whether files can be stored and given out at the moment: tried on the store, for which mirrors may stand in."""

import asyncio
from collections.abc import AsyncGenerator

from common.health import OK, state_of
from common.store import ObjectStore
from upload_service.mirrors.context import Context
from upload_service.mirrors.queries import replicas

PROBE_KEY, PROBE = "health", b"\0" * 4096
"""The object that is written and removed again. A store with a full disk still answers everything but this."""
PATIENCE_SECONDS = 3.0


async def find_abilities(context: Context) -> dict[str, str]:
    """The states of `sending` and `fetching` files: `ok`, or the code of an error."""
    database = await state_of(context.db.ready, PATIENCE_SECONDS)
    if database != OK:
        return {"sending": database, "fetching": database}
    sending, fetching = await asyncio.gather(
        state_of(lambda: _write(context.store), PATIENCE_SECONDS), state_of(context.store.ready, PATIENCE_SECONDS)
    )
    if fetching != OK and await _have_copies(context):
        fetching = OK
    return {"sending": sending, "fetching": fetching}


async def _write(store: ObjectStore) -> None:
    async def blocks() -> AsyncGenerator[bytes]:
        yield PROBE

    await store.put(PROBE_KEY, blocks(), len(PROBE))
    await store.delete(PROBE_KEY)


async def _have_copies(context: Context) -> bool:
    """Whether mirrors have verified copies, from which downloads are served while the store is down."""
    async with context.db.connection() as connection:
        return await replicas.any_readable(connection)
