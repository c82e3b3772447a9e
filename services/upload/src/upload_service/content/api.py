"""`/v1/files`: an account's files, for their owner and administrators. `common.rights` says who may do what."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from common.errors import InvalidInput
from common.http import downloads
from common.http.authors import author_of
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.passwords import Passwords
from common.rights import Action
from common.statistics import count
from upload_service.content import files, owning
from upload_service.content.context import Context
from upload_service.content.model import KEEP, File, FileChange, FileState
from upload_service.edge import context_of

# Later moments cannot be expressed in every time zone.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"application/octet-stream": {}}}
}


router = APIRouter(prefix="/v1/files", tags=["files"])


class FileModel(BaseModel):
    """A file. `size` in bytes; `sha256` in hex, null until the content is verified; `expires_at` null: never."""

    id: UUID
    name: str
    size: int
    sha256: str | None
    state: FileState
    created_at: datetime
    expires_at: datetime | None
    has_password: bool

    @staticmethod
    def of(file: File) -> "FileModel":
        return FileModel(
            id=file.id,
            name=file.name,
            size=file.size,
            sha256=file.sha256.hex() if file.sha256 else None,
            state=FileState(file.state),
            created_at=file.created_at,
            expires_at=file.expires_at,
            has_password=file.password_hash is not None,
        )


class FileList(BaseModel):
    """A page of files, the newest first. `next`: the `after` of the next page; null: this is the last one."""

    files: list[FileModel]
    next: str | None


class FileChanges(BaseModel):
    """The new values; what is left out stays. `expires_at` null: never; `password` null: none."""

    model_config = {"extra": "forbid"}

    name: str = ""
    expires_at: AwareDatetime | None = None
    password: str | None = None


@router.get("")
async def list_files(
    request: Request,
    identity: SignedIn,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
    after: str | None = None,
    owner: UUID | None = None,
) -> FileList:
    """The caller's files; an administrator may ask for those of another `owner`."""
    cursor = None if after is None else Cursor.parse(after)
    account = owner or identity.account_id
    found, following = await owning.list_files(context_of(request, Context), identity, account, cursor, limit)
    return FileList(files=[FileModel.of(file) for file in found], next=str(following) if following else None)


@router.get("/{file_id}")
async def read_file(request: Request, file_id: UUID, identity: SignedIn) -> FileModel:
    """One file, as its owner or an administrator sees it."""
    return FileModel.of(await owning.file_for(context_of(request, Context), identity, file_id, Action.SEE))


@router.patch("/{file_id}", openapi_extra=documented(FileChanges))
async def change_file(request: Request, file_id: UUID, identity: SignedIn) -> FileModel:
    """Give the file another name, another end, another password. An end in the past is now."""
    context = context_of(request, Context)
    file = await owning.file_for(context, identity, file_id, Action.EDIT)
    change = await _change(await read_model(request, FileChanges), context.passwords)
    return FileModel.of(await owning.change_file(context, file, change))


@router.delete("/{file_id}", status_code=204)
async def delete_file(
    request: Request, file_id: UUID, identity: SignedIn, reason: Literal["copyright"] | None = None
) -> None:
    """Take the file from everybody: its codes and links end with it. `reason`: for an administrator to give."""
    context = context_of(request, Context)
    file = await owning.file_for(context, identity, file_id, Action.DELETE)
    await owning.end_file(context, author_of(request, identity), file, for_copyright=reason == "copyright")


@router.get("/{file_id}/content", response_class=Response, responses=_CONTENT)
@router.head("/{file_id}/content", response_class=Response, include_in_schema=False)
async def read_content(request: Request, file_id: UUID, identity: SignedIn) -> Response:
    """The content, whole or the range asked for."""
    context = context_of(request, Context)
    await owning.file_for(context, identity, file_id, Action.FETCH)
    method = "HEAD" if request.method == "HEAD" else "GET"
    download = await files.open_download(context, file_id, method)
    if method == "GET":
        count("downloads")
        count("bytes_out", download.size)
    return downloads.download(
        stored_at=download.stored_at,
        size=download.size,
        sha256=download.sha256,
        media_type="application/octet-stream",
        name=download.name,
    )


async def _change(asked: FileChanges, passwords: Passwords) -> FileChange:
    """The change that a body asks for. Raises `InvalidInput`, `HasherBusy`."""
    given = asked.model_fields_set
    if asked.expires_at is not None and asked.expires_at >= LATEST:
        raise InvalidInput("expires_at: too far away")
    password_hash = await passwords.hash(asked.password) if asked.password is not None else None
    return FileChange(
        name=asked.name if "name" in given else KEEP,
        expires_at=asked.expires_at if "expires_at" in given else KEEP,
        password_hash=password_hash if "password" in given else KEEP,
    )
