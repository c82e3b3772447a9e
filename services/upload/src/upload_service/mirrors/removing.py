"""Removing all wishes for a mirror that an administrator has removed, and ending or forgetting all replicas on it.

The mirror's row says that it is removed, and from then on it is not used: no file can be wanted there, and nothing is
read or copied. Some rows are changed at once. A sweep changes the others some at a time, so that no transaction holds
the rows of a whole mirror; whatever dies in between, the next sweep finds the rest by the mirror's row.
"""

from common.db import Connection
from common.sweeping import Sweep
from upload_service.mirrors.context import Context
from upload_service.mirrors.model import Mirror
from upload_service.mirrors.queries import removal

BATCH = 500


async def remove_some(connection: Connection, mirror: Mirror) -> int:
    """Remove some wishes for a removed mirror, and end or forget some of its replicas; returns their number."""
    wishes = await removal.delete_some_wishes(connection, mirror.id, BATCH)
    clear = removal.forget_some if mirror.is_forgotten else removal.end_some
    return wishes + await clear(connection, mirror.id, BATCH)


async def _remove(context: Context) -> int:
    async with context.db.connection() as connection:
        return sum([await remove_some(connection, mirror) for mirror in await removal.removed_mirrors(connection)])


SWEEPS = (Sweep("wishes and replicas of removed mirrors", _remove, removal.count_left),)
