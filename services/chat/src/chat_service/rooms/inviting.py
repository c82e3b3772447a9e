"""Invitations: links that open a room without its password."""

import secrets
from datetime import timedelta
from uuid import UUID

from chat_service.context import Context
from chat_service.rooms.changes import read_under_lock
from chat_service.rooms.model import INVITATION_LIFETIME, Invitation, InvitationNotFound
from chat_service.rooms.queries import invitations
from common import clock
from common.credentials import digest
from common.identity import Identity
from common.ids import new_id
from common.rights import Action

INVITATIONS_LISTED = 200


async def create_invitation(
    context: Context,
    identity: Identity,
    room_id: int,
    *,
    uses: int | None = None,
    lifetime: timedelta = INVITATION_LIFETIME,
) -> tuple[Invitation, str]:
    """A new invitation and its token, which is not stored; `uses` None: any number. Owner and moderators may.

    Raises `RoomNotFound`, `NotAMember`, `Forbidden`.
    """
    token, now = secrets.token_urlsafe(24), clock.now()
    made = Invitation(new_id(), room_id, identity.account_id, now, now + lifetime, uses)
    async with context.db.transaction() as connection:
        (await read_under_lock(context, connection, room_id)).demand(Action.INVITE, identity)
        await invitations.insert_invitation(connection, made, digest(token))
    return made, token


async def list_invitations(context: Context, identity: Identity, room_id: int) -> list[Invitation]:
    """The newest invitations that still open the room. Raises the errors of `create_invitation`."""
    async with context.db.transaction() as connection:
        (await read_under_lock(context, connection, room_id)).demand(Action.INVITE, identity)
        return await invitations.invitations_of_room(connection, room_id, clock.now(), INVITATIONS_LISTED)


async def revoke_invitation(context: Context, identity: Identity, room_id: int, invitation_id: UUID) -> None:
    """Revoke an invitation. Raises `InvitationNotFound`, and the errors of `create_invitation`."""
    async with context.db.transaction() as connection:
        (await read_under_lock(context, connection, room_id)).demand(Action.INVITE, identity)
        if not await invitations.delete_invitation(connection, room_id, invitation_id):
            raise InvitationNotFound
