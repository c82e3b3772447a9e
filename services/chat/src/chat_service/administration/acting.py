"""Acts of administrators on rooms. Each is recorded in the audit log, in its own transaction."""

from dataclasses import dataclass, replace
from typing import Any

from chat_service.context import Context
from chat_service.rooms import names
from chat_service.rooms.changes import changing
from chat_service.rooms.creating import check_bounds
from chat_service.rooms.model import Room
from chat_service.streams import EventType
from common.audit import Act, Author, changed
from common.audit_log import record


@dataclass(frozen=True, slots=True)
class Edit:
    """New values. None: as it is."""

    name: str | None = None
    capacity: int | None = None
    lifetime_seconds: int | None = None

    def of(self, room: Room) -> Room:
        """The room with these values."""
        return replace(
            room,
            name=room.name if self.name is None else self.name,
            capacity=self.capacity or room.capacity,
            lifetime_seconds=self.lifetime_seconds or room.lifetime_seconds,
        )


async def edit_room(context: Context, author: Author, room_id: int, edit: Edit) -> None:
    """Change a room; its members hear of it.

    Raises `Forbidden`, `RoomNotFound`, `RoomNameUnusable`, `RoomNameTaken`, `InvalidInput`, `ChatUnavailable`.
    """
    author.require_administrator()
    check_bounds(await context.room_bounds(), edit.lifetime_seconds, edit.capacity)
    if edit.name is not None:
        edit = replace(edit, name=names.shown(edit.name))
    async with changing(context, room_id) as change:
        before, change.room = change.room, edit.of(change.room)
        if change.room == before:
            return
        values = _values(change.room)
        change.announce(EventType.ROOM, **values)
        act = Act("room.change", "room", str(room_id), before.name, *changed(_values(before), values))
        await record(change.connection, author, [act])


def _values(room: Room) -> dict[str, Any]:
    return {"name": room.name, "lifetime_seconds": room.lifetime_seconds, "capacity": room.capacity}
