"""Recording acts."""

from collections.abc import Sequence

from common.audit import Act, Author, entry_of
from common.db import Connection
from share_service.audit.queries import insert_entries


async def record(connection: Connection, author: Author, acts: Sequence[Act]) -> None:
    """Record acts in the transaction of the acts themselves."""
    await insert_entries(connection, [entry_of(author, act) for act in acts])
