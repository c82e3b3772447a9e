"""The place in a list of shares where a page ends."""

from datetime import datetime

from common.places import NEVER, Place, Value, lowered
from common.places import parse_place as parse
from common.places import text_of as written
from share_service.administration.model import Order, SortKey
from share_service.shares.model import Share, canonical

_KINDS: dict[SortKey, type[Value]] = {
    "created_at": datetime,
    "expires_at": datetime,
    "name": str,
    "size": int,
    "downloads": int,
    "code": str,
}


def place_of(share: Share, order: Order) -> Place:
    """The place of a share in a list of this order."""
    values = {
        "created_at": share.created_at,
        "expires_at": share.expires_at or NEVER,
        "name": lowered(share.name)[:64],
        "size": share.size,
        "downloads": share.used_count,
        # As it is stored, not as its sender wrote it.
        "code": canonical(share.kind, share.code),
    }
    return Place(values[order.key], share.id)


def text_of(place: Place, order: Order) -> str:
    """The text of a place. It holds for this order alone."""
    return written(order.key, place)


def parse_place(text: str, order: Order) -> Place:
    """Parse a place. Raises `InvalidInput`, also if it is one of another order."""
    return parse(text, order.key, _KINDS[order.key])
