"""Administering accounts on the native API."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from auth_service.accounts import deletion, standing
from auth_service.accounts.standing import Standing
from auth_service.directory import lookups
from auth_service.directory.schemas import WholeAccountAnswer
from auth_service.edge import context_of
from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from common.http.json_bodies import documented, read_model
from common.identity import Role
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor

router = APIRouter(prefix="/v1/accounts", tags=["administration"], dependencies=[Depends(administrator)])


class RoleChange(BaseModel):
    """The account's new role."""

    role: Literal["user", "administrator"]


class AccountsAnswer(BaseModel):
    """A page of accounts, the newest first; `next` is the `after` of the next page, or null."""

    accounts: list[WholeAccountAnswer]
    next: str | None


@router.get("")
async def read_accounts(
    request: Request, limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE, after: str | None = None
) -> AccountsAnswer:
    """List all accounts, the newest first, in pages."""
    cursor = Cursor.parse(after) if after else None
    page, following = await lookups.list_accounts(context_of(request), cursor, limit)
    accounts = [WholeAccountAnswer.of(account) for account in page]
    return AccountsAnswer(accounts=accounts, next=str(following) if following else None)


@router.patch("/{account_id}", openapi_extra=documented(RoleChange))
async def change_role(request: Request, identity: Administrator, account_id: UUID) -> WholeAccountAnswer:
    """Make an account an administrator, or a user again."""
    change, author = await read_model(request, RoleChange), author_of(request, identity)
    wanted = Standing(role=Role(change.role))
    return WholeAccountAnswer.of(await standing.change_standing(context_of(request), author, account_id, wanted))


@router.delete("/{account_id}", status_code=204)
async def delete_account(request: Request, identity: Administrator, account_id: UUID) -> None:
    """Delete an account with all its data."""
    await deletion.delete_account(context_of(request), author_of(request, identity), account_id)
