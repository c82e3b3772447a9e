"""`/v1/admin/accounts`: every account, for administrators."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from auth_service.accounts import deletion, standing
from auth_service.accounts.standing import Standing
from auth_service.administration import listing, resetting
from auth_service.administration.model import KINDS, Filter, Order, SortKey, State, place_of
from auth_service.administration.schemas import AccountDetail, AccountEdit, AccountsPage, LinkAnswer
from auth_service.edge import context_of, not_stored
from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url
from common.identity import Role
from common.ids import parse_id
from common.pages import PAGE_LIMIT, PAGE_SIZE
from common.places import lowered, parse_place, text_of

Keyword = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]

router = APIRouter(
    prefix="/v1/admin/accounts", tags=["administration"], dependencies=[Depends(administrator), Depends(not_stored)]
)


@router.get("")
async def list_accounts(
    request: Request,
    identity: Administrator,
    search: Keyword = None,
    role: Role | None = None,
    state: State | None = None,
    sort: SortKey = "created_at",
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
) -> AccountsPage:
    """All accounts.

    `search` finds three characters or more anywhere in the name or the e-mail address, whatever their case, fewer at
    the beginnings of words, and an account by its whole id.
    """
    keyword = lowered((search or "").strip())
    account_id = parse_id(keyword)
    wanted = Filter(None if account_id else keyword or None, account_id, role, state)
    ordered = Order(sort, order == "desc")
    place = None if after is None else parse_place(after, sort, KINDS[sort])
    page = await listing.page_of_accounts(
        context_of(request), author_of(request, identity), wanted, ordered, place, limit + 1
    )
    more = len(page.accounts) > limit
    following = text_of(sort, place_of(page.accounts[limit - 1], ordered)) if more else None
    return AccountsPage.of(page.accounts[:limit], following, page.total)


@router.get("/{account_id}")
async def read_account(request: Request, identity: Administrator, account_id: UUID) -> AccountDetail:
    """An account, with the numbers of its sessions and API keys."""
    found = await listing.see_account(context_of(request), author_of(request, identity), account_id)
    return AccountDetail.of_detail(found)


@router.patch("/{account_id}", openapi_extra=documented(AccountEdit))
async def edit_account(request: Request, identity: Administrator, account_id: UUID) -> AccountDetail:
    """Change the role of an account, or suspend it.

    With a suspension all sessions of the account end. Until it is lifted, its API keys are not accepted, and its
    webhooks and notices are told of nothing. Shares, files and rooms of the account stay.
    """
    edit = await read_model(request, AccountEdit)
    context, author = context_of(request), author_of(request, identity)
    wanted = Standing(Role(edit.role) if edit.role else None, edit.suspended, edit.reason)
    await standing.change_standing(context, author, account_id, wanted)
    return AccountDetail.of_detail(await listing.see_account(context, author, account_id))


@router.delete("/{account_id}", status_code=204)
async def delete_account(request: Request, identity: Administrator, account_id: UUID) -> None:
    """Delete an account with all its data."""
    await deletion.delete_account(context_of(request), author_of(request, identity), account_id)


@router.post("/{account_id}/reset", status_code=201)
async def make_reset(request: Request, identity: Administrator, account_id: UUID) -> LinkAnswer:
    """Make a link by which the owner sets a new password, once and within 24 hours. An earlier one is void."""
    context = context_of(request)
    made = await resetting.make_reset(context, author_of(request, identity), account_id)
    return LinkAnswer(url=f"{base_url(request, context.public_url)}/reset#{made.token}", expires_at=made.expires_at)
