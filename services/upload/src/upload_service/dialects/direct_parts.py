"""`/v1/uploads/direct` and `/v1/uploads/{id}/parts`: parts that go past this service into the store.

Shaped after the multipart uploads of S3, so that its clients, such as Uppy's plugin, need a few lines of their own.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url
from common.store import DigestClaim
from upload_service.content import direct, sessions
from upload_service.content.model import DIRECT, ITEM, Layout, SessionState, UploadSession
from upload_service.content.sessions import SessionNotFound
from upload_service.context import Context
from upload_service.dialects.growing.announcing import Announced
from upload_service.dialects.growing.creating import create
from upload_service.dialects.growing.finishing import finish
from upload_service.dialects.growing.standing import session_of
from upload_service.dialects.senders import Sender, sender_of
from upload_service.edge import context_of

PREFIX = "/direct"
"""The prefix of the gateway's way to the store."""
NUMBERS = 1000
"""The most addresses of one request."""
Text = Annotated[str, Field(max_length=8192)]

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])


class DirectUpload(BaseModel):
    """A file of `size` bytes that is sent in parts of `part_size` bytes, but for the last one.

    `part_size` null: one that suits. All else is as in the metadata of tus: `item` is the ticket of an item of a share,
    which decides everything but the parts. `sha256` in hex: the digest that the content must have.
    """

    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=1, le=2**63 - 1)]
    name: Text | None = None
    part_size: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    item: Text | None = None
    share: Literal["code", "link", "page", "none"] | None = None
    expire_style: Text | None = None
    expire_value: Annotated[int, Field(ge=0, le=9_999_999_999)] | None = None
    password: Text | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None


class DirectUploadModel(BaseModel):
    """An upload that has begun. Parts are numbered from 1."""

    id: UUID
    size: int
    part_size: int
    part_count: int
    expires_at: datetime


class PartNumbers(BaseModel):
    """The numbers of parts that are to be sent."""

    model_config = ConfigDict(extra="forbid")

    numbers: Annotated[list[Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=1, max_length=NUMBERS)]


class PartAddressModel(BaseModel):
    """The address for a PUT of exactly `size` bytes, which must begin before `expires_at`; `ETag` of the answer says
    what was stored."""

    number: int
    size: int
    url: str
    expires_at: datetime


class PartAddresses(BaseModel):
    parts: list[PartAddressModel]


class StoredPartModel(BaseModel):
    number: int
    size: int
    etag: str


class StoredParts(BaseModel):
    parts: list[StoredPartModel]


class CompletedModel(BaseModel):
    """The file, and its share if there is one."""

    file: UUID
    code: str | None = None
    url: str | None = None
    delete_key: str | None = None


@router.post("/direct", status_code=201, openapi_extra=documented(DirectUpload))
async def begin(request: Request) -> DirectUploadModel:
    """Begin an upload whose parts go into the store directly."""
    context = context_of(request, Context)
    asked = await read_model(request, DirectUpload)
    sender = await sender_of(context, request)
    part_size = direct.part_size_of(context, asked.size, asked.part_size)
    said = {
        ITEM: asked.item,
        "filename": asked.name,
        "share": asked.share,
        "expire_style": asked.expire_style,
        "expire_value": None if asked.expire_value is None else str(asked.expire_value),
        "password": asked.password,
    }
    new = Announced(
        metadata={name: value for name, value in said.items() if value is not None},
        kept="",
        size=asked.size,
        claims=(DigestClaim("sha-256", bytes.fromhex(asked.sha256)),) if asked.sha256 else (),
        part_size=part_size,
        comes_later=True,
    )
    session = await create(context, request, sender, new)
    return DirectUploadModel(
        id=session.id,
        size=asked.size,
        part_size=session.part_size or part_size,
        part_count=session.part_count or 1,
        expires_at=session.expires_at,
    )


@router.post("/{upload_id}/parts", openapi_extra=documented(PartNumbers))
async def give_addresses(request: Request, upload_id: str) -> PartAddresses:
    """Addresses to which parts can be sent. Ask again for a part whose address has expired."""
    context = context_of(request, Context)
    asked = await read_model(request, PartNumbers)
    session = await _session(context, upload_id, await sender_of(context, request))
    base = f"{base_url(request, context.public_url)}{PREFIX}"
    found = await direct.part_addresses(context, session, asked.numbers)
    return PartAddresses(
        parts=[
            PartAddressModel(number=one.number, size=one.size, url=base + one.path, expires_at=one.expires_at)
            for one in found
        ]
    )


@router.get("/{upload_id}/parts")
async def list_parts(request: Request, upload_id: str) -> StoredParts:
    """The parts that have arrived; none once the upload is complete."""
    context = context_of(request, Context)
    session = await _session(context, upload_id, await sender_of(context, request))
    found = await direct.parts_in_store(context, session)
    return StoredParts(parts=[StoredPartModel(number=one.number, size=one.size, etag=one.etag) for one in found])


@router.post("/{upload_id}/complete")
async def complete(request: Request, upload_id: str) -> CompletedModel:
    """Make the parts a file, and share it. Waits for the verification, but not for long; asked again, the same."""
    context = context_of(request, Context)
    session = await _session(context, upload_id, await sender_of(context, request))
    if session.state is SessionState.OPEN:
        await direct.record_parts(context, session)
    finished = await finish(context, request, session, waits=True)
    return CompletedModel.model_validate(finished.to_json())


@router.delete("/{upload_id}/parts", status_code=204, response_class=Response)
async def abort(request: Request, upload_id: str) -> None:
    """Abort the upload and remove its parts."""
    context = context_of(request, Context)
    session = await _session(context, upload_id, await sender_of(context, request))
    await sessions.abort_upload(context, session.id)


async def _session(context: Context, upload_id: str, sender: Sender) -> UploadSession:
    session = await session_of(context, upload_id, sender, (Layout.PARTS,))
    if not session.intent.get(DIRECT):
        raise SessionNotFound
    return session
