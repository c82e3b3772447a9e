"""`/v1/admin/files`, `/v1/admin/fetches`, `/v1/admin/mirrors`: everybody's, for administrators."""

import re
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request

from common import clock
from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.places import lowered, parse_place, text_of
from upload_service.administration import fetches, files, mirrors
from upload_service.administration.model import KINDS, FetchFilter, Filter, Order, SortKey, place_of
from upload_service.administration.schemas import (
    AdministeredFetch,
    AdministeredFetches,
    AdministeredFile,
    AdministeredFiles,
    AdministeredMirror,
    AdministeredMirrors,
    FileBatch,
    FileBatchAnswer,
    FileEdit,
    MirrorCheck,
)
from upload_service.content.model import FileState
from upload_service.context import Context
from upload_service.edge import context_of
from upload_service.fetches.model import FetchState

Keyword = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT)]
_DIGEST = re.compile("[0-9a-f]{64}")
_INTEGER = 2**31 - 1

router = APIRouter(prefix="/v1/admin", tags=["administration"], dependencies=[Depends(administrator)])


@router.get("/files")
async def list_files(
    request: Request,
    identity: Administrator,
    search: Keyword = None,
    owner: UUID | None = None,
    state: FileState | None = None,
    larger_than: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
    sort: SortKey = "created_at",
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
    limit: Limit = PAGE_SIZE,
) -> AdministeredFiles:
    """All files whose time is not over.

    `search` finds three characters or more anywhere in a name, whatever their case, fewer at its beginning, and
    contents by their whole SHA-256 in hex.
    """
    keyword = lowered((search or "").strip())
    digest = bytes.fromhex(keyword) if _DIGEST.fullmatch(keyword) else None
    wanted = Filter(None if digest else keyword or None, digest, owner, state, larger_than)
    ordered = Order(sort, order == "desc")
    place = None if after is None else parse_place(after, sort, KINDS[sort])
    context, author = context_of(request, Context), author_of(request, identity)
    page = await files.page_of_files(context, author, wanted, ordered, place, limit + 1)
    more = len(page.files) > limit
    following = text_of(sort, place_of(page.files[limit - 1].file, ordered)) if more else None
    shown = [AdministeredFile.of(listed) for listed in page.files[:limit]]
    return AdministeredFiles(files=shown, next=following, total=page.total)


@router.get("/files/{file_id}")
async def read_file(request: Request, identity: Administrator, file_id: UUID) -> AdministeredFile:
    """A file."""
    found = await files.see_file(context_of(request, Context), author_of(request, identity), file_id)
    return AdministeredFile.of(found)


@router.patch("/files/{file_id}", openapi_extra=documented(FileEdit))
async def rename_file(request: Request, identity: Administrator, file_id: UUID) -> AdministeredFile:
    """Give a file another name, also in its shares."""
    asked = await read_model(request, FileEdit)
    context, author = context_of(request, Context), author_of(request, identity)
    await files.rename_file(context, author, file_id, asked.name)
    return AdministeredFile.of(await files.see_file(context, author, file_id))


@router.delete("/files/{file_id}", status_code=204)
async def delete_file(request: Request, identity: Administrator, file_id: UUID) -> None:
    """Take a file from everybody: its codes and links end with it."""
    context, author = context_of(request, Context), author_of(request, identity)
    await files.see_file(context, author, file_id)
    await files.end_files(context, author, [file_id])


@router.post("/files/batch", openapi_extra=documented(FileBatch))
async def act_on_files(request: Request, identity: Administrator) -> FileBatchAnswer:
    """Take up to 1,000 files from everybody, all of them at once."""
    asked = await read_model(request, FileBatch)
    outcome = await files.end_files(context_of(request, Context), author_of(request, identity), asked.ids)
    return FileBatchAnswer(done=outcome.done, missing=outcome.missing)


@router.get("/fetches")
async def list_fetches(
    request: Request,
    identity: Administrator,
    owner: UUID | None = None,
    state: FetchState | None = None,
    after: str | None = None,
    limit: Limit = PAGE_SIZE,
) -> AdministeredFetches:
    """Everybody's fetches, the newest first."""
    cursor = None if after is None else Cursor.parse(after)
    context, author = context_of(request, Context), author_of(request, identity)
    page = await fetches.page_of_fetches(context, author, FetchFilter(owner, state), cursor, limit + 1)
    found = page.fetches
    following = str(Cursor(found[limit - 1].created_at, found[limit - 1].id)) if len(found) > limit else None
    shown = [AdministeredFetch.of(fetch) for fetch in found[:limit]]
    return AdministeredFetches(fetches=shown, next=following, total=page.total)


@router.delete("/fetches/{fetch_id}", status_code=204)
async def cancel_fetch(request: Request, identity: Administrator, fetch_id: UUID) -> None:
    """Cancel a fetch, and leave nothing of it; 409 when it is settled."""
    await fetches.cancel(context_of(request, Context), author_of(request, identity), fetch_id)


@router.get("/mirrors")
async def list_mirrors(request: Request, identity: Administrator) -> AdministeredMirrors:
    """Every mirror, with its health and the numbers of its copies."""
    found = await mirrors.list_mirrors(context_of(request, Context), author_of(request, identity))
    now = clock.now()
    return AdministeredMirrors(mirrors=[AdministeredMirror.of(summary, now) for summary in found])


@router.post("/mirrors/{mirror_id}/check")
async def check_mirror(
    request: Request, identity: Administrator, mirror_id: Annotated[int, Path(ge=0, le=_INTEGER)]
) -> MirrorCheck:
    """Write a small object to a mirror, read it back and delete it, and tell which step fails."""
    failure = await mirrors.check_mirror(context_of(request, Context), author_of(request, identity), mirror_id)
    if failure is None:
        return MirrorCheck(error=None)
    return MirrorCheck(error=failure.error, step=failure.step, message=failure.message)
