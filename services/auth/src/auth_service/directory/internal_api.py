"""Looking up accounts for other services."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from auth_service.directory import lookups
from auth_service.directory.model import Account
from auth_service.edge import context_of
from common.http.internal import called_by

# As many as one answer can name.
ACCOUNTS_AT_MOST = 10_000

router = APIRouter(prefix="/internal/accounts", include_in_schema=False)


class NameRequest(BaseModel):
    """The name of an account, as someone wrote it."""

    name: Annotated[str, Field(max_length=4096)]


class IdsRequest(BaseModel):
    """The ids of the accounts that are to be described."""

    ids: Annotated[list[UUID], Field(max_length=ACCOUNTS_AT_MOST)]


class PublicAccount(BaseModel):
    """The part of an account that everybody may see."""

    id: UUID
    name: str
    avatar_url: str | None

    @staticmethod
    def of(account: Account) -> "PublicAccount":
        return PublicAccount(id=account.id, name=account.name, avatar_url=account.avatar_url)


class FoundAnswer(BaseModel):
    """The account of that name; None when there is none."""

    account: PublicAccount | None


class NamesAnswer(BaseModel):
    """Those of the accounts that exist."""

    accounts: list[PublicAccount]


@router.post("/find", dependencies=[Depends(called_by("chat"))])
async def find_account(request: Request, asked: NameRequest) -> FoundAnswer:
    """Find an account by its name, in any spelling of it."""
    account = await lookups.find_account(context_of(request), asked.name)
    return FoundAnswer(account=PublicAccount.of(account) if account else None)


@router.post("/names", dependencies=[Depends(called_by("chat", "upload"))])
async def read_names(request: Request, asked: IdsRequest) -> NamesAnswer:
    """Read the names and pictures of accounts."""
    found = await lookups.find_accounts(context_of(request), asked.ids)
    return NamesAnswer(accounts=[PublicAccount.of(account) for account in found])
