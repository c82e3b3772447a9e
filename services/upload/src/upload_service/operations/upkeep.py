"""The upkeep of replicas: what is due is requested, what is removed is forgotten."""

from datetime import timedelta

from upload_service.operations.context import Context
from upload_service.queries import mirrors, replicas

# What became of a replica that was removed is remembered for so long.
REMEMBERED = timedelta(days=7)


async def sweep_replicas(context: Context) -> None:
    """Request all replicas with which something is to be done, as far as their mirrors have room.

    It finds what a lost message or a dead worker left, what is to be tried or checked again, and what was planned for a
    mirror at the very moment that it was removed.
    """
    async with context.db.connection() as connection:
        for mirror in await mirrors.all_mirrors(connection):
            if mirror.removed_at:
                await replicas.condemn_mirror(connection, mirror.id)
        due = await replicas.due_replicas(connection)
        await replicas.forget_removed(connection, REMEMBERED)
        await mirrors.delete_removed(connection)
    for replica_id in due:
        await context.queue.replicate(replica_id)
