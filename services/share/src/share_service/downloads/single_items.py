"""Items as the content of their share, for everything that fetches one content at a time."""

from dataclasses import replace

from common.errors import NotReady
from share_service.context import Context
from share_service.downloads.archives import ArchivedItems
from share_service.items.model import Item
from share_service.items.queries.held import items_of_share
from share_service.shares.model import Share, UnknownCode


def of_item(share: Share, item: Item) -> Share:
    """The share as if the item were all that it has. Raises `NotReady`, and `UnknownCode` if the item has failed."""
    if item.state == "failed":
        raise UnknownCode
    if item.state != "ready":
        raise NotReady("the content has not arrived yet")
    return replace(share, content_kind=item.kind, name=item.name, size=item.size, body=item.body, file_id=item.file_id)


async def items_as_content(context: Context, share: Share) -> Share:
    """The share as if its only item were all that it has, or the archive of its items if there are several.

    Raises as `of_item` and `ArchivedItems.of`.
    """
    async with context.db.connection() as connection:
        items = await items_of_share(connection, share.id)
    return of_item(share, items[0]) if len(items) == 1 else ArchivedItems.of(share, items).as_content(share)
