"""`/v1/rooms`: creating, finding, joining, changing and closing rooms."""

from fastapi import APIRouter, Request

from chat_service.edge import After, Limit, RoomId, address_of, context_of, id_after, next_of
from chat_service.rooms import creating, finding, joining
from chat_service.rooms.api.schemas import (
    JoinRequest,
    ListedRoomView,
    NamedJoinRequest,
    RoomChangesRequest,
    RoomPage,
    RoomRequest,
    RoomView,
)
from chat_service.rooms.model import ListedRoom, NewRoom, RoomChanges
from common.http.authors import author_of
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_SIZE

router = APIRouter(prefix="/v1/rooms", tags=["rooms"])


@router.get("")
async def list_rooms(request: Request, identity: SignedIn, limit: Limit = PAGE_SIZE, after: After = None) -> RoomPage:
    """List the public rooms."""
    found = await finding.list_public_rooms(context_of(request), identity, id_after(after, 0), limit + 1)
    return _page(found, limit)


@router.post("", status_code=201, openapi_extra=documented(RoomRequest))
async def create_room(request: Request, identity: SignedIn) -> RoomView:
    """Create a room."""
    wanted = await read_model(request, RoomRequest)
    made = await creating.create_room(context_of(request), identity, NewRoom(**wanted.model_dump()))
    return RoomView.of(made, identity)


@router.get("/mine")
async def list_own_rooms(
    request: Request, identity: SignedIn, limit: Limit = PAGE_SIZE, after: After = None
) -> RoomPage:
    """List the rooms that you are a member of."""
    found = await finding.list_own_rooms(context_of(request), identity, id_after(after, 0), limit + 1)
    return _page(found, limit)


@router.post("/join", openapi_extra=documented(NamedJoinRequest))
async def join_by_name(request: Request, identity: SignedIn) -> RoomView:
    """Join a room by its name."""
    sent = await read_model(request, NamedJoinRequest)
    context = context_of(request)
    room = await joining.join_by_name(context, identity, sent.name, sent.password, address_of(request))
    return RoomView.of(await context.states.at_least(room.id, room.version), identity)


@router.get("/{room_id}")
async def read_room(request: Request, identity: SignedIn, room_id: RoomId) -> RoomView:
    """Read a public room, or one that you are a member of."""
    return RoomView.of(await finding.see_room(context_of(request), identity, room_id), identity)


@router.patch("/{room_id}", openapi_extra=documented(RoomChangesRequest))
async def edit_room(request: Request, identity: SignedIn, room_id: RoomId) -> RoomView:
    """Change a room of your own."""
    wanted = await read_model(request, RoomChangesRequest)
    changes = RoomChanges(wanted.model_dump(include=wanted.model_fields_set))
    return RoomView.of(await creating.edit_room(context_of(request), identity, room_id, changes), identity)


@router.delete("/{room_id}", status_code=204)
async def close_room(request: Request, identity: SignedIn, room_id: RoomId) -> None:
    """Close a room for good, as its owner or as an administrator. Its messages are deleted."""
    await creating.close_room(context_of(request), author_of(request, identity), room_id)


@router.post("/{room_id}/join", openapi_extra=documented(JoinRequest))
async def join_room(request: Request, identity: SignedIn, room_id: RoomId) -> RoomView:
    """Join a room: a private one by its password or by an invitation."""
    sent = await read_model(request, JoinRequest)
    context = context_of(request)
    room = await joining.join_room(
        context, identity, room_id, password=sent.password, invitation=sent.invitation, address=address_of(request)
    )
    return RoomView.of(await context.states.at_least(room.id, room.version), identity)


@router.post("/{room_id}/leave", status_code=204)
async def leave_room(request: Request, identity: SignedIn, room_id: RoomId) -> None:
    """Leave a room. An owner's passes to the oldest moderator, else to the oldest member, else it is closed."""
    await joining.leave_room(context_of(request), identity, room_id)


def _page(found: list[ListedRoom], limit: int) -> RoomPage:
    return RoomPage(rooms=[ListedRoomView.of(room) for room in found[:limit]], next=next_of(found, limit))
