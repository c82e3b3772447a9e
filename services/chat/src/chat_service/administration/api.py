"""`/v1/admin/rooms`: every open room, for administrators; never what is said in them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from chat_service.administration import acting, listing
from chat_service.administration.acting import Edit
from chat_service.administration.model import (
    KINDS,
    Administered,
    Filter,
    Kind,
    Order,
    SortKey,
    after_of,
    place_of,
)
from chat_service.edge import Limit, RequestModel, RoomId, context_of
from chat_service.rooms import creating
from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_SIZE
from common.places import lowered, parse_place, text_of

Keyword = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]

router = APIRouter(prefix="/v1/admin/rooms", tags=["administration"], dependencies=[Depends(administrator)])


class AdministeredRoom(BaseModel):
    """A room, with the numbers of its members and messages."""

    id: int
    name: str
    kind: Kind
    owner: UUID
    members: int
    messages: int
    capacity: int
    lifetime_seconds: int
    """The lifetime of each message."""
    created_at: datetime
    last_message_at: datetime | None
    """null: there is no message."""

    @staticmethod
    def of(found: Administered) -> "AdministeredRoom":
        room = found.room
        return AdministeredRoom(
            id=room.id,
            name=room.name,
            kind="private" if room.is_private else "public",
            owner=room.owner,
            members=found.members,
            messages=found.messages,
            capacity=room.capacity,
            lifetime_seconds=room.lifetime_seconds,
            created_at=room.created_at,
            last_message_at=found.last_message_at,
        )


class AdministeredRooms(BaseModel):
    """Rooms. `next`: the value of `after` for those that follow; null at the end."""

    rooms: list[AdministeredRoom]
    next: str | None
    total: int | None
    """The number of all; only on the first page."""


class RoomEdit(RequestModel):
    """New values; absent ones stay."""

    name: str | None = None
    capacity: Number | None = None
    lifetime_seconds: Number | None = None


@router.get("")
async def list_rooms(
    request: Request,
    identity: Administrator,
    search: Keyword = None,
    owner: UUID | None = None,
    kind: Kind | None = None,
    sort: SortKey = "created_at",
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
    limit: Limit = PAGE_SIZE,
) -> AdministeredRooms:
    """All open rooms.

    `search` finds three characters or more anywhere in a name, whatever their case, fewer at its beginning.
    """
    wanted = Filter(lowered((search or "").strip()) or None, owner, kind)
    ordered = Order(sort, order == "desc")
    place = None if after is None else after_of(parse_place(after, sort, KINDS[sort]))
    context, author = context_of(request), author_of(request, identity)
    page = await listing.page_of_rooms(context, author, wanted, ordered, place, limit + 1)
    more = len(page.rooms) > limit
    following = text_of(sort, place_of(page.rooms[limit - 1].room, ordered)) if more else None
    shown = [AdministeredRoom.of(found) for found in page.rooms[:limit]]
    return AdministeredRooms(rooms=shown, next=following, total=page.total)


@router.get("/{room_id}")
async def read_room(request: Request, identity: Administrator, room_id: RoomId) -> AdministeredRoom:
    """An open room."""
    return AdministeredRoom.of(await listing.see_room(context_of(request), author_of(request, identity), room_id))


@router.patch("/{room_id}", openapi_extra=documented(RoomEdit))
async def edit_room(request: Request, identity: Administrator, room_id: RoomId) -> AdministeredRoom:
    """Change a room; its members hear of it."""
    asked = await read_model(request, RoomEdit)
    context, author = context_of(request), author_of(request, identity)
    await acting.edit_room(context, author, room_id, Edit(asked.name, asked.capacity, asked.lifetime_seconds))
    return AdministeredRoom.of(await listing.see_room(context, author, room_id))


@router.delete("/{room_id}", status_code=204)
async def close_room(request: Request, identity: Administrator, room_id: RoomId) -> None:
    """Close a room for good. Its messages are deleted."""
    await creating.close_room(context_of(request), author_of(request, identity), room_id)
