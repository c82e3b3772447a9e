"""`/v1/files`: what an account has uploaded, for its owner."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from common.errors import InvalidInput
from common.http import downloads
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from common.passwords import Passwords
from common.rights import Action
from upload_service.content import files, owning
from upload_service.content.context import Context
from upload_service.content.model import KEEP, File, FileChange, FileState
from upload_service.shares import Shares

# No later moment can be told in every time zone.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Owning:
    """What the routes work with."""

    context: Context
    shares: Shares
    passwords: Passwords


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
    """What is to become different; what is left out stays. `expires_at` null: never; `password` null: none."""

    model_config = {"extra": "forbid"}

    name: str = ""
    expires_at: AwareDatetime | None = None
    password: str | None = None


def router(owning_with: Owning) -> APIRouter:
    """The routes. Whose files these are, `common.rights` asks; errors are problem details."""
    routes = APIRouter(prefix="/v1/files", tags=["files"])
    context = owning_with.context

    @routes.get("")
    async def list_files(
        identity: SignedIn,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
        after: str | None = None,
        owner: UUID | None = None,
    ) -> FileList:
        """The caller's files; an administrator may ask for those of another `owner`."""
        cursor = None if after is None else Cursor.parse(after)
        found, following = await owning.list_files(context, identity, owner or identity.account_id, cursor, limit)
        return FileList(files=[FileModel.of(file) for file in found], next=str(following) if following else None)

    @routes.get("/{file_id}")
    async def read_file(file_id: UUID, identity: SignedIn) -> FileModel:
        """One file, as its owner or an administrator sees it."""
        return FileModel.of(await owning.find_file(context, identity, file_id, Action.SEE))

    @routes.patch("/{file_id}", openapi_extra=documented(FileChanges))
    async def change_file(request: Request, file_id: UUID, identity: SignedIn) -> FileModel:
        """Give the file another name, another end, another password. An end in the past is now."""
        file = await owning.find_file(context, identity, file_id, Action.EDIT)
        change = await _change(await read_model(request, FileChanges), owning_with.passwords)
        return FileModel.of(await owning.change_file(context, file, change))

    @routes.delete("/{file_id}", status_code=204)
    async def delete_file(file_id: UUID, identity: SignedIn, reason: Literal["copyright"] | None = None) -> None:
        """Take the file from everybody: its codes and links end with it. `reason`: for an administrator to give."""
        file = await owning.find_file(context, identity, file_id, Action.DELETE)
        await owning.delete_file(context, identity, file, for_copyright=reason == "copyright")

    async def read_content(request: Request, file_id: UUID, identity: SignedIn) -> Response:
        """The content, whole or the range asked for."""
        await owning.find_file(context, identity, file_id, Action.FETCH)
        method = "HEAD" if request.method == "HEAD" else "GET"
        download = await files.open_download(context, file_id, method)
        return downloads.download(
            stored_at=download.stored_at,
            size=download.size,
            sha256=download.sha256,
            media_type="application/octet-stream",
            name=download.name,
        )

    content: dict[str, Any] = {"response_class": Response, "responses": _CONTENT}
    routes.add_api_route("/{file_id}/content", read_content, methods=["GET"], **content)
    routes.add_api_route("/{file_id}/content", read_content, methods=["HEAD"], include_in_schema=False)
    return routes


_CONTENT: dict[int, Any] = {200: {"description": "The file", "content": {"application/octet-stream": {}}}}


async def _change(asked: FileChanges, passwords: Passwords) -> FileChange:
    """What a body asks for. Raises `InvalidInput`, `HasherBusy`."""
    told = asked.model_fields_set
    if asked.expires_at is not None and asked.expires_at >= LATEST:
        raise InvalidInput("expires_at: too far away")
    password_hash = await passwords.hash(asked.password) if asked.password is not None else None
    return FileChange(
        name=asked.name if "name" in told else KEEP,
        expires_at=asked.expires_at if "expires_at" in told else KEEP,
        password_hash=password_hash if "password" in told else KEEP,
    )
