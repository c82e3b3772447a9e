"""The place in a list where a page ends, as a text for URLs: of lists that can be in several orders.

`common.pages` has the shorter form for lists that are always in the order of creation.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from common.errors import InvalidInput

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The moment in whose place those are listed that never end by time."""
START = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment in whose place those are listed to which something never happened."""

_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**63

Value = datetime | str | int


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a row in a list: its value in the column of the order, and its id, which decides between equals."""

    value: Any
    id: UUID


def lowered(text: str) -> str:
    """A text in lower case as PostgreSQL's `lower` has it: each character for itself, whatever stands beside it.

    Python's own method writes a sigma at the end of a word in another way, and makes two characters of `İ`.
    """
    return "".join("i" if character == "İ" else character.lower() for character in text)


def text_of(key: str, place: Place) -> str:
    """The text of a place. It holds for the order of this key alone."""
    value = (place.value - START) // _MICROSECOND if isinstance(place.value, datetime) else place.value
    return base64.urlsafe_b64encode(json.dumps([key, value, place.id.hex]).encode()).decode()


def parse_place(text: str, key: str, kind: type[Value]) -> Place:
    """Parse a place; `kind`: the type of the column. Raises `InvalidInput`, also for a place of another order."""
    try:
        found, value, row_id = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
        if found != key:
            raise ValueError("another order")
        return Place(_value(value, kind), UUID(hex=row_id))
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput("the cursor is none that a list of this order gave") from None


def _value(value: Any, kind: type[Value]) -> Value:
    if kind is str:
        if not isinstance(value, str) or not _is_storable(value):
            raise ValueError("no text of a row")
        return value
    if type(value) is not int or abs(value) >= _LARGEST:
        raise ValueError("no number of a row")
    return START + value * _MICROSECOND if kind is datetime else value


def _is_storable(text: str) -> bool:
    """Whether PostgreSQL can compare with it: without NUL and lone surrogates."""
    return "\0" not in text and text.encode(errors="replace").decode() == text
