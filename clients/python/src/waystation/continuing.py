"""Going on with a share that the same account has begun elsewhere: in the page, or with the command on another machine.

The account's token gives the share's key and the ids of its uploads. They are put where an interrupted attempt of this
machine would have left them, and from there on nothing is different.
"""

from collections.abc import Sequence

from waystation.account import share_with
from waystation.connection import Connection
from waystation.errors import NotFound, Unusable
from waystation.journal import Entry
from waystation.models import Item, Share, parsed
from waystation.names import safe_name
from waystation.sources import Source
from waystation.terms import Terms


async def take_over(connection: Connection, code: str, sources: Sequence[Source], entry: Entry) -> None:
    """Note in `entry` how the unfinished files of a share go on with these sources, unless it says so already.

    Raises `NotFound` for a code that is none of the account's, and `Unusable` for a source that is none of the files.
    """
    try:
        found = await share_with(connection, code)
    except NotFound:
        entry.finish()
        raise
    if entry.data.get("share") == found.id:
        # Otherwise it is about an earlier share with this code, which has ended.
        return
    share = parsed(Share.parse, await connection.json("GET", f"/v1/shares/{found.id}"))
    items = _items_for(share, sources)
    entry.data = {
        "share": share.id,
        "key": share.key,
        "items": [item.id for item in items],
        "uploads": {item.id: item.upload_id for item in items if item.upload_id},
        "sent": {},
        "password": Terms().mark(),
        "begun_elsewhere": True,
    }
    entry.save()


def _items_for(share: Share, sources: Sequence[Source]) -> list[Item]:
    """The unfinished item of each source, by its name and size."""
    unfinished = [item for item in share.items if item.upload]
    items: list[Item] = []
    for source in sources:
        fitting = [item for item in unfinished if item.size == source.size and _is_name(item.name, source.name)]
        if not fitting:
            raise Unusable(f"{source.name}: no unfinished file of this share has this name and size")
        items.append(fitting[0])
        unfinished.remove(fitting[0])
    return items


def _is_name(kept: str, chosen: str) -> bool:
    """Whether a file has the name of an item, which may name folders, and which the server may have cleaned."""
    return kept == chosen or safe_name(kept) == safe_name(chosen)
