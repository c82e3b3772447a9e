"""`/v1/drops`: codes by which anybody sends files to an account."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from common import clock
from common.addresses import limit_key
from common.http.bodies import read_body
from common.http.callers import SignedIn
from common.http.json_bodies import documented, parse_model, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.policy import Rule, counted_upload
from common.repeatable import Repeatable
from common.rights import Actor
from share_service.downloads.guesses import counted_choice
from share_service.drops import owning, receiving
from share_service.drops.model import Drop, Limits
from share_service.edge import address_of, context_of, public_url_of
from share_service.sending.api import BODY_LIMIT, IdempotencyKey, view_of
from share_service.sending.schemas import CodeStyle, ItemsRequest, SentView
from share_service.shares.api import ChosenCode, Message, SharePage, Title, Uses, page_of
from share_service.shares.making import Naming

PLACE = "/d"
Size = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]
Types = Annotated[list[Rule], Field(max_length=100)]

router = APIRouter(prefix="/v1/drops", tags=["drop-offs"])


class OpenDrop(BaseModel):
    """A drop-off as those who send see it. null: no limit but those of the whole system."""

    code: str
    title: str
    greeting: str | None
    size_limit: int | None
    """The most bytes of all items of one share."""
    item_limit: int | None
    """The most items of one share."""
    types: list[str]
    """Extensions such as `zip`, or media types such as `image/*`; none: all."""
    expires_at: datetime | None
    is_open: bool
    """Whether it takes another share."""


class DropView(OpenDrop):
    """A drop-off as its owner sees it."""

    id: UUID
    url: str
    share_limit: int | None
    """The most shares that it takes."""
    received: int
    """The number of shares that it has taken."""
    created_at: datetime


class DropPage(BaseModel):
    """Drop-offs, the newest first. `next`: the value of `after` for those that follow; null at the end."""

    drops: list[DropView]
    next: str | None


class DropTerms(BaseModel):
    """The limits of a drop-off. null: no limit but those of the whole system."""

    model_config = {"extra": "forbid"}

    greeting: Message | None = None
    size_limit: Size | None = None
    item_limit: Uses | None = None
    share_limit: Uses | None = None
    types: Types = []
    expires_at: AwareDatetime | None = None

    def limits(self) -> Limits:
        return cast("Limits", self.model_dump(include=self.model_fields_set & Limits.__optional_keys__))


class DropChanges(DropTerms):
    """New values. null: no limit but those of the whole system."""

    title: Title = ""


class DropRequest(DropTerms):
    """A new drop-off."""

    title: Title
    code: ChosenCode | None = None
    """A code of the owner's choice: `chosen_code_length` (of the policy, 4) to 64 letters, digits, `-` and `_`; capital
    letters count like small ones."""
    code_style: CodeStyle = "short"


class DeliveryRequest(ItemsRequest):
    """Files and texts for the owner of a drop-off."""

    title: Title | None = None
    message: Message | None = None


@router.post("", status_code=201, openapi_extra=documented(DropRequest))
async def create_drop(request: Request, identity: SignedIn) -> DropView:
    """Make a code by which anybody sends files to the account."""
    asked = await read_model(request, DropRequest)
    naming, context = Naming(words=asked.code_style == "words", chosen=asked.code), context_of(request)
    async with counted_choice(context, await context.policy.current(), address_of(request), asked.code):
        return _own(request, await owning.create_drop(context, identity, asked.limits(), naming))


@router.get("")
async def list_drops(
    request: Request,
    identity: SignedIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
    after: str | None = None,
) -> DropPage:
    """The account's drop-offs."""
    cursor = Cursor.parse(after) if after else None
    found = await owning.owned_drops(context_of(request), identity, cursor, limit + 1)
    page = found[:limit]
    more = str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > limit else None
    return DropPage(drops=[_own(request, drop) for drop in page], next=more)


@router.get("/{code}")
async def read_drop(request: Request, code: str) -> OpenDrop:
    """A drop-off, for anybody who has its code. A wrong code counts as a guess."""
    drop = await receiving.open_drop(context_of(request), code, address_of(request))
    return OpenDrop(**_shown(drop))


@router.patch("/{code}", openapi_extra=documented(DropChanges))
async def edit_drop(request: Request, identity: SignedIn, code: str) -> DropView:
    """Change a drop-off of the account. What came by it stays as it is."""
    asked = await read_model(request, DropChanges)
    return _own(request, await owning.change_drop(context_of(request), identity, code, asked.limits()))


@router.delete("/{code}", status_code=204)
async def end_drop(request: Request, identity: SignedIn, code: str) -> Response:
    """End a drop-off. What came by it stays."""
    await owning.end_drop(context_of(request), identity, code)
    return Response(status_code=204)


@router.post("/{code}/shares", status_code=201, openapi_extra=documented(DeliveryRequest))
async def deliver(request: Request, code: str, idempotency_key: IdempotencyKey = None) -> SentView:
    """Send to the owner of a drop-off. The contents are sent as those of every share, and belong to the owner.

    With the `key` of the answer the sender sees how far they have come, and can take them back.
    """
    context = context_of(request)
    body = await read_body(request, BODY_LIMIT)
    asked = parse_model(body, DeliveryRequest)
    drop = await receiving.open_drop(context, code, address_of(request))
    announced = [item.announced() for item in asked.items]
    repeatable = None
    if idempotency_key is not None:
        sender = f"{drop.id} {limit_key(address_of(request))}"
        repeatable = Repeatable.of(sender, idempotency_key, body)
    async with counted_upload(context.limiter, await context.policy.current(), address_of(request)):
        share = await receiving.send_to_drop(context, drop, announced, asked.title, asked.message, repeatable)
    return await view_of(request, Actor(None, is_sender=True), share)


@router.get("/{code}/shares")
async def list_received(
    request: Request,
    identity: SignedIn,
    code: str,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
    after: str | None = None,
) -> SharePage:
    """The shares that came by a drop-off of the account."""
    cursor = Cursor.parse(after) if after else None
    found = await owning.shares_received(context_of(request), identity, code, cursor, limit + 1)
    return await page_of(request, found, limit)


def _shown(drop: Drop) -> dict[str, Any]:
    shown = {name: value for name, value in asdict(drop).items() if name in OpenDrop.model_fields}
    return {**shown, "is_open": drop.is_open(clock.now())}


def _own(request: Request, drop: Drop) -> DropView:
    return DropView(
        **_shown(drop),
        id=drop.id,
        url=f"{public_url_of(request)}{PLACE}/{drop.code}",
        share_limit=drop.share_limit,
        received=drop.received,
        created_at=drop.created_at,
    )
