"""Removing, muting and banning members, and giving them other roles."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from chat_service.accounts import Account
from chat_service.context import Context
from chat_service.rooms.changes import Change, changing, read_under_lock
from chat_service.rooms.model import BanNotFound, Member, MemberRole
from chat_service.rooms.numbers import check_owned
from chat_service.rooms.queries import invitations, members
from chat_service.streams import EventType
from common import clock
from common.errors import Forbidden
from common.identity import Identity
from common.rights import Action

BANS_LISTED = 1000


async def remove_member(context: Context, identity: Identity, room_id: int, account_id: UUID) -> None:
    """Remove a member, who may not come back. Moderators may remove members, the owner everybody else.

    If the room's owner chose so, the invitation by which the member came ends, and nobody may join from the same
    address for a while, so that a new account does not open the room again.

    Raises `RoomNotFound`, `NotAMember`, `MemberNotFound`, `Forbidden`, `Unavailable`.
    """
    async with changing(context, room_id) as change:
        _subordinate(change, identity, account_id)
        now = clock.now()
        await members.insert_ban(change.connection, room_id, account_id, now)
        await _bar_the_way(change, account_id, now)
        await change.remove(account_id, EventType.REMOVED, now)


async def change_member(
    context: Context,
    identity: Identity,
    room_id: int,
    account_id: UUID,
    role: MemberRole | None,
    mute: tuple[timedelta | None] | None,
) -> Member:
    """Give a member another role, which only the owner may, or mute them, or both at once; None: no change.

    `mute` holds the time for which the member may only read; None in it: the member may write again. A member who is
    given the role of the owner owns the room from now on. Raises the errors of `remove_member`, and `TooManyRooms` for
    an account that owns as many rooms as it may.
    """
    bounds = await context.room_bounds()
    async with changing(context, room_id) as change:
        member = _subordinate(change, identity, account_id)
        if mute:
            await _mute(change, member, mute[0])
        if role:
            change.state.demand(Action.EDIT, identity)
            if role is MemberRole.OWNER:
                is_private = change.room.is_private
                await check_owned(change.connection, bounds, account_id, is_private=is_private)
                await change.set_owner(change.member(account_id))
            else:
                await change.set_role(change.member(account_id), role)
    return change.member(account_id)


async def list_bans(context: Context, identity: Identity, room_id: int) -> list[tuple[UUID, Account | None]]:
    """The banned accounts, the latest first; None: the account was deleted. Owner and moderators may see them.

    Raises `RoomNotFound`, `NotAMember`, `Forbidden`, `Unavailable`.
    """
    async with context.db.transaction() as connection:
        (await read_under_lock(context, connection, room_id)).demand(Action.MODERATE, identity)
        found = await members.banned_accounts(connection, room_id, BANS_LISTED)
    accounts = await context.accounts.of_ids(found)
    return [(account_id, accounts.get(account_id)) for account_id in found]


async def lift_ban(context: Context, identity: Identity, room_id: int, account_id: UUID) -> None:
    """Let a banned account join again. Raises `BanNotFound`, and the errors of `list_bans`."""
    async with context.db.transaction() as connection:
        (await read_under_lock(context, connection, room_id)).demand(Action.MODERATE, identity)
        if not await members.delete_ban(connection, room_id, account_id):
            raise BanNotFound
        await members.release_addresses(connection, room_id, account_id)


def _subordinate(change: Change, identity: Identity, account_id: UUID) -> Member:
    """The member whom the account wants to moderate. Raises unless it may."""
    change.state.demand(Action.MODERATE, identity)
    member = change.member(account_id)
    if not change.member(identity.account_id).outranks(member):
        raise Forbidden
    return member


async def _bar_the_way(change: Change, account_id: UUID, now: datetime) -> None:
    room, connection = change.room, change.connection
    way = await members.way_of(connection, room.id, account_id)
    if way and way.invitation_id and room.bans_end_invitations:
        await invitations.delete_invitation(connection, room.id, way.invitation_id)
    if way and way.address_digest and room.bans_hold_address_seconds:
        until = now + timedelta(seconds=room.bans_hold_address_seconds)
        await members.hold_address(connection, room.id, account_id, way.address_digest, until)


async def _mute(change: Change, member: Member, period: timedelta | None) -> None:
    until = clock.now() + period if period else None
    await change.put(replace(member, muted_until=until))
    muted_until = clock.in_json(until) if until else None
    change.announce(EventType.MUTED, account_id=str(member.account_id), muted_until=muted_until)
