"""Reading the audit log."""

from common.audit import Author, Entry
from common.pages import Cursor
from share_service.audit.queries import list_entries
from share_service.context import Context


async def read_log(context: Context, author: Author, after: Cursor | None, limit: int) -> list[Entry]:
    """Up to `limit` entries of this service that come after the cursor, the newest first. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        return await list_entries(connection, after, limit)
