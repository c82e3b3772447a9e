"""Joining and leaving rooms."""

from datetime import timedelta
from uuid import UUID

from chat_service.context import Context
from chat_service.rooms.changes import Change, changing
from chat_service.rooms.finding import find_room
from chat_service.rooms.model import (
    Banned,
    InvitationUnknown,
    Member,
    MemberRole,
    NotAMember,
    Room,
    RoomFull,
    RoomNotFound,
    RoomPasswordMissing,
    RoomPasswordWrong,
    Way,
)
from chat_service.rooms.queries import invitations, members
from chat_service.streams import EventType
from common import clock
from common.credentials import digest
from common.identity import Identity
from common.rights import Action

ADDRESS_COUNT = 10
"""Wrong passwords that one address may send for a room in each `PERIOD`."""
ROOM_COUNT = 100
"""Wrong passwords for a room from all addresses together in a `PERIOD` after which each gets one more try."""
PERIOD = timedelta(minutes=10)


async def join_room(
    context: Context,
    identity: Identity,
    room_id: int,
    *,
    password: str | None = None,
    invitation: str | None = None,
    address: str,
) -> Room:
    """Join a room by its id: a private one by its password or an invitation. Members stay members without either.

    `address`: the client's. Raises `RoomNotFound` (also for a private room without password and invitation),
    `RoomPasswordWrong`, `InvitationUnknown`, `Banned`, `RoomFull`, `RateLimited`, `Unavailable`.
    """
    state = await context.states.fresh(room_id)
    if identity.account_id in state.members:
        return state.room
    if state.room.is_private and invitation is None:
        if password is None:
            raise RoomNotFound
        await _check_password(context, state.room, password, address)
    return await _enter(context, identity, state.room, invitation, address)


async def join_by_name(context: Context, identity: Identity, name: str, password: str | None, address: str) -> Room:
    """Join a room by its name. A private one asks for its password every time, even of members.

    `address`: the client's. Raises `RoomNotFound`, `RoomPasswordMissing`, `RoomPasswordWrong`, `Banned`, `RoomFull`,
    `RateLimited`, `Unavailable`.
    """
    room = await find_room(context, name)
    if room is None:
        raise RoomNotFound
    if room.is_private:
        if not password:
            raise RoomPasswordMissing
        await _check_password(context, room, password, address)
    return await _enter(context, identity, room, None, address)


async def leave_room(context: Context, identity: Identity, room_id: int) -> None:
    """Leave a room. An owner's room passes to the oldest moderator, or else the oldest member, or else is closed.

    Raises `RoomNotFound`, `NotAMember`, `Unavailable`.
    """
    async with changing(context, room_id) as change:
        change.state.demand(Action.SEE, identity)
        if identity.account_id not in change.members:
            raise NotAMember
        await change.remove(identity.account_id, EventType.LEFT, clock.now())


async def _check_password(context: Context, room: Room, password: str, address: str) -> None:
    await context.passwords.check(str(room.id), room.password_hash, password, address, RoomPasswordWrong)


async def _enter(context: Context, identity: Identity, checked: Room, invitation: str | None, address: str) -> Room:
    """Make the account a member. `checked`: the room as it was when the password, if it has one, was checked."""
    bounds = await context.room_bounds()
    async with changing(context, checked.id) as change:
        if identity.account_id in change.members:
            return change.room
        digest_of_address = context.address_digest(change.room.id, address)
        invitation_id = await _admit(change, identity, checked, invitation, digest_of_address)
        if len(change.members) >= bounds.room_members:
            raise RoomFull
        member = Member(identity.account_id, MemberRole.MEMBER, None, clock.now())
        is_remembered = change.room.bans_hold_address_seconds is not None
        way = Way(invitation_id, digest_of_address if is_remembered else None)
        await change.add(member, identity.name, way)
    return change.room


async def _admit(
    change: Change, identity: Identity, checked: Room, invitation: str | None, address_digest: bytes
) -> UUID | None:
    """Raise unless the account may join; take a use of the invitation, and return its id."""
    room, connection, now = change.room, change.connection, clock.now()
    if await members.is_banned(connection, room.id, identity.account_id, address_digest, now):
        raise Banned
    if not room.is_private:
        return None
    if invitation is None:
        if room.password_hash != checked.password_hash:
            # The password was changed while it was being checked.
            raise RoomPasswordWrong
        return None
    invitation_id = await invitations.take_use(connection, room.id, digest(invitation), now)
    if invitation_id is None:
        raise InvitationUnknown
    return invitation_id
