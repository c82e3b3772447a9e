"""Reading what somebody else shared. That an administrator did so is recorded."""

from typing import Literal
from uuid import UUID

from common.audit import Act, Author
from common.audit_log import record
from common.errors import NotFound
from share_service.administration.queries.listing import listed_share
from share_service.context import Context
from share_service.downloads.archives import ArchivedItems
from share_service.downloads.downloading import Download, file_of
from share_service.downloads.single_items import of_item
from share_service.items.queries.held import items_of_share
from share_service.shares.model import Share


async def fetch(context: Context, author: Author, share_id: UUID, method: Literal["GET", "HEAD"] = "GET") -> Download:
    """The text of a share, or its file or the archive of its items, located for a request by `method`.

    Takes no use, and needs no password. Raises `NotFound`, `Forbidden`, `NotReady` while items are awaited, and what
    `file_of` raises.
    """
    author.require_administrator()
    share = await _share(context, share_id)
    found = await _located(context, share, method)
    if method == "GET":
        async with context.db.connection() as connection:
            await record(connection, author, [Act("share.fetch", "share", str(share.id), share.name)])
    return found


async def _located(context: Context, share: Share, method: Literal["GET", "HEAD"]) -> Download:
    if share.content_kind == "items":
        async with context.db.connection() as connection:
            items = await items_of_share(connection, share.id)
        if len(items) != 1:
            archived = ArchivedItems.of(share, items)
            return Download(archived.as_content(share), archived.stored_at(context, share), archived.archive.tag)
        share = of_item(share, items[0])
    if share.content_kind == "text":
        return Download(share)
    file = await file_of(context, share, method)
    return Download(share, file.stored_at, file.sha256)


async def _share(context: Context, share_id: UUID) -> Share:
    async with context.db.connection() as connection:
        found = await listed_share(connection, share_id)
    if found is None:
        raise NotFound
    return found.share
