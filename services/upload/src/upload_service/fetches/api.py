"""`/v1/fetches`: files that this system fetches by their URL, as jobs."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from common import clock
from common.errors import InvalidInput
from common.http import callers, progress
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url
from common.outbound.urls import without_credentials
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.passwords import PASSWORD_BYTES
from common.rights import Action
from upload_service.edge import context_of
from upload_service.fetches import jobs
from upload_service.fetches.context import Context
from upload_service.fetches.jobs import NewFetch
from upload_service.fetches.model import OPEN, Fetch, FetchState, ShareTerms
from upload_service.shares import ShareKind

# A later moment could not be written in every time zone.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
PATHS: dict[ShareKind, str] = {"link": "/f/", "page": "/m/"}

router = APIRouter(prefix="/v1/fetches", tags=["fetches"])


class FetchRequest(BaseModel):
    """A URL to fetch, http or https, and how to share the file.

    `sha256` in hex: the digest that the content must have; `mirrors` null: those of the account's choice; `expires_at`
    null: never; `downloads` null: any number.
    """

    model_config = ConfigDict(extra="forbid")

    url: str
    name: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    mirrors: Annotated[list[int], Field(max_length=1000)] | None = None
    form: ShareKind = "link"
    expires_at: AwareDatetime | None = None
    downloads: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_BYTES)] | None = None


class FetchModel(BaseModel):
    """A fetch. `url` without user and password; `size` in bytes, null until the remote server has said it.

    `bytes_done`: of `size`; `error`: a stable code, also of a failed attempt that is not the last. `file_id`, `code`
    and `share_url` are there once it is done; a share that is only a code has no URL.
    """

    id: UUID
    url: str
    state: FetchState
    name: str | None
    size: int | None
    bytes_done: int
    error: str | None
    detail: str | None
    """The error in words."""
    file_id: UUID | None
    form: ShareKind
    code: str | None
    share_url: str | None
    created_at: datetime


class FetchList(BaseModel):
    """A page of fetches, the newest first. `next`: the `after` of the next page; null: this is the last one."""

    fetches: list[FetchModel]
    next: str | None


@router.post("", status_code=202, openapi_extra=documented(FetchRequest))
async def create(request: Request, identity: SignedIn) -> FetchModel:
    """Have a URL fetched. It becomes a file of the account, and a share."""
    context = context_of(request, Context)
    asked = await read_model(request, FetchRequest)
    new = NewFetch(
        asked.url,
        await _terms(context, asked),
        max_size=(await context.shares.policy()).upload_size,
        file_name=asked.name,
        sha256=bytes.fromhex(asked.sha256) if asked.sha256 else None,
        mirrors=asked.mirrors,
    )
    return _model(request, await jobs.request_fetch(context, identity, new))


@router.get("")
async def list_own(
    request: Request,
    identity: SignedIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
    after: str | None = None,
) -> FetchList:
    """The account's fetches."""
    cursor = None if after is None else Cursor.parse(after)
    found, following = await jobs.list_fetches(context_of(request, Context), identity, cursor, limit)
    return FetchList(fetches=[_model(request, fetch) for fetch in found], next=str(following) if following else None)


@router.get("/{fetch_id}")
async def read(request: Request, fetch_id: UUID, identity: SignedIn) -> FetchModel:
    """The state and progress of a fetch."""
    return _model(request, await jobs.find_fetch(context_of(request, Context), identity, fetch_id))


@router.delete("/{fetch_id}", status_code=204)
async def cancel(request: Request, fetch_id: UUID, identity: SignedIn) -> None:
    """Cancel a fetch; nothing is left of it."""
    context = context_of(request, Context)
    fetch = await jobs.find_fetch(context, identity, fetch_id, Action.DELETE)
    await jobs.cancel_fetch(context, fetch)


@router.get("/{fetch_id}/events", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def events(request: Request, fetch_id: UUID, _: SignedIn) -> Response:
    """The same by Server-Sent Events: an event `state` at each change, and `end` when the fetch is settled."""
    context = context_of(request, Context)

    async def look() -> tuple[FetchModel, bool]:
        identity = await callers.of_request(request)
        fetch = await jobs.find_fetch(context, identity, fetch_id)
        return _model(request, fetch), fetch.state not in OPEN

    return await progress.stream(look)


async def _terms(context: Context, asked: FetchRequest) -> ShareTerms:
    """The terms of the share. Raises `InvalidInput`, `HasherBusy`."""
    if asked.expires_at is not None and not clock.now() < asked.expires_at < LATEST:
        raise InvalidInput("expires_at is in the past, or too far away")
    hashed = await context.passwords.hash(asked.password) if asked.password is not None else None
    return ShareTerms(asked.form, asked.expires_at, asked.downloads, hashed)


def _model(request: Request, fetch: Fetch) -> FetchModel:
    kind = fetch.share_terms.kind
    has_url = fetch.share_code is not None and kind in PATHS
    base = base_url(request, context_of(request, Context).public_url)
    return FetchModel(
        id=fetch.id,
        url=without_credentials(fetch.url),
        state=fetch.state,
        name=fetch.file_name,
        size=fetch.size,
        bytes_done=fetch.bytes_done,
        error=fetch.error,
        detail=fetch.detail,
        file_id=fetch.file_id,
        form=kind,
        code=fetch.share_code,
        share_url=f"{base}{PATHS[kind]}{fetch.share_code}" if has_url else None,
        created_at=fetch.created_at,
    )
