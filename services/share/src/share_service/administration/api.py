"""`/v1/admin/shares`: every share, for administrators."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from common import clock
from common.errors import InvalidInput
from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE
from common.places import lowered
from share_service.administration import acting, batches, listing
from share_service.administration.model import Filter, Health, Listed, Note, Order, SortKey, Status
from share_service.administration.places import parse_place, place_of, text_of
from share_service.administration.schemas import (
    AdministeredPage,
    AdministeredShare,
    BatchAnswer,
    BatchRequest,
    ShareEdit,
)
from share_service.edge import context_of, public_url_of
from share_service.shares.model import PLACES, ContentKind, ShareKind

Keyword = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]

router = APIRouter(prefix="/v1/admin", tags=["administration"], dependencies=[Depends(administrator)])


class TotalsView(BaseModel):
    """Sums over all shares that hold something. Sizes in bytes; days begin at midnight in UTC."""

    shares: int
    size: int
    active: int
    expired: int
    texts: int
    files: int
    downloads: int
    today: int
    today_size: int
    yesterday: int
    yesterday_size: int
    expiring_soon: int
    """Within a day."""
    never_retrieved: int
    permanent: int
    """Without any limit."""


@router.get("/shares")
async def list_shares(
    request: Request,
    identity: Administrator,
    search: Keyword = None,
    status: Status | None = None,
    health: Health | None = None,
    kind: ContentKind | None = None,
    form: ShareKind | None = None,
    owner: UUID | None = None,
    sort: SortKey = "created_at",
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
) -> AdministeredPage:
    """All shares that hold something.

    `search` finds three characters or more anywhere in the code, the name or the first 2,000 characters of a text,
    whatever their case, and fewer at the beginnings of words.
    """
    wanted = Filter(lowered((search or "").strip()) or None, status, health, [kind] if kind else None, form, owner)
    ordered = Order(sort, order == "desc")
    context, author = context_of(request), author_of(request, identity)
    total = None
    if after is None:
        page = await listing.page_of_shares(context, author, wanted, ordered, 0, limit + 1)
        found, total = page.shares, page.total
    else:
        found = await listing.list_shares(context, author, wanted, ordered, parse_place(after, ordered), limit + 1)
    more = text_of(place_of(found[limit - 1].share, ordered), ordered) if len(found) > limit else None
    return AdministeredPage(shares=[_view(request, one) for one in found[:limit]], next=more, total=total)


@router.get("/shares/{share_id}")
async def read_share(request: Request, identity: Administrator, share_id: UUID) -> AdministeredShare:
    """A share."""
    return _view(request, await listing.see_share(context_of(request), author_of(request, identity), share_id))


@router.patch("/shares/{share_id}", openapi_extra=documented(ShareEdit))
async def edit_share(request: Request, identity: Administrator, share_id: UUID) -> AdministeredShare:
    """Change a share, also one that has expired, until the sweep has ended it."""
    wanted = await read_model(request, ShareEdit)
    context, author = context_of(request), author_of(request, identity)
    given = wanted.model_fields_set
    changes: list[acting.Change] = []
    if "name" in given:
        changes.append(acting.renamed(wanted.name))
    if "expires_at" in given:
        changes.append(acting.expiring(wanted.expires_at))
    if "downloads_left" in given:
        changes.append(acting.limited(wanted.downloads_left))
    note = Note.of(wanted.note if "note" in given else None, wanted.tags if "tags" in given else None)
    edit = acting.Edit(changes, note, gives_code="code" in given, code=wanted.code)
    await acting.edit_share(context, author, share_id, edit)
    return _view(request, await listing.see_share(context, author, share_id))


@router.delete("/shares/{share_id}", status_code=204)
async def end_share(request: Request, identity: Administrator, share_id: UUID) -> None:
    """End a share; its file goes with its last share."""
    context, author = context_of(request), author_of(request, identity)
    await listing.see_share(context, author, share_id)
    await acting.end_shares(context, author, [share_id])


@router.post("/shares/batch", openapi_extra=documented(BatchRequest))
async def act_on_shares(request: Request, identity: Administrator) -> BatchAnswer:
    """Do something to up to 1,000 shares. All of them are changed, or none; only new codes are given one by one."""
    wanted = await read_model(request, BatchRequest)
    given = wanted.model_fields_set
    context, author = context_of(request), author_of(request, identity)
    match wanted.act:
        case "end":
            outcome = await acting.end_shares(context, author, wanted.ids)
        case "new_code":
            codes = await batches.give_codes(context, author, wanted.ids)
            return BatchAnswer(done=list(codes.given), missing=codes.missing, failed=codes.failed, codes=codes.given)
        case "annotate":
            note = Note.of(wanted.note, wanted.tags)
            if note == Note():
                raise InvalidInput("note or tags: one of them is needed")
            outcome = await acting.annotate_shares(context, author, wanted.ids, note)
        case _:
            change = _change(wanted, given)
            outcome = await acting.change_shares(context, author, f"share.{wanted.act}", wanted.ids, change)
    return BatchAnswer(done=outcome.done, missing=outcome.missing)


@router.get("/summary")
async def read_summary(request: Request, identity: Administrator) -> TotalsView:
    """Sums over all shares."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    totals = await listing.sum_shares(context_of(request), author_of(request, identity), today)
    return TotalsView.model_validate(totals, from_attributes=True)


def _change(wanted: BatchRequest, given: set[str]) -> acting.Change:
    needed = {"extend": "seconds", "expire": "expires_at", "limit": "downloads_left"}[wanted.act]
    if needed not in given:
        raise InvalidInput(f"{needed}: it is needed for this act")
    match wanted.act:
        case "expire":
            return acting.expiring(wanted.expires_at)
        case "limit":
            return acting.limited(wanted.downloads_left)
        case _:
            if wanted.seconds is None:
                raise InvalidInput("seconds: a number is needed for this act")
            return acting.extended(timedelta(seconds=wanted.seconds))


def _view(request: Request, listed: Listed) -> AdministeredShare:
    share = listed.share
    place = PLACES.get(share.kind)
    return AdministeredShare(
        id=share.id,
        form=share.kind,
        code=share.code,
        url=f"{public_url_of(request)}{place}/{share.code}" if place else None,
        kind=share.content_kind,
        file_id=share.file_id,
        owner=share.owner,
        name=share.name,
        size=share.size,
        created_at=share.created_at,
        expires_at=share.expires_at,
        downloads=share.used_count,
        downloads_left=share.uses_left,
        has_password=share.password_hash is not None,
        status="active" if share.is_redeemable(clock.now()) else "expired",
        note=listed.note,
        tags=listed.tags,
    )
