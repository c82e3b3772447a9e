"""Reading what somebody else shared. That an administrator did so is recorded."""

from typing import Literal
from uuid import UUID

from common.audit import Act, Author
from common.audit_log import record
from common.errors import NotFound
from share_service.administration.queries.listing import listed_share
from share_service.context import Context
from share_service.downloads.downloading import StoredFile, file_of
from share_service.shares.model import Share


async def fetch_file(context: Context, author: Author, share_id: UUID, method: Literal["GET", "HEAD"]) -> StoredFile:
    """The file of a share, located for a request by `method`. Takes no use, and needs no password.

    Raises `NotFound`, `Forbidden`, and what `file_of` raises.
    """
    author.require_administrator()
    share = await _share(context, share_id)
    if share.file_id is None:
        raise NotFound
    file = await file_of(context, share, method)
    if method == "GET":
        await _record(context, author, share)
    return file


async def read_text(context: Context, author: Author, share_id: UUID) -> str:
    """The text of a share. Takes no use, and needs no password. Raises `NotFound`, `Forbidden`."""
    author.require_administrator()
    share = await _share(context, share_id)
    await _record(context, author, share)
    return share.body or ""


async def _share(context: Context, share_id: UUID) -> Share:
    async with context.db.connection() as connection:
        found = await listed_share(connection, share_id)
    if found is None:
        raise NotFound
    return found.share


async def _record(context: Context, author: Author, share: Share) -> None:
    async with context.db.connection() as connection:
        await record(connection, author, [Act("share.fetch", "share", str(share.id), share.name)])
