"""`/v1/rooms`: making, finding, joining, changing and closing rooms."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response

from chat_service.edge import address_of, state_of
from chat_service.rooms import creating as rooms
from chat_service.rooms import joining
from chat_service.rooms.api.schemas import (
    After,
    InvitationList,
    InvitationRequest,
    InvitationView,
    JoinRequest,
    Limit,
    ListedRoomView,
    NamedJoinRequest,
    NewInvitation,
    RoomChangesRequest,
    RoomId,
    RoomPage,
    RoomRequest,
    RoomView,
    next_of,
    number_of,
)
from chat_service.rooms.model import Invitation, ListedRoom, NewRoom, RoomChanges
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url
from common.pages import PAGE_SIZE


async def list_rooms(request: Request, identity: SignedIn, limit: Limit = PAGE_SIZE, after: After = None) -> RoomPage:
    """The public rooms."""
    found = await rooms.list_public_rooms(state_of(request).context, identity, number_of(after, 0), limit + 1)
    return _page(found, limit)


async def list_own_rooms(
    request: Request, identity: SignedIn, limit: Limit = PAGE_SIZE, after: After = None
) -> RoomPage:
    """The rooms that the account is in."""
    found = await rooms.list_own_rooms(state_of(request).context, identity, number_of(after, 0), limit + 1)
    return _page(found, limit)


async def create_room(request: Request, identity: SignedIn) -> RoomView:
    """Make a room."""
    wanted = await read_model(request, RoomRequest)
    made = await rooms.create_room(state_of(request).context, identity, NewRoom(**wanted.model_dump()))
    return RoomView.of(made, identity)


async def read_room(request: Request, identity: SignedIn, room_id: RoomId) -> RoomView:
    """A public room, or one that the account is in."""
    return RoomView.of(await rooms.see_room(state_of(request).context, identity, room_id), identity)


async def edit_room(request: Request, identity: SignedIn, room_id: RoomId) -> RoomView:
    """Change a room of one's own."""
    wanted = await read_model(request, RoomChangesRequest)
    changes = RoomChanges(wanted.model_dump(include=wanted.model_fields_set))
    return RoomView.of(await rooms.edit_room(state_of(request).context, identity, room_id, changes), identity)


async def close_room(request: Request, identity: SignedIn, room_id: RoomId) -> Response:
    """Close a room for good, as its owner or as an administrator. What was said in it is gone."""
    await rooms.close_room(state_of(request).context, identity, room_id)
    return Response(status_code=204)


async def join_by_name(request: Request, identity: SignedIn) -> RoomView:
    """Enter a room by its name."""
    shown = await read_model(request, NamedJoinRequest)
    context = state_of(request).context
    room = await joining.join_by_name(context, identity, shown.name, shown.password, address_of(request))
    return RoomView.of(await context.states.at_least(room.id, room.version), identity)


async def join_room(request: Request, identity: SignedIn, room_id: RoomId) -> RoomView:
    """Enter a room: a private one by its password or by an invitation."""
    shown = await read_model(request, JoinRequest)
    context = state_of(request).context
    room = await joining.join_room(
        context, identity, room_id, password=shown.password, invitation=shown.invitation, address=address_of(request)
    )
    return RoomView.of(await context.states.at_least(room.id, room.version), identity)


async def leave_room(request: Request, identity: SignedIn, room_id: RoomId) -> Response:
    """Leave a room. An owner's passes to the oldest moderator, else to the oldest member, else it is closed."""
    await joining.leave_room(state_of(request).context, identity, room_id)
    return Response(status_code=204)


async def create_invitation(request: Request, identity: SignedIn, room_id: RoomId) -> NewInvitation:
    """Invite others by a link."""
    wanted = await read_model(request, InvitationRequest)
    state = state_of(request)
    made, token = await joining.create_invitation(
        state.context, identity, room_id, uses=wanted.uses, lifetime=timedelta(seconds=wanted.lifetime_seconds)
    )
    # Behind the #, which browsers send to nobody.
    url = f"{base_url(request, state.public_url)}/rooms/{room_id}#invitation={token}"
    return NewInvitation(**_invitation(made).model_dump(), token=token, url=url)


async def list_invitations(request: Request, identity: SignedIn, room_id: RoomId) -> InvitationList:
    """Invitations that still open the room."""
    found = await joining.list_invitations(state_of(request).context, identity, room_id)
    return InvitationList(invitations=[_invitation(invitation) for invitation in found])


async def revoke_invitation(request: Request, identity: SignedIn, room_id: RoomId, invitation_id: UUID) -> Response:
    """Take an invitation back."""
    await joining.revoke_invitation(state_of(request).context, identity, room_id, invitation_id)
    return Response(status_code=204)


def _page(found: list[ListedRoom], limit: int) -> RoomPage:
    return RoomPage(rooms=[ListedRoomView.of(room) for room in found[:limit]], next=next_of(found, limit))


def _invitation(made: Invitation) -> InvitationView:
    return InvitationView(
        id=made.id,
        created_by=made.created_by,
        created_at=made.created_at,
        expires_at=made.expires_at,
        uses_left=made.uses_left,
    )


router = APIRouter(prefix="/v1/rooms", tags=["rooms"])
router.add_api_route("", list_rooms, methods=["GET"])
router.add_api_route("", create_room, methods=["POST"], status_code=201, openapi_extra=documented(RoomRequest))
router.add_api_route("/mine", list_own_rooms, methods=["GET"])
router.add_api_route("/join", join_by_name, methods=["POST"], openapi_extra=documented(NamedJoinRequest))
router.add_api_route("/{room_id}", read_room, methods=["GET"])
router.add_api_route("/{room_id}", edit_room, methods=["PATCH"], openapi_extra=documented(RoomChangesRequest))
router.add_api_route("/{room_id}", close_room, methods=["DELETE"], status_code=204)
router.add_api_route("/{room_id}/join", join_room, methods=["POST"], openapi_extra=documented(JoinRequest))
router.add_api_route("/{room_id}/leave", leave_room, methods=["POST"], status_code=204)
router.add_api_route(
    "/{room_id}/invitations",
    create_invitation,
    methods=["POST"],
    status_code=201,
    openapi_extra=documented(InvitationRequest),
)
router.add_api_route("/{room_id}/invitations", list_invitations, methods=["GET"])
router.add_api_route("/{room_id}/invitations/{invitation_id}", revoke_invitation, methods=["DELETE"], status_code=204)
