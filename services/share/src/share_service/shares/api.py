"""`/v1/shares`: an account's own shares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from common import clock
from common.http.callers import SignedIn
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.passwords import PASSWORD_BYTES
from common.rights import Actor
from share_service.edge import context_of, public_url_of
from share_service.shares import owning
from share_service.shares.model import PLACES, ContentKind, Share, ShareKind

# PostgreSQL cannot store NUL in a text.
Name = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Message = Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"^[^\x00]*$")]
ChosenCode = Annotated[str, Field(min_length=1, max_length=64)]
Uses = Annotated[int, Field(ge=1, le=2**31 - 1)]
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_BYTES)]

router = APIRouter(prefix="/v1/shares", tags=["shares"])


class ShareView(BaseModel):
    """A share as its owner sees it. `size` in bytes; `downloads_left` null: any number; `expires_at` null: never."""

    id: UUID
    form: ShareKind
    code: str
    url: str
    """The page of a code, the content of a link, or the address of a page."""
    kind: ContentKind
    file_id: UUID | None
    name: str
    size: int
    created_at: datetime
    expires_at: datetime | None
    downloads: int
    downloads_left: int | None
    title: str | None
    message: str | None
    has_password: bool
    """Whether it has a password of its own. If not, the file's password applies, if there is one."""
    state: Literal["active", "spent", "ended"]
    """spent: the last use is taken, running downloads may be resumed. ended: nothing of it is served any more."""


class ListedShare(ShareView):
    """A share as its owner sees it in a list."""

    awaited: int
    """The number of its files that have not arrived entirely."""


class SharePage(BaseModel):
    """Shares, the newest first. `next`: the value of `after` for the shares that follow; null at the end."""

    shares: list[ListedShare]
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
    title: Title | None = None
    message: Message | None = None
    code: ChosenCode | None = None
    """null: a new random one. The old one is unknown from then on."""
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
    return await page_of(request, found, limit)


async def page_of(request: Request, found: Sequence[Share], limit: int) -> SharePage:
    """A page of at most `limit` shares. `found` has one more if there are more."""
    page = found[:limit]
    more = str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > limit else None
    awaited = await owning.awaited_files(context_of(request), page)
    listed = [ListedShare(**view(request, share).model_dump(), awaited=awaited.get(share.id, 0)) for share in page]
    return SharePage(shares=listed, next=more)


def view(request: Request, share: Share) -> ShareView:
    """A share as its owner sees it."""
    return ShareView(
        id=share.id,
        form=share.kind,
        code=share.code,
        url=f"{public_url_of(request)}{PLACES[share.kind]}/{share.code}",
        kind=share.content_kind,
        file_id=share.file_id,
        name=share.name,
        size=share.size,
        created_at=share.created_at,
        expires_at=share.expires_at,
        downloads=share.used_count,
        downloads_left=share.uses_left,
        title=share.title,
        message=share.message,
        has_password=share.password_hash is not None,
        state=_state(share),
    )


def _state(share: Share) -> Literal["active", "spent", "ended"]:
    if share.state == "released" or share.is_over(clock.now()):
        return "ended"
    return share.state
