"""Coming and going: joining, leaving, and inviting others."""

import secrets
from datetime import timedelta
from uuid import UUID

from chat_service.context import Context
from chat_service.rooms.changes import Change, changing, demand, read_under_lock
from chat_service.rooms.creating import find_room
from chat_service.rooms.model import (
    INVITATION_LIFETIME,
    Banned,
    Invitation,
    InvitationUnknown,
    Member,
    MemberRole,
    NotAMember,
    Room,
    RoomFull,
    RoomNotFound,
    RoomPasswordMissing,
    RoomPasswordWrong,
)
from chat_service.rooms.queries import invitations, members
from chat_service.streams import EventType
from common import clock
from common.credentials import digest
from common.errors import NotFound
from common.identity import Identity
from common.ids import new_id
from common.rights import Action

INVITATIONS_LISTED = 200


class InvitationNotFound(NotFound):
    """There is no such invitation."""

    code = "invitation_not_found"


async def join_room(
    context: Context,
    identity: Identity,
    room_id: int,
    *,
    password: str | None = None,
    invitation: str | None = None,
    address: str,
) -> Room:
    """Enter a room by its id; a private one by its password or an invitation. Who is in it already stays in it.

    `address`: where the password comes from. Raises `RoomNotFound` (also for a private room without either),
    `RoomPasswordWrong`, `InvitationUnknown`, `Banned`, `RoomFull`, `RateLimited`, `Unavailable`.
    """
    state = await context.states.fresh(room_id)
    if identity.account_id in state.members:
        return state.room
    if state.room.is_private and invitation is None:
        if password is None:
            raise RoomNotFound
        await context.passwords.check(state.room, password, address)
    return await _enter(context, identity, state.room, invitation)


async def join_by_name(context: Context, identity: Identity, name: str, password: str | None, address: str) -> Room:
    """Enter a room by its name; the password of a private one is asked for every time, of members too.

    Raises `RoomNotFound`, `RoomPasswordMissing`, `RoomPasswordWrong`, `Banned`, `RoomFull`, `RateLimited`,
    `Unavailable`.
    """
    room = await find_room(context, name)
    if room is None:
        raise RoomNotFound
    if room.is_private:
        if not password:
            raise RoomPasswordMissing
        await context.passwords.check(room, password, address)
    return await _enter(context, identity, room, None)


async def _enter(context: Context, identity: Identity, shown: Room, invitation: str | None) -> Room:
    """Enter a room that was found to be `shown`, to whose password the account has the right answer."""
    async with changing(context, shown.id) as change:
        if identity.account_id in change.members:
            return change.room
        await _admit(change, identity, shown, invitation)
        if len(change.members) >= context.bounds.room_members:
            raise RoomFull
        member = Member(identity.account_id, MemberRole.MEMBER, None, clock.now())
        await change.add(member, identity.name)
    return change.room


async def _admit(change: Change, identity: Identity, shown: Room, invitation: str | None) -> None:
    room, connection = change.room, change.connection
    if await members.is_banned(connection, room.id, identity.account_id):
        raise Banned
    if not room.is_private:
        return
    if invitation is None:
        if room.password_hash != shown.password_hash:
            # It was changed while it was checked.
            raise RoomPasswordWrong
    elif not await invitations.take_use(connection, room.id, digest(invitation), clock.now()):
        raise InvitationUnknown


async def leave_room(context: Context, identity: Identity, room_id: int) -> None:
    """Leave a room. An owner's room passes to the oldest moderator, else the oldest member, else it is closed.

    Raises `RoomNotFound`, `NotAMember`, `Unavailable`.
    """
    async with changing(context, room_id) as change:
        demand(Action.SEE, change.state, identity)
        if identity.account_id not in change.members:
            raise NotAMember
        await change.remove(identity.account_id, EventType.LEFT, clock.now())


async def create_invitation(
    context: Context,
    identity: Identity,
    room_id: int,
    *,
    uses: int | None = None,
    lifetime: timedelta = INVITATION_LIFETIME,
) -> tuple[Invitation, str]:
    """An invitation and its token, which is told once; `uses` None: any number. Owner and moderators may.

    Raises `RoomNotFound`, `NotAMember`, `Forbidden`.
    """
    token, now = secrets.token_urlsafe(24), clock.now()
    made = Invitation(new_id(), room_id, identity.account_id, now, now + lifetime, uses)
    async with context.db.transaction() as connection:
        demand(Action.INVITE, await read_under_lock(context, connection, room_id), identity)
        await invitations.insert_invitation(connection, made, digest(token))
    return made, token


async def list_invitations(context: Context, identity: Identity, room_id: int) -> list[Invitation]:
    """The newest invitations that still open the room. Raises as `create_invitation` does."""
    async with context.db.transaction() as connection:
        demand(Action.INVITE, await read_under_lock(context, connection, room_id), identity)
        return await invitations.invitations_of_room(connection, room_id, clock.now(), INVITATIONS_LISTED)


async def revoke_invitation(context: Context, identity: Identity, room_id: int, invitation_id: UUID) -> None:
    """Take an invitation back. Raises `InvitationNotFound`, and as `create_invitation` does."""
    async with context.db.transaction() as connection:
        demand(Action.INVITE, await read_under_lock(context, connection, room_id), identity)
        if not await invitations.delete_invitation(connection, room_id, invitation_id):
            raise InvitationNotFound
