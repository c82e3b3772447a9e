"""`/v1/shares`: what accounts do with their shares."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from common import clock
from common.errors import InvalidInput
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.passwords import PASSWORD_BYTES
from common.rights import Actor
from share_service import operations
from share_service.context import AppState, state_of
from share_service.operations import Changes, NewShare
from share_service.pages.opening import PLACE
from share_service.shares.model import Form, Kind, Naming, Share, Terms

# PostgreSQL cannot keep a NUL in a text.
Name = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
Uses = Annotated[int, Field(ge=1, le=2**31 - 1)]
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_BYTES)]
# What stands in the address before a share's name; a code has no address.
PLACES: dict[Form, str] = {"link": "/f", "page": PLACE}
# No later moment can be told in every time zone.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)


class ShareView(BaseModel):
    """A share as its owner sees it. `size` in bytes; `downloads_left` null: any number; `expires_at` null: never."""

    id: UUID
    form: Form
    code: str
    url: str | None
    """Where a link leads, or the address of a page; null for a code, which is typed."""
    kind: Kind
    file_id: UUID | None
    name: str
    size: int
    created_at: datetime
    expires_at: datetime | None
    downloads: int
    downloads_left: int | None
    has_password: bool
    """Whether it has one of its own; one without asks for its file's, if that has one."""
    state: Literal["active", "spent", "ended"]
    """spent: the last use is taken, running downloads may be resumed. ended: nothing is served of it any more."""


class SharePage(BaseModel):
    """Shares, the newest first. `next`: what to give as `after` for those that follow; null at the end."""

    shares: list[ShareView]
    next: str | None


class ShareRequest(BaseModel):
    """Another share of a file that the account shares already."""

    model_config = {"extra": "forbid"}

    file_id: UUID
    form: Form = "link"
    name: Name | None = None
    expires_at: AwareDatetime | None = None
    downloads: Uses | None = None
    password: Password | None = None


class ShareChanges(BaseModel):
    """What is to be different. null: never (`expires_at`), none (`password`), any number (`downloads_left`)."""

    model_config = {"extra": "forbid"}

    name: Name = ""
    expires_at: AwareDatetime | None = None
    password: Password | None = None
    downloads_left: Uses | None = None


async def list_shares(
    request: Request,
    identity: SignedIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
    after: str | None = None,
    owner: UUID | None = None,
) -> SharePage:
    """The account's shares; `owner`: those of another account, for an administrator."""
    cursor = Cursor.parse(after) if after else None
    async with state_of(request).database.connection() as connection:
        found = await operations.list_shares(
            connection, Actor(identity), owner or identity.account_id, cursor, limit + 1
        )
    page = found[:limit]
    more = str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > limit else None
    return SharePage(shares=[_view(request, share) for share in page], next=more)


async def create_share(request: Request, identity: SignedIn) -> ShareView:
    """Share a file once more, of which the account has a share that serves it: that one says its name and size."""
    wanted = await read_model(request, ShareRequest)
    state, now = state_of(request), clock.now()
    expires_at = _end(wanted.expires_at, now)
    if expires_at == now:
        raise InvalidInput("expires_at is in the past")
    policy = await state.policy.current()
    hashed = await _hash(state, wanted.password)
    new = NewShare(
        wanted.file_id,
        Naming(wanted.form, policy.numeric_codes),
        Terms(expires_at, wanted.downloads),
        wanted.name,
        hashed,
    )
    async with state.database.transaction() as connection:
        share = await operations.share_again(connection, identity, new, now)
    return _view(request, share)


async def read_share(request: Request, identity: SignedIn, share_id: UUID) -> ShareView:
    """A share of the account."""
    async with state_of(request).database.connection() as connection:
        return _view(request, await operations.see_share(connection, Actor(identity), share_id))


async def edit_share(request: Request, identity: SignedIn, share_id: UUID) -> ShareView:
    """Change a share that has not ended. An `expires_at` that is over ends it."""
    wanted = await read_model(request, ShareChanges)
    state, now = state_of(request), clock.now()
    given = wanted.model_dump(include=wanted.model_fields_set)
    if "expires_at" in given:
        given["expires_at"] = _end(given["expires_at"], now)
    if "password" in given:
        given["password_hash"] = await _hash(state, given.pop("password"))
    if "downloads_left" in given:
        given["uses_left"] = given.pop("downloads_left")
    async with state.database.transaction() as connection:
        share = await operations.edit_share(connection, Actor(identity), share_id, Changes(given), now)
    return _view(request, share)


async def end_share(
    request: Request, identity: SignedIn, share_id: UUID, reason: Literal["copyright"] | None = None
) -> Response:
    """End a share; its file goes when no other share serves it. `reason`: for an administrator to give."""
    async with state_of(request).database.transaction() as connection:
        await operations.end_share(
            connection, Actor(identity), share_id, clock.now(), for_copyright=reason == "copyright"
        )
    return Response(status_code=204)


def _end(expires_at: datetime | None, now: datetime) -> datetime | None:
    """When a share is to end: now rather than in the past. Raises `InvalidInput` beyond what can be told."""
    if expires_at is None:
        return None
    if expires_at > LATEST:
        raise InvalidInput(f"expires_at is later than {LATEST.isoformat()}")
    return max(expires_at, now)


async def _hash(state: AppState, password: str | None) -> str | None:
    return None if password is None else await state.passwords.hash(password)


def _view(request: Request, share: Share) -> ShareView:
    base, place = base_url(request, state_of(request).public_url), PLACES.get(share.form)
    return ShareView(
        id=share.id,
        form=share.form,
        code=share.code,
        url=f"{base}{place}/{share.code}" if place else None,
        kind=share.kind,
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


router = APIRouter(prefix="/v1/shares", tags=["shares"])
router.add_api_route("", list_shares, methods=["GET"])
router.add_api_route("", create_share, methods=["POST"], status_code=201, openapi_extra=documented(ShareRequest))
router.add_api_route("/{share_id}", read_share, methods=["GET"])
router.add_api_route("/{share_id}", edit_share, methods=["PATCH"], openapi_extra=documented(ShareChanges))
router.add_api_route("/{share_id}", end_share, methods=["DELETE"], status_code=204)
