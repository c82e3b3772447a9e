"""`/internal/…`: the calls of the other services."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field

from common.expiry import Expiry
from common.http.internal import called_by
from share_service.edge import context_of
from share_service.shares import following
from share_service.shares.delete_keys import DeleteKeys
from share_service.shares.making import Content, share_file
from share_service.shares.model import EndedFor, ShareKind

# PostgreSQL cannot store NUL in a text. The limit is above that of the upload service's names.
Text = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[^\x00]*$")]
FileIds = Annotated[list[UUID], Field(max_length=10_000)]

router = APIRouter(prefix="/internal", include_in_schema=False)


class ShareRequest(BaseModel):
    """A file to share, of `size` bytes."""

    origin: Text
    """The cause, such as an upload session: the same origin always gets the same share."""
    file_id: UUID
    name: Text
    size: Annotated[int, Field(ge=0)]
    expires_at: AwareDatetime | None
    """None: never."""
    uses: Annotated[int, Field(ge=1, le=2**31 - 1)] | None
    """None: any number."""
    owner: UUID | None = None
    """None: it belongs to nobody."""
    form: ShareKind = "code"
    extension: str = ""
    """The ending of a link, such as `.mp4`; ignored if it cannot be one."""
    password_hash: Annotated[str, Field(max_length=512, pattern=r"^\$argon2id\$[!-~]+$")] | None = None
    """Of the share's own password: Argon2id, in PHC string format."""


class ShareAnswer(BaseModel):
    """The share, with its code (or the name of its link, or its slug) and its deletion key."""

    id: UUID
    code: str
    delete_key: str
    created_at: AwareDatetime


class EndRequest(BaseModel):
    """Files whose shares are to end. `ended_for`: who deleted them, or for what reason; None: nobody did."""

    file_ids: FileIds
    ended_for: EndedFor | None = None


class RevokeRequest(BaseModel):
    """Shares that are to end."""

    share_ids: Annotated[list[UUID], Field(max_length=10_000)]


class RenameRequest(BaseModel):
    """A file, and its new name."""

    file_id: UUID
    name: Text


class HeldRequest(BaseModel):
    """Files that are perhaps not needed any more."""

    file_ids: FileIds


class HeldAnswer(BaseModel):
    """Those of the files that a share still holds."""

    held: list[UUID]


class Done(BaseModel):
    """An empty answer."""


@router.get("/policy", dependencies=[Depends(called_by("upload", "auth", "chat"))])
async def read_policy(request: Request) -> dict[str, Any]:
    """The policy in force. A limit that is none is null, as services of earlier versions know it."""
    return (await context_of(request).policy.current()).model_dump()


@router.post("/shares", dependencies=[Depends(called_by("upload"))])
async def create_share(request: Request, wanted: ShareRequest) -> ShareAnswer:
    """Share a file."""
    context = context_of(request)
    content = Content(
        "file",
        wanted.name,
        wanted.size,
        file_id=wanted.file_id,
        owner=wanted.owner,
        password_hash=wanted.password_hash,
    )
    expiry = Expiry(wanted.expires_at, wanted.uses)
    made = await share_file(context, wanted.origin, content, wanted.form, wanted.extension, expiry)
    delete_key = DeleteKeys(context.key_secret).key(made.id)
    return ShareAnswer(id=made.id, code=made.code, delete_key=delete_key, created_at=made.created_at)


@router.post("/shares/held", dependencies=[Depends(called_by("upload"))])
async def list_held(request: Request, asked: HeldRequest) -> HeldAnswer:
    """Those of the files that a share has not given back yet."""
    return HeldAnswer(held=await following.held_files(context_of(request), asked.file_ids))


@router.post("/shares/end", dependencies=[Depends(called_by("upload"))])
async def end_shares(request: Request, asked: EndRequest) -> Done:
    """End every share of these files."""
    await following.end_shares_of_files(context_of(request), asked.file_ids, asked.ended_for)
    return Done()


@router.post("/shares/rename", dependencies=[Depends(called_by("upload"))])
async def rename(request: Request, asked: RenameRequest) -> Done:
    """Give the shares of a file its new name."""
    await following.rename_shares(context_of(request), asked.file_id, asked.name)
    return Done()


@router.post("/shares/revoke", dependencies=[Depends(called_by("chat"))])
async def revoke(request: Request, asked: RevokeRequest) -> Done:
    """End the shares that were posted in a room."""
    await following.revoke_shares(context_of(request), asked.share_ids)
    return Done()


@router.delete("/accounts/{account_id}", dependencies=[Depends(called_by("auth"))])
async def erase_account(request: Request, account_id: UUID) -> Done:
    """End all shares of an account."""
    await following.end_shares_of_owner(context_of(request), account_id)
    return Done()
