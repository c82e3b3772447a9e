"""Joining and leaving rooms."""

from datetime import timedelta

from chat_service.context import Context
from chat_service.rooms.changes import changing
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
)
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
    state = context.states.known(room_id)
    # A newcomer who needs no password is judged under the room's lock alone, so the state may be outdated.
    if state is None or identity.account_id in state.members or (state.room.is_private and invitation is None):
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
        room = change.room
        if identity.account_id in change.members:
            return room
        is_full = len(change.members) >= bounds.room_members
        member = Member(identity.account_id, MemberRole.MEMBER, None, clock.now())
        used = digest(invitation) if room.is_private and invitation is not None else None
        admission = await change.let_in(member, identity.name, context.address_digest(room.id, address), used)
        # Each of these undoes it.
        if admission.is_banned:
            raise Banned
        if room.is_private and invitation is None and room.password_hash != checked.password_hash:
            # The password was changed while it was being checked.
            raise RoomPasswordWrong
        if not admission.is_added:
            raise InvitationUnknown
        if is_full:
            raise RoomFull
    return change.room
