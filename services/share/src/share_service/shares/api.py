"""`/v1/shares`: an account's own shares."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from common import clock
from common.expiry import Expiry
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.passwords import PASSWORD_BYTES
from common.rights import Actor
from share_service.edge import context_of, public_url_of
from share_service.shares import owning
from share_service.shares.model import PLACES, ContentKind, Share, ShareKind
from share_service.shares.owning import Changes, NewShare

# PostgreSQL cannot store NUL in a text.
Name = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
Uses = Annotated[int, Field(ge=1, le=2**31 - 1)]
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_BYTES)]

router = APIRouter(prefix="/v1/shares", tags=["shares"])


class ShareView(BaseModel):
    """A share as its owner sees it. `size` in bytes; `downloads_left` null: any number; `expires_at` null: never."""

    id: UUID
    form: ShareKind
    code: str
    url: str | None
    """The URL of a link or a page; null for a code, which people type."""
    kind: ContentKind
    file_id: UUID | None
    name: str
    size: int
    created_at: datetime
    expires_at: datetime | None
    downloads: int
    downloads_left: int | None
    has_password: bool
    """Whether it has a password of its own. If not, the file's password applies, if there is one."""
    state: Literal["active", "spent", "ended"]
    """spent: the last use is taken, running downloads may be resumed. ended: nothing of it is served any more."""


class SharePage(BaseModel):
    """Shares, the newest first. `next`: the value of `after` for the shares that follow; null at the end."""

    shares: list[ShareView]
    next: str | None


class ShareRequest(BaseModel):
    """Another share of a file that the account shares already."""

    model_config = {"extra": "forbid"}

    file_id: UUID
    form: ShareKind = "link"
    name: Name | None = None
    expires_at: AwareDatetime | None = None
    downloads: Uses | None = None
    password: Password | None = None


class ShareChanges(BaseModel):
    """New values. null: never (`expires_at`), none (`password`), any number (`downloads_left`)."""

    model_config = {"extra": "forbid"}

    name: Name = ""
    expires_at: AwareDatetime | None = None
    password: Password | None = None
    downloads_left: Uses | None = None


@router.get("")
async def list_shares(
    request: Request,
    identity: SignedIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
    after: str | None = None,
    owner: UUID | None = None,
) -> SharePage:
    """The account's shares. Administrators may list those of another account by `owner`."""
    cursor = Cursor.parse(after) if after else None
    found = await owning.owned_shares(
        context_of(request), Actor(identity), owner or identity.account_id, cursor, limit + 1
    )
    page = found[:limit]
    more = str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > limit else None
    return SharePage(shares=[_view(request, share) for share in page], next=more)


@router.post("", status_code=201, openapi_extra=documented(ShareRequest))
async def create_share(request: Request, identity: SignedIn) -> ShareView:
    """Share a file again that the account shares already. Name and size are those of the existing share."""
    wanted = await read_model(request, ShareRequest)
    expiry = Expiry(wanted.expires_at, wanted.downloads)
    new = NewShare(wanted.file_id, wanted.form, expiry, wanted.name, wanted.password)
    return _view(request, await owning.share_again(context_of(request), identity, new))


@router.get("/{share_id}")
async def read_share(request: Request, identity: SignedIn, share_id: UUID) -> ShareView:
    """A share of the account."""
    return _view(request, await owning.see_share(context_of(request), Actor(identity), share_id))


@router.patch("/{share_id}", openapi_extra=documented(ShareChanges))
async def edit_share(request: Request, identity: SignedIn, share_id: UUID) -> ShareView:
    """Change a share that has not ended. An `expires_at` in the past ends it."""
    wanted = await read_model(request, ShareChanges)
    given, changes = wanted.model_fields_set, Changes()
    if "name" in given:
        changes["name"] = wanted.name
    if "expires_at" in given:
        changes["expires_at"] = wanted.expires_at
    if "password" in given:
        changes["password"] = wanted.password
    if "downloads_left" in given:
        changes["uses_left"] = wanted.downloads_left
    return _view(request, await owning.change_share(context_of(request), Actor(identity), share_id, changes))


@router.delete("/{share_id}", status_code=204)
async def end_share(
    request: Request, identity: SignedIn, share_id: UUID, reason: Literal["copyright"] | None = None
) -> Response:
    """End a share; its file is deleted when no other share serves it. Only administrators may give a `reason`."""
    await owning.withdraw_share(context_of(request), Actor(identity), share_id, for_copyright=reason == "copyright")
    return Response(status_code=204)


def _view(request: Request, share: Share) -> ShareView:
    place = PLACES.get(share.kind)
    return ShareView(
        id=share.id,
        form=share.kind,
        code=share.code,
        url=f"{public_url_of(request)}{place}/{share.code}" if place else None,
        kind=share.content_kind,
        file_id=share.file_id,
        name=share.name,
        size=share.size,
        created_at=share.created_at,
        expires_at=share.expires_at,
        downloads=share.used_count,
        downloads_left=share.uses_left,
        has_password=share.password_hash is not None,
        state=_state(share),
    )


def _state(share: Share) -> Literal["active", "spent", "ended"]:
    if share.state == "released" or share.is_over(clock.now()):
        return "ended"
    return share.state
