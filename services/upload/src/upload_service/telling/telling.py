"""Telling the share service of events, in their order, until it has said that it has them."""

from common.sweeping import Sweep, drain
from upload_service.content.context import Context
from upload_service.telling import queries
from upload_service.telling.model import DISK_LOW, KEPT, LOW_AGAIN

BATCH = 500


async def tell(context: Context) -> None:
    """Tell of everything that happened, and of a disk that is nearly full."""
    await look_at_disk(context)
    await drain(context, SWEEPS)
    async with context.db.connection() as connection:
        # Those that the share service could not be told of for too long.
        while await queries.delete_old_events(connection, KEPT, BATCH):
            pass


async def look_at_disk(context: Context) -> None:
    """Write an event if the disk of the store has less than twice its reserve left."""
    room = context.store.room.left()
    if room is not None and room.is_low:
        data = {"free": room.free, "reserve": room.reserve}
        async with context.db.connection() as connection:
            await queries.insert_event(connection, DISK_LOW, data, LOW_AGAIN)


async def _tell_batch(context: Context) -> int:
    """Tell of some events. The share service may hear again of those whose answer was lost, and knows them by id."""
    async with context.db.connection() as connection:
        events = await queries.first_events(connection, BATCH)
    if events:
        await context.shares.tell([event.to_json() for event in events])
        async with context.db.connection() as connection:
            await queries.delete_events(connection, [event.id for event in events])
    return len(events)


SWEEPS = (Sweep("events to tell", _tell_batch, queries.count_events),)
