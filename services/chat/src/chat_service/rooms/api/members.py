"""`/v1/rooms/{room_id}/members` and `…/bans`: the members of a room, and moderating them."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request

from chat_service.accounts import Account
from chat_service.edge import After, Limit, RoomId, account_view, context_of
from chat_service.rooms import members, moderating
from chat_service.rooms.api.schemas import BanList, MemberChanges, MemberPage, MemberView
from chat_service.rooms.model import Member, MemberRole
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_SIZE, Cursor

router = APIRouter(prefix="/v1/rooms/{room_id}", tags=["rooms"])


@router.get("/members")
async def list_members(
    request: Request, identity: SignedIn, room_id: RoomId, limit: Limit = PAGE_SIZE, after: After = None
) -> MemberPage:
    """List the members of a room that you are a member of."""
    cursor = Cursor.parse(after) if after else None
    found = await members.list_members(context_of(request), identity, room_id, cursor, limit + 1)
    page = found[:limit]
    more = str(Cursor(page[-1][0].joined_at, page[-1][0].account_id)) if len(found) > limit else None
    return MemberPage(members=[_view(member, account) for member, account in page], next=more)


@router.patch("/members/{account_id}", openapi_extra=documented(MemberChanges))
async def edit_member(request: Request, identity: SignedIn, room_id: RoomId, account_id: UUID) -> MemberView:
    """Mute a member or let them write again; give them another role, which only the owner may."""
    wanted = await read_model(request, MemberChanges)
    mute = None
    if "muted_seconds" in wanted.model_fields_set:
        mute = (timedelta(seconds=wanted.muted_seconds) if wanted.muted_seconds else None,)
    role = MemberRole(wanted.role) if wanted.role else None
    context = context_of(request)
    member = await moderating.change_member(context, identity, room_id, account_id, role, mute)
    accounts = await context.accounts.of_ids([account_id])
    return _view(member, accounts.get(account_id))


@router.delete("/members/{account_id}", status_code=204)
async def remove_member(request: Request, identity: SignedIn, room_id: RoomId, account_id: UUID) -> None:
    """Remove a member, who may not come back."""
    await moderating.remove_member(context_of(request), identity, room_id, account_id)


@router.get("/bans")
async def list_bans(request: Request, identity: SignedIn, room_id: RoomId) -> BanList:
    """List the accounts that were removed."""
    found = await moderating.list_bans(context_of(request), identity, room_id)
    return BanList(accounts=[account_view(account_id, account) for account_id, account in found])


@router.delete("/bans/{account_id}", status_code=204)
async def lift_ban(request: Request, identity: SignedIn, room_id: RoomId, account_id: UUID) -> None:
    """Let an account join again that was removed."""
    await moderating.lift_ban(context_of(request), identity, room_id, account_id)


def _view(member: Member, account: Account | None) -> MemberView:
    return MemberView(
        account=account_view(member.account_id, account),
        role=member.role.value,
        muted_until=member.muted_until,
        joined_at=member.joined_at,
    )
