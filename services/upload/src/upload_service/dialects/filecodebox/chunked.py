"""FileCodeBox: `/chunk/upload/…`, a file in chunks of one size, in any order, resumable (section 5 of its contract).

A chunk is a part of an upload session.
"""

import re
from collections.abc import AsyncIterable
from hashlib import sha256
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects import filecodebox as dialect
from common.dialects.filecodebox import FieldError, Refused, int_field, str_field
from common.http.bodies import RawBody, content_length, media_type
from common.http.callers import ignoring_errors
from common.http.forms import FilePart, FormStream
from common.identity import Identity
from common.ids import parse_id
from common.names import clean_name
from common.policy import counted_upload
from upload_service.content import completing, sessions, storing
from upload_service.content.model import DIRECT, Layout, UploadSession
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.content.sharing import share_upload
from upload_service.content.storing import PartLengthWrong
from upload_service.context import Context
from upload_service.dialects.filecodebox.file_hash import claims_of, tells_contents_apart
from upload_service.dialects.filecodebox.steps import UploadRoute, abort_upload, admit, route, small_fields
from upload_service.dialects.form_upload import FORM_ALLOWANCE
from upload_service.edge import address_of, context_of

LAYOUTS = (Layout.PARTS, Layout.STAGED)

router = APIRouter(route_class=UploadRoute)


@route(router, "POST", "/chunk/upload/init/")
async def init(request: Request) -> Response:
    context = context_of(request, Context)
    admitted = await admit(context, request)
    policy = admitted.policy
    if not policy.enable_chunk:
        raise Refused(403, "Chunked upload is not enabled")
    fields = await small_fields(request)
    name, size = str_field(fields, "file_name"), int_field(fields, "file_size")
    chunk_size = int_field(fields, "chunk_size", dialect.DEFAULT_CHUNK_SIZE)
    file_hash = str_field(fields, "file_hash").lower()
    name = clean_name(name)
    policy.check_size(size)
    policy.check_type(name)
    new = NewUpload(
        name,
        size=size,
        part_size=chunk_size,
        claims=claims_of(file_hash, size),
        resume_key=_resume_key(admitted.owner, f"{file_hash}\n{size}\n{chunk_size}\n{name}")
        if tells_contents_apart(file_hash)
        else None,
        owner=admitted.owner,
    )
    session = await sessions.start_upload(context, new)
    return dialect.ok(
        {
            "existed": False,
            "upload_id": session.id.hex,
            "chunk_size": session.part_size,
            "total_chunks": session.part_count,
            "uploaded_chunks": await sessions.stored_indexes(context, session),
        }
    )


@route(router, "POST", "/chunk/upload/chunk/{upload_id}/{index}")
async def chunk(request: Request, upload_id: str, index: str) -> Response:
    context = context_of(request, Context)
    identity = await ignoring_errors(request)
    session = await _session(context, upload_id, identity)
    if not re.fullmatch(r"-?[0-9]{1,18}", index):
        raise FieldError("int_parsing", ["path", "chunk_index"], "Input should be a valid integer", index)
    body = await _chunk_body(request, session.part_length(int(index)))
    stored = await storing.store_part(context, session, int(index), body)
    detail: dict[str, Any] = {"chunk_hash": stored.sha256.hex()}
    if stored.skipped:
        detail["skipped"] = True
    return dialect.ok(detail)


@route(router, "GET", "/chunk/upload/status/{upload_id}")
async def status(request: Request, upload_id: str) -> Response:
    context = context_of(request, Context)
    identity = await ignoring_errors(request)
    session = await _session(context, upload_id, identity)
    uploaded = await sessions.stored_indexes(context, session)
    total = session.part_count or 0
    return dialect.ok(
        {
            "upload_id": session.id.hex,
            "file_name": session.file_name,
            "file_size": session.size,
            "chunk_size": session.part_size,
            "total_chunks": total,
            "uploaded_chunks": uploaded,
            "progress": round(100 * len(uploaded) / total, 2) if total else 100.0,
        }
    )


@route(router, "POST", "/chunk/upload/complete/{upload_id}")
async def complete(request: Request, upload_id: str) -> Response:
    context = context_of(request, Context)
    admitted = await admit(context, request)
    policy = admitted.policy
    session = await _session(context, upload_id, admitted.identity)
    fields = dialect.without_empty_expiry(await small_fields(request))
    value, style = int_field(fields, "expire_value"), str_field(fields, "expire_style")
    policy.expiry_of(style, value, clock.now())
    async with counted_upload(context.limiter, policy, address_of(request)):
        session = await completing.complete_upload(context, session.id)
        session = await completing.wait_verified(context, session, context.complete_wait)
        # The share's time begins now: its verification may have taken a while.
        expiry = policy.expiry_of(style, value, clock.now())
        shared = await share_upload(context, session, expiry)
    return dialect.ok({"code": shared.code, "name": session.file_name})


@route(router, "DELETE", "/chunk/upload/{upload_id}")
async def cancel(request: Request, upload_id: str) -> Response:
    context = context_of(request, Context)
    identity = await ignoring_errors(request)
    session = await _session(context, upload_id, identity)
    await abort_upload(context, session)
    return dialect.ok({"message": "上传已取消"})


async def _session(context: Context, upload_id: str, identity: Identity | None) -> UploadSession:
    """The upload, if it was begun here and this sender may continue it. Raises `SessionNotFound`, `SessionExpired`."""
    session = await sessions.session_to_continue(context, parse_id(upload_id), identity, LAYOUTS)
    if session.intent.get(DIRECT):
        # It may be the content of an item, which is shared by its owner alone.
        raise SessionNotFound
    return session


async def _chunk_body(request: Request, expected: int) -> AsyncIterable[bytes]:
    """The chunk's bytes: a form's file `chunk`, or the raw body. The storing limits their number.

    Raises `PartLengthWrong` if the chunk cannot have the `expected` length by what is announced.
    """
    announced = content_length(request)
    if not media_type(request).startswith("multipart/"):
        if announced is not None and announced != expected:
            raise PartLengthWrong(expected, announced)
        return RawBody(request)
    longest = expected + FORM_ALLOWANCE
    if announced is not None and announced > longest:
        raise PartLengthWrong(expected, announced)
    async for part in FormStream(request, longest):
        if isinstance(part, FilePart) and part.name == "chunk":
            return part
    raise FieldError("missing", ["body", "chunk"], "Field required")


def _resume_key(owner: UUID | None, content: str) -> bytes:
    """The key by which a later start finds the same upload. An account's upload is resumed by that account alone."""
    keyed = f"{owner.hex}\n{content}" if owner else content
    return sha256(keyed.encode(errors="replace")).digest()
