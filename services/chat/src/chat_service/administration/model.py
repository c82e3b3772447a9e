"""The list of all open rooms: its filters and orders."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from chat_service.bounds import ID_MAX
from chat_service.rooms.model import Room
from common.errors import InvalidInput
from common.places import Place, Value, lowered

Kind = Literal["public", "private"]
SortKey = Literal["created_at", "name"]
KINDS: dict[SortKey, type[Value]] = {"created_at": int, "name": str}
"""The types of the columns; ids are in the order of creation."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The rooms to be listed. None: whatever it is."""

    keyword: str | None = None
    """In lower case. Three characters or more are found anywhere in the name, fewer only at its beginning."""
    owner: UUID | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list; rooms that are equal in it are in the order of their ids."""

    key: SortKey = "created_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class After:
    """The place in a list after which a page begins."""

    value: str | int
    room_id: int


@dataclass(frozen=True, slots=True)
class Administered:
    """A room with the number of its members and messages."""

    room: Room
    members: int
    messages: int
    last_message_at: datetime | None
    """None: there is no message."""


def place_of(room: Room, order: Order) -> Place:
    """The place of a room in a list of this order."""
    return Place(lowered(room.name)[:64] if order.key == "name" else room.id, UUID(int=room.id))


def after_of(place: Place) -> After:
    """The place as statements take it. Raises `InvalidInput`."""
    if place.id.int > ID_MAX:
        raise InvalidInput("the cursor is none that a list of this order gave")
    return After(place.value, place.id.int)
