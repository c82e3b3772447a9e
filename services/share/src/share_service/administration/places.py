"""The place in a list where a page ends, as a text for URLs."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from common.errors import InvalidInput
from share_service.administration.model import Order, Place
from share_service.shares.model import Share, canonical

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The moment in whose place those shares are listed that never end by time."""

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOMENTS = ("created_at", "expires_at")
_TEXTS = ("name", "code")


def place_of(share: Share, order: Order) -> Place:
    """The place of a share in a list of this order."""
    values = {
        "created_at": share.created_at,
        "expires_at": share.expires_at or NEVER,
        "name": share.name.lower()[:64],
        "size": share.size,
        "downloads": share.used_count,
        # As it is stored, not as its sender wrote it.
        "code": canonical(share.kind, share.code),
    }
    return Place(values[order.key], share.id)


def text_of(place: Place, order: Order) -> str:
    """The text of a place. It holds for this order alone."""
    value = (place.value - _START) // _MICROSECOND if order.key in _MOMENTS else place.value
    return base64.urlsafe_b64encode(json.dumps([order.key, value, place.id.hex]).encode()).decode()


def parse_place(text: str, order: Order) -> Place:
    """Parse a place. Raises `InvalidInput`, also if it is one of another order."""
    try:
        key, value, share_id = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
        return Place(_value(value, key, order), UUID(hex=share_id))
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput("the cursor is none that a list of this order gave") from None


def _value(value: Any, key: object, order: Order) -> Any:
    if key != order.key:
        raise ValueError("another order")
    if order.key in _TEXTS:
        if not isinstance(value, str) or "\0" in value:
            raise ValueError("no text of a share")
        return value
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError("no number of a share")
    return _START + value * _MICROSECOND if order.key in _MOMENTS else value
