"""Listing the members of a room."""

from uuid import UUID

from chat_service.accounts import Account
from chat_service.context import Context
from chat_service.rooms.model import Member, RoomNotFound
from common.identity import Identity
from common.pages import Cursor
from common.rights import Action


async def list_members(
    context: Context, identity: Identity, room_id: int, after: Cursor | None, limit: int
) -> list[tuple[Member, Account | None]]:
    """Up to `limit` members, the oldest first; None: the account was deleted.

    Raises `RoomNotFound`, `NotAMember`, `Unavailable`.
    """
    state = await context.states.fresh(room_id)
    state.demand(Action.READ, identity)
    found = sorted(state.members.values(), key=_seniority)
    if after:
        found = [member for member in found if _seniority(member) > (after.created_at, after.id)]
    page = found[:limit]
    accounts = await context.accounts.of_ids(member.account_id for member in page)
    return [(member, accounts.get(member.account_id)) for member in page]


async def member_names(context: Context, identity: Identity, room_id: int) -> list[str]:
    """The names of a room's members, the oldest member first; of a public room for everybody who asks.

    Raises `RoomNotFound`, also for a private room that the account is not in; `Unavailable`.
    """
    state = await context.states.fresh(room_id)
    if state.room.is_private and not state.may(Action.READ, identity):
        raise RoomNotFound
    accounts = await context.accounts.of_ids(state.members)
    found = (accounts.get(member.account_id) for member in sorted(state.members.values(), key=_seniority))
    return [account.name for account in found if account]


def _seniority(member: Member) -> tuple[object, UUID]:
    return member.joined_at, member.account_id
