"""Who is in a room, and keeping order among them."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from chat_service.accounts import Account
from chat_service.context import Context
from chat_service.rooms.changes import Change, changing, demand, read_under_lock
from chat_service.rooms.model import Member, MemberRole
from chat_service.rooms.queries import members
from chat_service.streams import EventType
from common import clock
from common.errors import Forbidden, NotFound
from common.identity import Identity
from common.pages import Cursor
from common.rights import Action

BANS_LISTED = 1000


class BanNotFound(NotFound):
    """This account was not removed from the room."""

    code = "ban_not_found"


async def list_members(
    context: Context, identity: Identity, room_id: int, after: Cursor | None, limit: int
) -> list[tuple[Member, Account | None]]:
    """Up to `limit` members, those who are in the room the longest first. None: the account is gone.

    Raises `RoomNotFound`, `NotAMember`, `Unavailable`.
    """
    state = await context.states.fresh(room_id)
    demand(Action.READ, state, identity)
    found = sorted(state.members.values(), key=_place)
    if after:
        found = [member for member in found if _place(member) > (after.created_at, after.id)]
    page = found[:limit]
    accounts = await context.accounts.of_ids(member.account_id for member in page)
    return [(member, accounts.get(member.account_id)) for member in page]


async def member_names(context: Context, room_id: int) -> list[str]:
    """What the members of a room are called, those who are in it the longest first, whoever asks.

    Raises `RoomNotFound`, `Unavailable`.
    """
    state = await context.states.fresh(room_id)
    accounts = await context.accounts.of_ids(state.members)
    found = (accounts.get(member.account_id) for member in sorted(state.members.values(), key=_place))
    return [account.name for account in found if account]


async def remove_member(context: Context, identity: Identity, room_id: int, account_id: UUID) -> None:
    """Remove somebody, who may not come back. Moderators may remove members, the owner everybody else.

    Raises `RoomNotFound`, `NotAMember`, `MemberNotFound`, `Forbidden`, `Unavailable`.
    """
    async with changing(context, room_id) as change:
        _moderated(change, identity, account_id)
        now = clock.now()
        await members.insert_ban(change.connection, room_id, account_id, now)
        await change.remove(account_id, EventType.REMOVED, now)


async def mute_member(
    context: Context, identity: Identity, room_id: int, account_id: UUID, period: timedelta | None
) -> None:
    """Let somebody only read for `period`; None: write again. Who may, and what is raised: as with `remove_member`."""
    async with changing(context, room_id) as change:
        member = _moderated(change, identity, account_id)
        await _mute(change, member, period)


async def change_member(
    context: Context,
    identity: Identity,
    room_id: int,
    account_id: UUID,
    role: MemberRole | None,
    mute: tuple[timedelta | None] | None,
) -> Member:
    """Give a member another role, which the owner may, or mute them, or both in one step; None: leave it as it is.

    The role of the owner passes the room on; who had it stays as a moderator. Raises as `remove_member` does.
    """
    async with changing(context, room_id) as change:
        member = _moderated(change, identity, account_id)
        if mute:
            await _mute(change, member, mute[0])
        if role:
            demand(Action.EDIT, change.state, identity)
            if role is MemberRole.OWNER:
                await change.set_owner(change.member(account_id))
            else:
                await change.set_role(change.member(account_id), role)
    return change.member(account_id)


async def list_bans(context: Context, identity: Identity, room_id: int) -> list[tuple[UUID, Account | None]]:
    """Who was removed, the latest first. Owner and moderators may ask. Raises as `remove_member` does."""
    async with context.db.transaction() as connection:
        demand(Action.MODERATE, await read_under_lock(context, connection, room_id), identity)
        found = await members.banned_accounts(connection, room_id, BANS_LISTED)
    accounts = await context.accounts.of_ids(found)
    return [(account_id, accounts.get(account_id)) for account_id in found]


async def lift_ban(context: Context, identity: Identity, room_id: int, account_id: UUID) -> None:
    """Let somebody come back who was removed. Raises `BanNotFound`, and as `remove_member` does."""
    async with context.db.transaction() as connection:
        demand(Action.MODERATE, await read_under_lock(context, connection, room_id), identity)
        if not await members.delete_ban(connection, room_id, account_id):
            raise BanNotFound


def _moderated(change: Change, identity: Identity, account_id: UUID) -> Member:
    """The member whom the account is to keep in order. Raises unless it may."""
    demand(Action.MODERATE, change.state, identity)
    member = change.member(account_id)
    if not change.member(identity.account_id).outranks(member):
        raise Forbidden
    return member


async def _mute(change: Change, member: Member, period: timedelta | None) -> None:
    until = clock.now() + period if period else None
    await change.put(replace(member, muted_until=until))
    told = until.isoformat(timespec="milliseconds").replace("+00:00", "Z") if until else None
    change.tell(EventType.MUTED, account_id=str(member.account_id), muted_until=told)


def _place(member: Member) -> tuple[object, UUID]:
    return member.joined_at, member.account_id
