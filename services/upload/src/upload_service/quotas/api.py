"""`/v1/account/usage` for everybody, and `/v1/admin/usage` and `/v1/admin/quotas` for administrators."""

import base64
import binascii
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from common.errors import InvalidInput
from common.http.authors import author_of
from common.http.callers import Administrator, SignedIn, administrator
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE
from upload_service.content.context import Context
from upload_service.edge import context_of
from upload_service.quotas import changing, reading
from upload_service.quotas.model import Most, Usage
from upload_service.quotas.reading import Rank

ACCOUNTS_AT_MOST = 100
Limit = Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)] | None

account = APIRouter(prefix="/v1/account/usage", tags=["files"])
admin = APIRouter(prefix="/v1/admin", tags=["administration"], dependencies=[Depends(administrator)])


class LimitsModel(BaseModel):
    """The most bytes and files; null: any number."""

    model_config = {"extra": "forbid"}

    bytes: Limit
    files: Limit


class UsageModel(BaseModel):
    """The use of an account. A file counts with its size, also if others have the same content."""

    bytes: int
    """Of all files."""
    files: int
    """All files, and the uploads that are under way."""
    reserved_bytes: int
    """What is reserved for these uploads. It counts as well."""
    limits: LimitsModel
    own_limits: bool
    """Whether an administrator has given the account limits of its own."""

    @staticmethod
    def of(usage: Usage) -> "UsageModel":
        limits = LimitsModel(bytes=usage.limits.bytes, files=usage.limits.files)
        return UsageModel(
            bytes=usage.bytes,
            files=usage.files,
            reserved_bytes=usage.reserved_bytes,
            limits=limits,
            own_limits=usage.has_own_limits,
        )


class AccountUsage(UsageModel):
    """The use of one account."""

    account: UUID


class UsageList(BaseModel):
    """The use of accounts, of all guests together, and of the place. `next`: the `after` of the next page."""

    usage: list[AccountUsage]
    next: str | None
    total: int
    """The number of accounts that have something, or of those that were asked for."""
    guests: UsageModel
    place: UsageModel


@account.get("")
async def read_own(request: Request, identity: SignedIn) -> UsageModel:
    """The bytes and files of the caller, and how many there may be."""
    return UsageModel.of(await reading.usage_of(context_of(request, Context), identity))


@admin.get("/usage")
async def read_usage(
    request: Request,
    identity: Administrator,
    account: Annotated[list[UUID] | None, Query(max_length=ACCOUNTS_AT_MOST)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
    after: str | None = None,
) -> UsageList:
    """The use of these accounts, or of all that have something, the largest first."""
    context, author = context_of(request, Context), author_of(request, identity)
    if account:
        page = await reading.usage_of_accounts(context, author, list(dict.fromkeys(account)))
    else:
        page = await reading.list_usage(context, author, None if after is None else _parse(after), limit)
    return UsageList(
        usage=[AccountUsage(account=one, **UsageModel.of(usage).model_dump()) for one, usage in page.accounts.items()],
        next=_text(page.next) if page.next else None,
        total=page.total,
        guests=UsageModel.of(page.guests),
        place=UsageModel.of(page.place),
    )


@admin.put("/quotas/{account_id}", status_code=204, openapi_extra=documented(LimitsModel))
async def set_limits(request: Request, identity: Administrator, account_id: UUID) -> None:
    """Give an account limits of its own; 404 if there is none. What it has already stays, also beyond them."""
    wanted = await read_model(request, LimitsModel)
    limits = Most(wanted.bytes, wanted.files)
    await changing.set_limits(context_of(request, Context), author_of(request, identity), account_id, limits)


@admin.delete("/quotas/{account_id}", status_code=204)
async def delete_limits(request: Request, identity: Administrator, account_id: UUID) -> None:
    """Let the policy's limits hold for an account again."""
    await changing.delete_limits(context_of(request, Context), author_of(request, identity), account_id)


def _text(rank: Rank) -> str:
    size, owner = rank
    return base64.urlsafe_b64encode(f"{size} {owner.hex}".encode()).decode()


def _parse(text: str) -> Rank:
    """Raises `InvalidInput`."""
    try:
        size, owner = base64.b64decode(text, altchars=b"-_", validate=True).decode().split(" ")
        if not -(2**63) <= int(size) < 2**63:
            raise ValueError(size)
        return int(size), UUID(owner)
    except (binascii.Error, ValueError):
        raise InvalidInput("the cursor is none that a list gave") from None
