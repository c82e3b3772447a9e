"""`/v1/fetches`: files that this system fetches by their URL, as jobs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from common import clock
from common.errors import InvalidInput
from common.http import callers, progress
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url
from common.outbound.urls import without_credentials
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.passwords import PASSWORD_BYTES, Passwords
from common.rights import Action
from upload_service.fetches import jobs as fetch_jobs
from upload_service.fetches.context import Context
from upload_service.fetches.jobs import NewFetch
from upload_service.fetches.model import OPEN, Fetch, FetchState, ShareTerms
from upload_service.shares import ShareKind, Shares

# No later moment can be told in every time zone.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
PATHS: dict[ShareKind, str] = {"link": "/f/", "page": "/m/"}


@dataclass(frozen=True, slots=True)
class FetchJobs:
    """What the routes work with."""

    context: Context
    shares: Shares
    passwords: Passwords
    lifetime: timedelta
    most_open: int
    public_url: str


class FetchRequest(BaseModel):
    """A URL to be fetched, http or https, and how the file is shared.

    `sha256` in hex: what the content must be; `mirrors` null: those of the account's choice; `expires_at` null: never;
    `downloads` null: any number.
    """

    model_config = {"extra": "forbid"}

    url: str
    name: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    mirrors: Annotated[list[int], Field(max_length=1000)] | None = None
    form: ShareKind = "link"
    expires_at: AwareDatetime | None = None
    downloads: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_BYTES)] | None = None


class FetchModel(BaseModel):
    """A fetch. `url` without user and password; `size` in bytes, null until the other side has said it.

    `bytes_done`: of `size`; `error`: a stable code, also of an attempt after which there is another one.
    `file_id`, `code` and `share_url` are there once it is done; a code alone has no URL.
    """

    id: UUID
    url: str
    state: FetchState
    name: str | None
    size: int | None
    bytes_done: int
    error: str | None
    detail: str | None
    """What the error means, for people."""
    file_id: UUID | None
    form: ShareKind
    code: str | None
    share_url: str | None
    created_at: datetime


class FetchList(BaseModel):
    """A page of fetches, the newest first. `next`: the `after` of the next page; null: this is the last one."""

    fetches: list[FetchModel]
    next: str | None


def router(jobs: FetchJobs) -> APIRouter:
    """The routes; errors are problem details."""
    routes = APIRouter(prefix="/v1/fetches", tags=["fetches"])
    context = jobs.context

    def shown(request: Request, fetch: Fetch) -> FetchModel:
        form = fetch.share_terms.form
        has_url = fetch.share_code is not None and form in PATHS
        share_url = f"{base_url(request, jobs.public_url)}{PATHS[form]}{fetch.share_code}" if has_url else None
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
            form=form,
            code=fetch.share_code,
            share_url=share_url,
            created_at=fetch.created_at,
        )

    @routes.post("", status_code=202, openapi_extra=documented(FetchRequest))
    async def request_fetch(request: Request, identity: SignedIn) -> FetchModel:
        """Have a URL fetched. It becomes a file of the account, and a share."""
        asked = await read_model(request, FetchRequest)
        new = NewFetch(
            asked.url,
            await _terms(asked, jobs.passwords),
            max_size=(await jobs.shares.policy()).upload_size,
            lifetime=jobs.lifetime,
            file_name=asked.name,
            sha256=bytes.fromhex(asked.sha256) if asked.sha256 else None,
            mirrors=asked.mirrors,
        )
        return shown(request, await fetch_jobs.request_fetch(context, identity, new, jobs.most_open))

    @routes.get("")
    async def list_fetches(
        request: Request,
        identity: SignedIn,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
        after: str | None = None,
    ) -> FetchList:
        """The account's fetches."""
        cursor = None if after is None else Cursor.parse(after)
        found, following = await fetch_jobs.list_fetches(context, identity, cursor, limit)
        return FetchList(fetches=[shown(request, fetch) for fetch in found], next=str(following) if following else None)

    @routes.get("/{fetch_id}")
    async def read_fetch(request: Request, fetch_id: UUID, identity: SignedIn) -> FetchModel:
        """How far a fetch is."""
        return shown(request, await fetch_jobs.find_fetch(context, identity, fetch_id))

    @routes.delete("/{fetch_id}", status_code=204)
    async def cancel_fetch(fetch_id: UUID, identity: SignedIn) -> None:
        """Break a fetch off; nothing is left of it."""
        fetch = await fetch_jobs.find_fetch(context, identity, fetch_id, Action.DELETE)
        await fetch_jobs.cancel_fetch(context, jobs.shares, fetch)

    @routes.get("/{fetch_id}/events", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
    async def events(request: Request, fetch_id: UUID, _: SignedIn) -> Response:
        """The same by Server-Sent Events: an event `state` at each change, `end` when it is settled."""

        async def look() -> tuple[FetchModel, bool]:
            identity = await callers.of_request(request)
            state = await read_fetch(request, fetch_id, identity)
            return state, state.state not in OPEN

        return await progress.told(look)

    return routes


async def _terms(asked: FetchRequest, passwords: Passwords) -> ShareTerms:
    """How what is fetched is shared. Raises `InvalidInput`, `HasherBusy`."""
    if asked.expires_at is not None and not clock.now() < asked.expires_at < LATEST:
        raise InvalidInput("expires_at is in the past, or too far away")
    hashed = await passwords.hash(asked.password) if asked.password is not None else None
    return ShareTerms(asked.form, asked.expires_at, asked.downloads, hashed)
