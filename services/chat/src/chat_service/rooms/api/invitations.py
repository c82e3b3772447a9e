"""`/v1/rooms/{room_id}/invitations`: inviting others to a room by a link."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request

from chat_service.edge import RoomId, context_of
from chat_service.rooms import inviting
from chat_service.rooms.api.schemas import InvitationList, InvitationRequest, InvitationView, NewInvitation
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url

router = APIRouter(prefix="/v1/rooms/{room_id}/invitations", tags=["rooms"])


@router.post("", status_code=201, openapi_extra=documented(InvitationRequest))
async def create_invitation(request: Request, identity: SignedIn, room_id: RoomId) -> NewInvitation:
    """Invite others by a link."""
    wanted = await read_model(request, InvitationRequest)
    context, lifetime = context_of(request), timedelta(seconds=wanted.lifetime_seconds)
    made, token = await inviting.create_invitation(context, identity, room_id, uses=wanted.uses, lifetime=lifetime)
    # The token stands after the #, which browsers send to no server.
    url = f"{base_url(request, context.public_url)}/rooms/{room_id}#invitation={token}"
    return NewInvitation(**InvitationView.of(made).model_dump(), token=token, url=url)


@router.get("")
async def list_invitations(request: Request, identity: SignedIn, room_id: RoomId) -> InvitationList:
    """List the invitations that still open the room."""
    found = await inviting.list_invitations(context_of(request), identity, room_id)
    return InvitationList(invitations=[InvitationView.of(invitation) for invitation in found])


@router.delete("/{invitation_id}", status_code=204)
async def revoke_invitation(request: Request, identity: SignedIn, room_id: RoomId, invitation_id: UUID) -> None:
    """Revoke an invitation."""
    await inviting.revoke_invitation(context_of(request), identity, room_id, invitation_id)
