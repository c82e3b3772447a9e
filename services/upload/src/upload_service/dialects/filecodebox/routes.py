"""FileCodeBox: direct upload, chunked upload and presigned upload (the wire contract's sections 3, 5 and 6).

Its chunks, forms and proxied files are ways to move bytes into an upload session; the share service gives the codes.
"""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects import filecodebox as dialect
from common.dialects.filecodebox import FieldError, FileCodeBoxRoute, Refused, both, int_field, str_field
from common.errors import DomainError
from common.http.bodies import content_length
from common.http.forms import Field, FilePart, FormStream
from common.policy import Policy, SizeRefused, TypeRefused, counted_upload
from upload_service.content import sessions
from upload_service.content import storing as chunks
from upload_service.content.model import ChunkIndexInvalid, SessionState, UploadSession
from upload_service.content.sessions import ChunksMissing, DigestMismatch, NewUpload
from upload_service.content.sharing import share_upload
from upload_service.content.storing import ChunkLengthWrong
from upload_service.dialects.filecodebox.file_hash import claims_of
from upload_service.dialects.filecodebox.steps import (
    PRESIGN_TOLERANCE,
    Admitted,
    FileCodeBox,
    abort_upload,
    address_of,
    admitted,
    chunk_body,
    find_session,
    form_of,
    length_text,
    session_of,
    small_fields,
    store_file,
)
from upload_service.dialects.form_upload import FORM_ALLOWANCE, FormUpload, finish_and_share

PRESIGN_LIFETIME = timedelta(seconds=900)
DEFAULT_VALUE, DEFAULT_STYLE = 1, "day"


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
        allowed = await admitted(self._box, request)
        policy = allowed.policy
        async with counted_upload(self._box.limiter, policy, address_of(request)):
            form = form_of(request)
            if form.body.certain() > policy.upload_size + FORM_ALLOWANCE:
                raise SizeRefused(policy.upload_size)
            async with FormUpload(self._box.context, self._box.shares) as upload:
                fields = await self._receive(form, allowed, upload)
                expiry = policy.expiry_of(*_expiry_fields(fields), clock.now())
                session, shared = await upload.share(expiry)
        return dialect.ok({"code": shared.code, "name": session.file_name})

    async def _receive(self, form: FormStream, allowed: Admitted, upload: FormUpload) -> dict[str, Any]:
        """Store the form's file, and return its other fields, which may come before or after it."""
        fields: dict[str, Any] = {}
        refusal: DomainError | None = None
        async for part in form:
            if isinstance(part, Field):
                fields[part.name] = part.text
            elif part.name == "file" and upload.session is None and refusal is None:
                _expiry_fields(fields)
                try:
                    allowed.policy.check_type(part.filename)
                    session = await upload.begin(NewUpload(part.filename, owner=allowed.owner))
                    await store_file(self._box.context, session, part, allowed.policy)
                except (Refused, SizeRefused, TypeRefused) as error:
                    # A misshaped field is told first, also one that follows: but not at the price of a large body.
                    if form.body.length is None or form.body.certain() > FORM_ALLOWANCE:
                        raise
                    refusal = error
        _expiry_fields(fields)
        if refusal:
            raise refusal
        if upload.session is None:
            raise FieldError("missing", ["body", "file"], "Field required")
        return fields


def _expiry_fields(fields: dict[str, Any]) -> tuple[str, int]:
    """Style and value of a direct upload. Raises `FieldError`."""
    value = int_field(fields, "expire_value", DEFAULT_VALUE, positive=True)
    return str_field(fields, "expire_style", DEFAULT_STYLE), value


class ChunkedUpload:
    """`/chunk/upload/…`: a file in chunks of one size, in any order, resumable."""

    def __init__(self, box: FileCodeBox) -> None:
        self._box = box

    async def init(self, request: Request) -> Response:
        allowed = await admitted(self._box, request)
        policy = allowed.policy
        if not policy.enable_chunk:
            raise Refused(403, "Chunked upload is not enabled")
        fields = await small_fields(request)
        name, size = str_field(fields, "file_name"), int_field(fields, "file_size")
        chunk_size = int_field(fields, "chunk_size", dialect.DEFAULT_CHUNK_SIZE)
        file_hash = str_field(fields, "file_hash").lower()
        policy.check_size(size)
        policy.check_type(name)
        new = NewUpload(
            name,
            size=size,
            chunk_size=chunk_size,
            claims=claims_of(file_hash, size),
            resume_key=_resume_key(allowed.owner, f"{file_hash}\n{size}\n{chunk_size}\n{name}"),
            owner=allowed.owner,
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
        session = await session_of(self._box, request, upload_id, chunked=True)
        if not re.fullmatch(r"-?[0-9]{1,18}", index):
            raise FieldError("int_parsing", ["path", "chunk_index"], "Input should be a valid integer", index)
        try:
            blocks = await chunk_body(request)
            stored = await chunks.put_part(self._box.context, session, int(index), blocks)
        except ChunkIndexInvalid:
            raise Refused(400, "Invalid chunk index") from None
        except ChunkLengthWrong as error:
            raise Refused(400, length_text(error)) from None
        detail: dict[str, Any] = {"chunk_hash": stored.sha256.hex()}
        if stored.skipped:
            detail["skipped"] = True
        return dialect.ok(detail)

    async def status(self, request: Request, upload_id: str) -> Response:
        session = await session_of(self._box, request, upload_id, chunked=True)
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
        allowed = await admitted(self._box, request)
        policy = allowed.policy
        session = await find_session(self._box.context, upload_id, allowed.identity, chunked=True)
        fields = await small_fields(request)
        value, style = int_field(fields, "expire_value"), str_field(fields, "expire_style")
        policy.expiry_of(style, value, clock.now())
        async with counted_upload(self._box.limiter, policy, address_of(request)):
            try:
                session = await sessions.complete_upload(self._box.context, session.id)
                session = await sessions.wait_verified(self._box.context, session, self._box.complete_wait)
            except ChunksMissing:
                raise Refused(400, "Incomplete chunks") from None
            except DigestMismatch:
                raise Refused(400, "File hash mismatch") from None
            # The share's time begins now: its verification may have taken a while.
            expiry = policy.expiry_of(style, value, clock.now())
            shared = await share_upload(self._box.context, session, expiry)
        return dialect.ok({"code": shared.code, "name": session.file_name})

    async def cancel(self, request: Request, upload_id: str) -> Response:
        session = await session_of(self._box, request, upload_id, chunked=True)
        await abort_upload(self._box.context, session)
        return dialect.ok({"message": "上传已取消"})


def _resume_key(owner: UUID | None, content: str) -> bytes:
    """What makes a later start the same upload: nobody, and no other account, resumes an account's."""
    return sha256(
        f"{owner.hex}\n{content}".encode(errors="replace") if owner else content.encode(errors="replace")
    ).digest()


class PresignedUpload:
    """`/presign/upload/…`, always in proxy mode: the store is not reachable from outside."""

    def __init__(self, box: FileCodeBox) -> None:
        self._box = box

    async def init(self, request: Request) -> Response:
        allowed = await admitted(self._box, request)
        policy = allowed.policy
        fields = await small_fields(request)
        name, size = str_field(fields, "file_name"), int_field(fields, "file_size")
        value = int_field(fields, "expire_value", DEFAULT_VALUE)
        style = str_field(fields, "expire_style", DEFAULT_STYLE)
        if size < 0:
            raise Refused(400, "Invalid file size")
        async with counted_upload(self._box.limiter, policy, address_of(request)):
            policy.check_size(size)
            policy.check_type(name)
            policy.expiry_of(style, value, clock.now())
            intent = {"expire_value": value, "expire_style": style}
            new = NewUpload(name, size=size, intent=intent, lifetime=PRESIGN_LIFETIME, owner=allowed.owner)
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
        allowed = await admitted(self._box, request)
        policy = allowed.policy
        session = await find_session(self._box.context, upload_id, allowed.identity, chunked=False)
        async with counted_upload(self._box.limiter, policy, address_of(request)):
            intent = session.intent
            expiry = policy.expiry_of(intent["expire_style"], intent["expire_value"], clock.now())
            if session.state is SessionState.OPEN:
                await self._receive(request, session, policy)
            session, shared = await finish_and_share(self._box.context, self._box.shares, session, expiry)
        return dialect.ok({"code": shared.code, "name": session.file_name})

    async def _receive(self, request: Request, session: UploadSession, policy: Policy) -> None:
        declared = session.size or 0
        if (content_length(request) or 0) > declared + PRESIGN_TOLERANCE + FORM_ALLOWANCE:
            raise Refused(400, "文件大小与声明不符")
        async for part in form_of(request):
            if isinstance(part, FilePart) and part.name == "file":
                await store_file(self._box.context, session, part, policy, declared=declared)
                break
        else:
            raise FieldError("missing", ["body", "file"], "Field required")

    async def confirm(self, request: Request, upload_id: str) -> Response:
        await session_of(self._box, request, upload_id, chunked=False)
        raise Refused(400, "此会话不支持direct模式")

    async def status(self, request: Request, upload_id: str) -> Response:
        session = await session_of(self._box, request, upload_id, chunked=False)
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

    async def cancel(self, request: Request, upload_id: str) -> Response:
        session = await session_of(self._box, request, upload_id, chunked=False)
        await abort_upload(self._box.context, session)
        return dialect.ok({"message": "上传会话已取消"})
