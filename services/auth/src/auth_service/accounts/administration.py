"""What administrators do with accounts and signing keys."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from auth_service.accounts import changes as account
from auth_service.accounts.schemas import AccountsAnswer, SigningKeyAnswer, WholeAccountAnswer
from auth_service.directory.queries import list_accounts
from auth_service.edge import administrator
from auth_service.signing import keys as signing
from auth_service.state import state_of
from common import clock
from common.http.json_bodies import documented, read_model
from common.identity import Role
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor

router = APIRouter(prefix="/v1", tags=["administration"], dependencies=[Depends(administrator)])


class RoleChange(BaseModel):
    """What the account is to be."""

    role: Literal["user", "administrator"]


@router.get("/accounts")
async def read_accounts(
    request: Request, limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE, after: str | None = None
) -> AccountsAnswer:
    """All accounts, the newest first, page by page."""
    async with state_of(request).context.db.connection() as connection:
        found = await list_accounts(connection, Cursor.parse(after) if after else None, limit + 1)
    page = found[:limit]
    return AccountsAnswer(
        accounts=[WholeAccountAnswer.of(each) for each in page],
        next=str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > limit else None,
    )


@router.patch("/accounts/{account_id}", openapi_extra=documented(RoleChange))
async def change_role(request: Request, account_id: UUID) -> WholeAccountAnswer:
    """Make an account an administrator, or a user again."""
    change = await read_model(request, RoleChange)
    return WholeAccountAnswer.of(await account.set_role(state_of(request).context, account_id, Role(change.role)))


@router.delete("/accounts/{account_id}", status_code=204)
async def delete_account(request: Request, account_id: UUID) -> None:
    """Delete an account, and all that is its own."""
    await account.delete(state_of(request).context, account_id)


@router.post("/signing-keys", status_code=201)
async def rotate_keys(request: Request) -> SigningKeyAnswer:
    """Let a new key sign tokens from some seconds on. Nobody is signed out."""
    async with state_of(request).context.db.transaction() as connection:
        made = await signing.rotate_keys(connection, clock.now())
    assert made is not None, "no age was asked for"
    return SigningKeyAnswer(kid=made.kid, created_at=made.created_at)
