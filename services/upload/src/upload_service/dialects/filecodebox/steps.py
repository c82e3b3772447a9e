"""FileCodeBox: the steps that its ways of uploading have in common, and what each works with."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Request

from common.dialects import filecodebox as dialect
from common.dialects.filecodebox import FieldError, Refused
from common.errors import Conflict, InvalidInput, NotFound, TooLarge
from common.http.bodies import RawBody
from common.http.callers import ignoring_errors
from common.http.forms import FilePart, FormStream, read_fields
from common.identity import Identity
from common.ids import parse_id
from common.limits import Limiter
from common.policy import Policy, SizeRefused
from common.rights import Action, Actor, permitted
from upload_service.content import sessions, streams
from upload_service.content.model import Layout, UploadSession
from upload_service.content.sessions import SessionExpired, SessionNotFound
from upload_service.content.storing import ChunkLengthWrong
from upload_service.context import Context
from upload_service.dialects.form_upload import store_part
from upload_service.shares import Shares

# How far a proxied file's size may be from what was declared.
PRESIGN_TOLERANCE = 1024

SESSION_TEXT = "Upload session not found"
EXPIRED_TEXT = "上传会话已过期"


@dataclass(frozen=True, slots=True)
class FileCodeBox:
    """What the dialect's routes work with."""

    context: Context
    shares: Shares
    limiter: Limiter
    complete_wait: timedelta


@dataclass(frozen=True, slots=True)
class Admitted:
    """What an upload that may begin has to keep to, and whose it is."""

    policy: Policy
    identity: Identity | None
    """None: nobody's. The dialect's own pages send headers that mean nothing here."""

    @property
    def owner(self) -> UUID | None:
        return self.identity.account_id if self.identity else None


async def admitted(box: FileCodeBox, request: Request) -> Admitted:
    """Who uploads, once the policy lets this client upload at all."""
    policy = await box.shares.policy()
    identity = await ignoring_errors(request)
    dialect.check_open(policy, request.headers.get("authorization"), identity)
    return Admitted(policy, identity)


def address_of(request: Request) -> str:
    """The client's address, which limits count by."""
    return request.client.host if request.client else ""


async def find_session(context: Context, upload_id: str, identity: Identity | None, *, chunked: bool) -> UploadSession:
    """The session of this id and kind, for who may continue it. Raises `Refused` (404)."""
    session_id: UUID | None = parse_id(upload_id)
    try:
        session = await sessions.find_session(context, session_id) if session_id else None
    except SessionExpired:
        raise Refused(404, SESSION_TEXT if chunked else EXPIRED_TEXT) from None
    except SessionNotFound:
        session = None
    if session is None or (session.layout is Layout.STREAM) == chunked:
        raise Refused(404, SESSION_TEXT)
    # Even an administrator hears no more than anybody: there is nothing to be done with a stranger's upload.
    if not permitted(Action.CONTINUE, Actor(identity), session.owner):
        raise Refused(404, SESSION_TEXT)
    return session


async def session_of(box: FileCodeBox, request: Request, upload_id: str, *, chunked: bool) -> UploadSession:
    """`find_session` for whoever sent the request."""
    return await find_session(box.context, upload_id, await ignoring_errors(request), chunked=chunked)


async def small_fields(request: Request) -> dict[str, Any]:
    """The fields of a body without a file. Raises `Refused` (400)."""
    try:
        return await read_fields(request)
    except (InvalidInput, TooLarge):
        raise Refused(400, "请求体格式错误") from None


def form_of(request: Request) -> FormStream:
    """The form that carries a file. Raises `FieldError`."""
    try:
        return FormStream(request)
    except InvalidInput:
        raise FieldError("missing", ["body", "file"], "Field required") from None


async def chunk_body(request: Request) -> AsyncIterable[bytes]:
    """The chunk's bytes: a form's file `chunk`, or the raw body."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return RawBody(request)
    async for part in FormStream(request):
        if isinstance(part, FilePart) and part.name == "chunk":
            return part
    raise FieldError("missing", ["body", "chunk"], "Field required")


def length_text(error: ChunkLengthWrong) -> str:
    """What a chunk of the wrong length is told, in the words of the contract."""
    if error.actual > error.expected:
        return f"分片大小超过声明值: 最大 {error.expected}, 实际 {error.actual}"
    return f"分片大小小于声明值: 应为 {error.expected}, 实际 {error.actual}"


async def store_file(
    context: Context, session: UploadSession, part: FilePart, policy: Policy, *, declared: int | None = None
) -> None:
    """Store a form's file as the content of `session`. Raises `Refused` when it is too large or not as declared."""
    limit = policy.upload_size if declared is None else min(policy.upload_size, declared + PRESIGN_TOLERANCE)
    try:
        size = await store_part(context, session, part, limit)
    except TooLarge:
        if limit < policy.upload_size:
            raise Refused(400, "文件大小与声明不符") from None
        raise SizeRefused(policy.upload_size) from None
    if declared is not None and abs(size - declared) > PRESIGN_TOLERANCE:
        await streams.forget_stream(context, session)
        raise Refused(400, "文件大小与声明不符")


async def abort_upload(context: Context, session: UploadSession) -> None:
    """Give an upload up. Raises `Refused`: 404 when it is gone already, 409 when it is complete."""
    try:
        await sessions.abort_upload(context, session.id)
    except NotFound:
        raise Refused(404, SESSION_TEXT) from None
    except Conflict:
        raise Refused(409, "Upload already completed") from None
