"""FileCodeBox: direct upload, chunked upload and presigned upload (the wire contract's sections 3, 5 and 6).

Its chunks, forms and proxied files are ways to move bytes into an upload session; the share service gives the codes.
"""

import re
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common import clock
from common.blob import BodyLength, DigestClaim
from common.blob.digest import SAMPLE_SIZE
from common.dialects import filecodebox as dialect
from common.dialects.filecodebox import FieldError, FileCodeBoxRoute, Policy, Refused, both, int_field, str_field
from common.errors import Conflict, InvalidInput, NotFound, TooLarge
from common.http.bodies import Field, FilePart, FormStream, RawBody, content_length, read_fields
from common.ids import parse_id
from common.limits import Limiter
from upload_service.model import ChunkIndexInvalid, Layout, SessionState, UploadSession
from upload_service.operations import chunks, sessions, streams
from upload_service.operations.chunks import ChunkLengthWrong
from upload_service.operations.context import Context
from upload_service.operations.sessions import (
    ChunksMissing,
    DigestMismatch,
    NewUpload,
    SessionExpired,
    SessionNotFound,
)
from upload_service.shares import Shares

PRESIGN_LIFETIME = timedelta(seconds=900)
# How far a proxied file's size may be from what was declared.
PRESIGN_TOLERANCE = 1024
# What a form may weigh beside its file before its announced length alone condemns it.
FORM_ALLOWANCE = 1024 * 1024
DEFAULT_VALUE, DEFAULT_STYLE = 1, "day"

SESSION_TEXT = "Upload session not found"
EXPIRED_TEXT = "上传会话已过期"


@dataclass(frozen=True, slots=True)
class FileCodeBox:
    """What the dialect's routes work with."""

    context: Context
    shares: Shares
    limiter: Limiter
    complete_wait: timedelta


def router(box: FileCodeBox) -> APIRouter:
    """The upload half of the dialect."""
    routes = APIRouter(route_class=FileCodeBoxRoute)

    def add(path: str, method: str, endpoint: Any) -> None:
        for variant in both(path):
            routes.add_api_route(variant, endpoint, methods=[method], response_class=Response)

    chunked = ChunkedUpload(box)
    presigned = PresignedUpload(box)
    add("/share/file/", "POST", DirectUpload(box).share_file)
    add("/chunk/upload/init/", "POST", chunked.init)
    add("/chunk/upload/chunk/{upload_id}/{index}", "POST", chunked.chunk)
    add("/chunk/upload/status/{upload_id}", "GET", chunked.status)
    add("/chunk/upload/complete/{upload_id}", "POST", chunked.complete)
    add("/chunk/upload/{upload_id}", "DELETE", chunked.cancel)
    add("/presign/upload/init", "POST", presigned.init)
    add("/presign/upload/proxy/{upload_id}", "PUT", presigned.proxy)
    add("/presign/upload/confirm/{upload_id}", "POST", presigned.confirm)
    add("/presign/upload/status/{upload_id}", "GET", presigned.status)
    add("/presign/upload/{upload_id}", "DELETE", presigned.cancel)
    return routes


class DirectUpload:
    """`POST /share/file/`: one form, one file."""

    def __init__(self, box: FileCodeBox) -> None:
        self._box = box

    async def share_file(self, request: Request) -> Response:
        policy = await _admitted(self._box, request)
        async with dialect.counted_upload(self._box.limiter, policy, _address(request)):
            if (content_length(request) or 0) > policy.upload_size + FORM_ALLOWANCE:
                raise dialect.oversize(policy)
            session, fields = await self._receive(request, policy)
            try:
                value = int_field(fields, "expire_value", DEFAULT_VALUE)
                style = str_field(fields, "expire_style", DEFAULT_STYLE)
                expiry = dialect.parse_expiry(style, value, policy, clock.now())
                code = await _finish_and_share(self._box, session, expiry)
            except BaseException:
                await _discard(self._box.context, session)
                raise
        return dialect.ok({"code": code, "name": session.file_name})

    async def _receive(self, request: Request, policy: Policy) -> tuple[UploadSession, dict[str, Any]]:
        """The session that holds the form's file, and the form's other fields, which may come before or after it."""
        session: UploadSession | None = None
        fields: dict[str, Any] = {}
        try:
            async for part in _form(request):
                if isinstance(part, Field):
                    fields[part.name] = part.text
                elif part.name == "file" and session is None:
                    dialect.check_type(part.filename, policy)
                    session = await sessions.start_upload(self._box.context, NewUpload(part.filename))
                    await _stream(self._box.context, session, part, policy)
        except BaseException:
            if session:
                await _discard(self._box.context, session)
            raise
        if session is None:
            raise FieldError("missing", ["body", "file"], "Field required")
        return session, fields


class ChunkedUpload:
    """`/chunk/upload/…`: a file in chunks of one size, in any order, resumable."""

    def __init__(self, box: FileCodeBox) -> None:
        self._box = box

    async def init(self, request: Request) -> Response:
        policy = await _admitted(self._box, request)
        if not policy.enable_chunk:
            raise Refused(403, "Chunked upload is not enabled")
        fields = await _fields(request)
        name, size = str_field(fields, "file_name"), int_field(fields, "file_size")
        chunk_size = int_field(fields, "chunk_size", dialect.DEFAULT_CHUNK_SIZE)
        file_hash = str_field(fields, "file_hash").lower()
        dialect.check_size(size, policy)
        dialect.check_type(name, policy)
        new = NewUpload(
            name,
            size=size,
            chunk_size=chunk_size,
            claims=claims_of(file_hash, size),
            resume_key=sha256(f"{file_hash}\n{size}\n{chunk_size}\n{name}".encode(errors="replace")).digest(),
        )
        session = await sessions.start_upload(self._box.context, new)
        return dialect.ok(
            {
                "existed": False,
                "upload_id": session.id.hex,
                "chunk_size": session.chunk_size,
                "total_chunks": session.chunk_count,
                "uploaded_chunks": await sessions.stored_indexes(self._box.context, session),
            }
        )

    async def chunk(self, request: Request, upload_id: str, index: str) -> Response:
        session = await _find(self._box.context, upload_id, chunked=True)
        if not re.fullmatch(r"-?[0-9]{1,18}", index):
            raise FieldError("int_parsing", ["path", "chunk_index"], "Input should be a valid integer", index)
        try:
            blocks = await _chunk_body(request)
            stored = await chunks.put_part(self._box.context, session, int(index), blocks)
        except ChunkIndexInvalid:
            raise Refused(400, "Invalid chunk index") from None
        except ChunkLengthWrong as error:
            raise Refused(400, _length_text(error)) from None
        detail: dict[str, Any] = {"chunk_hash": stored.sha256.hex()}
        if stored.skipped:
            detail["skipped"] = True
        return dialect.ok(detail)

    async def status(self, upload_id: str) -> Response:
        session = await _find(self._box.context, upload_id, chunked=True)
        uploaded = await sessions.stored_indexes(self._box.context, session)
        total = session.chunk_count or 0
        return dialect.ok(
            {
                "upload_id": session.id.hex,
                "file_name": session.file_name,
                "file_size": session.size,
                "chunk_size": session.chunk_size,
                "total_chunks": total,
                "uploaded_chunks": uploaded,
                "progress": round(100 * len(uploaded) / total, 2) if total else 100.0,
            }
        )

    async def complete(self, request: Request, upload_id: str) -> Response:
        policy = await _admitted(self._box, request)
        session = await _find(self._box.context, upload_id, chunked=True)
        fields = await _fields(request)
        value, style = int_field(fields, "expire_value"), str_field(fields, "expire_style")
        expiry = dialect.parse_expiry(style, value, policy, clock.now())
        async with dialect.counted_upload(self._box.limiter, policy, _address(request)):
            try:
                session = await sessions.complete_upload(self._box.context, session.id)
                session = await sessions.wait_verified(self._box.context, session, self._box.complete_wait)
            except ChunksMissing:
                raise Refused(400, "Incomplete chunks") from None
            except DigestMismatch:
                raise Refused(400, "File hash mismatch") from None
            code = await self._box.shares.create(session, expiry)
        return dialect.ok({"code": code, "name": session.file_name})

    async def cancel(self, upload_id: str) -> Response:
        session = await _find(self._box.context, upload_id, chunked=True)
        await _abort(self._box.context, session)
        return dialect.ok({"message": "上传已取消"})


class PresignedUpload:
    """`/presign/upload/…`, always in proxy mode: the store is not reachable from outside."""

    def __init__(self, box: FileCodeBox) -> None:
        self._box = box

    async def init(self, request: Request) -> Response:
        policy = await _admitted(self._box, request)
        fields = await _fields(request)
        name, size = str_field(fields, "file_name"), int_field(fields, "file_size")
        value = int_field(fields, "expire_value", DEFAULT_VALUE)
        style = str_field(fields, "expire_style", DEFAULT_STYLE)
        if size < 0:
            raise Refused(400, "Invalid file size")
        async with dialect.counted_upload(self._box.limiter, policy, _address(request)):
            dialect.check_size(size, policy)
            dialect.check_type(name, policy)
            dialect.parse_expiry(style, value, policy, clock.now())
            intent = {"expire_value": value, "expire_style": style}
            new = NewUpload(name, size=size, intent=intent, lifetime=PRESIGN_LIFETIME)
            session = await sessions.start_upload(self._box.context, new)
        proxy = f"/presign/upload/proxy/{session.id.hex}"
        return dialect.ok(
            {
                "upload_id": session.id.hex,
                "upload_url": proxy,
                "mode": "proxy",
                "expires_in": int(PRESIGN_LIFETIME.total_seconds()),
                "proxy_upload_url": proxy,
                "legacy_proxy_upload_url": f"/api{proxy}",
            }
        )

    async def proxy(self, request: Request, upload_id: str) -> Response:
        policy = await _admitted(self._box, request)
        session = await _find(self._box.context, upload_id, chunked=False)
        async with dialect.counted_upload(self._box.limiter, policy, _address(request)):
            intent = session.intent
            expiry = dialect.parse_expiry(intent["expire_style"], intent["expire_value"], policy, clock.now())
            if session.state is SessionState.OPEN:
                await self._receive(request, session, policy)
            code = await _finish_and_share(self._box, session, expiry)
        return dialect.ok({"code": code, "name": session.file_name})

    async def _receive(self, request: Request, session: UploadSession, policy: Policy) -> None:
        declared = session.size or 0
        if (content_length(request) or 0) > declared + PRESIGN_TOLERANCE + FORM_ALLOWANCE:
            raise Refused(400, "文件大小与声明不符")
        async for part in _form(request):
            if isinstance(part, FilePart) and part.name == "file":
                await _stream(self._box.context, session, part, policy, declared=declared)
                break
        else:
            raise FieldError("missing", ["body", "file"], "Field required")

    async def confirm(self, upload_id: str) -> Response:
        await _find(self._box.context, upload_id, chunked=False)
        raise Refused(400, "此会话不支持direct模式")

    async def status(self, upload_id: str) -> Response:
        session = await _find(self._box.context, upload_id, chunked=False)
        return dialect.ok(
            {
                "upload_id": session.id.hex,
                "file_name": session.file_name,
                "file_size": session.size,
                "mode": "proxy",
                "created_at": dialect.timestamp(session.created_at),
                "expires_at": dialect.timestamp(session.expires_at),
                "is_expired": False,
            }
        )

    async def cancel(self, upload_id: str) -> Response:
        session = await _find(self._box.context, upload_id, chunked=False)
        await _abort(self._box.context, session)
        return dialect.ok({"message": "上传会话已取消"})


def claims_of(file_hash: str, size: int) -> tuple[DigestClaim, ...]:
    """What a `file_hash` says of the content; the wild has three forms of it.

    The SHA-256 of all of it; above 10 MiB the page's digest of a sample; and, from a page in an insecure context, a
    32-bit hash of the name, the size and the modification time, padded to 64 digits, which says nothing of the content.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", file_hash):
        raise Refused(400, "file_hash must be 64 hexadecimal digits")
    if file_hash.startswith("0" * 56):
        return ()
    value = bytes.fromhex(file_hash)
    sampled = (DigestClaim("sha-256-sampled", value),) if size > 2 * SAMPLE_SIZE else ()
    return DigestClaim("sha-256", value), *sampled


async def _admitted(box: FileCodeBox, request: Request) -> Policy:
    """The policy, once it lets this client upload at all."""
    policy = await box.shares.policy()
    dialect.check_open(policy, request.headers.get("authorization"))
    return policy


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _find(context: Context, upload_id: str, *, chunked: bool) -> UploadSession:
    """The session of this id and kind. Raises `Refused` (404)."""
    session_id: UUID | None = parse_id(upload_id)
    try:
        session = await sessions.find_session(context, session_id) if session_id else None
    except SessionExpired:
        raise Refused(404, SESSION_TEXT if chunked else EXPIRED_TEXT) from None
    except SessionNotFound:
        session = None
    if session is None or (session.layout is Layout.STREAM) == chunked:
        raise Refused(404, SESSION_TEXT)
    return session


async def _fields(request: Request) -> dict[str, Any]:
    try:
        return await read_fields(request)
    except (InvalidInput, TooLarge):
        raise Refused(400, "请求体格式错误") from None


def _form(request: Request) -> FormStream:
    try:
        return FormStream(request)
    except InvalidInput:
        raise FieldError("missing", ["body", "file"], "Field required") from None


async def _chunk_body(request: Request) -> AsyncIterable[bytes]:
    """The chunk's bytes: a form's file `chunk`, or the raw body."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return RawBody(request)
    async for part in FormStream(request):
        if isinstance(part, FilePart) and part.name == "chunk":
            return part
    raise FieldError("missing", ["body", "chunk"], "Field required")


def _length_text(error: ChunkLengthWrong) -> str:
    if error.actual > error.expected:
        return f"分片大小超过声明值: 最大 {error.expected}, 实际 {error.actual}"
    return f"分片大小小于声明值: 应为 {error.expected}, 实际 {error.actual}"


async def _stream(
    context: Context, session: UploadSession, part: FilePart, policy: Policy, *, declared: int | None = None
) -> None:
    """Store a form's file as the content of `session`. Raises `Refused` when it is too large or not as declared."""
    limit = policy.upload_size if declared is None else min(policy.upload_size, declared + PRESIGN_TOLERANCE)
    try:
        size = await streams.put_stream(context, session, part, limit)
    except TooLarge:
        if limit < policy.upload_size:
            raise Refused(400, "文件大小与声明不符") from None
        raise dialect.oversize(policy) from None
    except BodyLength:
        raise InvalidInput("the form has too much after its file") from None
    if declared is not None and abs(size - declared) > PRESIGN_TOLERANCE:
        await streams.forget_stream(context, session)
        raise Refused(400, "文件大小与声明不符")


async def _finish_and_share(box: FileCodeBox, session: UploadSession, expiry: dialect.Expiry) -> str:
    finished = await streams.finish_stream(box.context, session)
    return await box.shares.create(finished, expiry)


async def _abort(context: Context, session: UploadSession) -> None:
    try:
        await sessions.abort_upload(context, session.id)
    except NotFound:
        raise Refused(404, SESSION_TEXT) from None
    except Conflict:
        raise Refused(409, "Upload already completed") from None


async def _discard(context: Context, session: UploadSession) -> None:
    """Leave nothing of a failed form upload: neither the session nor, if it came that far, the file."""
    await streams.discard_stream(context, session.id)
