"""`/v1/rooms/{room_id}/members` and `…/bans`: who is in a room, and keeping order among them."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response

from chat_service.accounts import Account
from chat_service.edge import state_of
from chat_service.rooms import moderating as members
from chat_service.rooms.api.schemas import (
    AccountView,
    After,
    BanList,
    Limit,
    MemberChanges,
    MemberPage,
    MemberView,
    RoomId,
)
from chat_service.rooms.model import Member, MemberRole
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_SIZE, Cursor


async def list_members(
    request: Request, identity: SignedIn, room_id: RoomId, limit: Limit = PAGE_SIZE, after: After = None
) -> MemberPage:
    """The members of a room that the account is in."""
    cursor = Cursor.parse(after) if after else None
    found = await members.list_members(state_of(request).context, identity, room_id, cursor, limit + 1)
    page = found[:limit]
    more = str(Cursor(page[-1][0].joined_at, page[-1][0].account_id)) if len(found) > limit else None
    return MemberPage(members=[_member(member, account) for member, account in page], next=more)


async def edit_member(request: Request, identity: SignedIn, room_id: RoomId, account_id: UUID) -> MemberView:
    """Mute a member, or let them write again; give them another role, which the owner may."""
    wanted = await read_model(request, MemberChanges)
    mute = None
    if "muted_seconds" in wanted.model_fields_set:
        mute = (timedelta(seconds=wanted.muted_seconds) if wanted.muted_seconds else None,)
    role = MemberRole(wanted.role) if wanted.role else None
    context = state_of(request).context
    member = await members.change_member(context, identity, room_id, account_id, role, mute)
    accounts = await context.accounts.of_ids([account_id])
    return _member(member, accounts.get(account_id))


async def remove_member(request: Request, identity: SignedIn, room_id: RoomId, account_id: UUID) -> Response:
    """Remove a member, who may not come back."""
    await members.remove_member(state_of(request).context, identity, room_id, account_id)
    return Response(status_code=204)


async def list_bans(request: Request, identity: SignedIn, room_id: RoomId) -> BanList:
    """Who was removed."""
    found = await members.list_bans(state_of(request).context, identity, room_id)
    return BanList(accounts=[account_view(account_id, account) for account_id, account in found])


async def lift_ban(request: Request, identity: SignedIn, room_id: RoomId, account_id: UUID) -> Response:
    """Let somebody come back who was removed."""
    await members.lift_ban(state_of(request).context, identity, room_id, account_id)
    return Response(status_code=204)


def account_view(account_id: UUID, account: Account | None) -> AccountView:
    """An account as everybody sees it, also one that is gone."""
    return AccountView(
        id=account_id, name=account.name if account else None, avatar_url=account.avatar_url if account else None
    )


def _member(member: Member, account: Account | None) -> MemberView:
    return MemberView(
        account=account_view(member.account_id, account),
        role=member.role.value,
        muted_until=member.muted_until,
        joined_at=member.joined_at,
    )


router = APIRouter(prefix="/v1/rooms/{room_id}", tags=["rooms"])
router.add_api_route("/members", list_members, methods=["GET"])
router.add_api_route("/members/{account_id}", edit_member, methods=["PATCH"], openapi_extra=documented(MemberChanges))
router.add_api_route("/members/{account_id}", remove_member, methods=["DELETE"], status_code=204)
router.add_api_route("/bans", list_bans, methods=["GET"])
router.add_api_route("/bans/{account_id}", lift_ban, methods=["DELETE"], status_code=204)
