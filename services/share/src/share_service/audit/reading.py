"""Reading the audit logs of all services as one."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from pydantic import TypeAdapter

from common.audit import Author, Entry, Wanted
from common.audit_log import list_entries
from common.pages import Cursor
from common.peers import Peer
from share_service.context import Context

BATCH = 500

_ENTRIES: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry])
_WANTED: TypeAdapter[Wanted] = TypeAdapter(Wanted)


async def own_log(context: Context, author: Author, limit: int) -> list[Entry]:
    """The newest entries of this service alone. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        return await list_entries(connection, Wanted(), None, limit)


async def read_log(context: Context, author: Author, wanted: Wanted, after: Cursor | None, limit: int) -> list[Entry]:
    """Up to `limit` of the entries wanted, of all services, that come after the cursor, the newest first.

    Raises `Forbidden`, and `Unavailable` if a service does not answer: a log with gaps would be taken for a whole one.
    """
    author.require_administrator()

    async def own() -> list[Entry]:
        async with context.db.connection() as connection:
            return await list_entries(connection, wanted, after, limit)

    peers = (context.auth, context.upload, context.chat)
    logs = await asyncio.gather(own(), *(_log_of(peer, wanted, after, limit) for peer in peers))
    merged = sorted((entry for log in logs for entry in log), key=lambda entry: (entry.at, entry.id), reverse=True)
    return merged[:limit]


async def whole_log(context: Context, author: Author, wanted: Wanted) -> AsyncGenerator[list[Entry]]:
    """All entries wanted of all services, the newest first, in batches. Raises as `read_log`."""
    after: Cursor | None = None
    while batch := await read_log(context, author, wanted, after, BATCH):
        yield batch
        after = Cursor(batch[-1].at, batch[-1].id)


async def _log_of(peer: Peer, wanted: Wanted, after: Cursor | None, limit: int) -> list[Entry]:
    asked: dict[str, Any] = {
        "limit": limit,
        "after": str(after) if after else None,
        "wanted": _WANTED.dump_python(wanted, mode="json"),
    }
    return _ENTRIES.validate_python((await peer.call("POST", "/internal/audit/entries", asked))["entries"])
