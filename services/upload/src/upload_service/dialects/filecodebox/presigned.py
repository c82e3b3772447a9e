"""FileCodeBox: `/presign/upload/…`, always in proxy mode (section 6 of its wire contract).

The store cannot be reached from outside, so the file comes to the address that the first answer names.
"""

from datetime import timedelta
from functools import partial

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects import filecodebox as dialect
from common.dialects.filecodebox import FieldError, Refused, expiry_fields, int_field, str_field
from common.http.bodies import content_length
from common.http.callers import ignoring_errors
from common.http.forms import FilePart
from common.ids import parse_id
from common.names import clean_name
from common.policy import Policy, counted_upload
from upload_service.content import sessions, streams
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.filecodebox.steps import (
    MISMATCH_TEXT,
    UploadRoute,
    abort_upload,
    admit,
    form_of,
    route,
    small_fields,
    store_file,
)
from upload_service.dialects.form_upload import FORM_ALLOWANCE, finish_and_share, store_file_part
from upload_service.edge import address_of, context_of

LIFETIME = timedelta(seconds=900)
LAYOUTS = (Layout.STREAM,)
# The number of bytes by which a file's size may differ from what was declared.
TOLERANCE = 1024
EXPIRED_TEXT = "上传会话已过期"


class PresignedRoute(UploadRoute):
    expired_text = EXPIRED_TEXT


router = APIRouter(route_class=PresignedRoute)


@route(router, "POST", "/presign/upload/init")
async def init(request: Request) -> Response:
    context = context_of(request, Context)
    admitted = await admit(context, request)
    policy = admitted.policy
    fields = await small_fields(request)
    name, size = str_field(fields, "file_name"), int_field(fields, "file_size")
    style, value = expiry_fields(fields)
    name = clean_name(name)
    if size < 0:
        raise Refused(400, "Invalid file size")
    async with counted_upload(context.limiter, policy, address_of(request)):
        policy.check_size(size)
        policy.check_type(name)
        policy.expiry_of(style, value, clock.now())
        intent = {"expire_value": value, "expire_style": style}
        new = NewUpload(name, size=size, intent=intent, lifetime=LIFETIME, owner=admitted.owner)
        session = await sessions.start_upload(context, new)
    proxy = f"/presign/upload/proxy/{session.id.hex}"
    return dialect.ok(
        {
            "upload_id": session.id.hex,
            "upload_url": proxy,
            "mode": "proxy",
            "expires_in": int(LIFETIME.total_seconds()),
            "proxy_upload_url": proxy,
            "legacy_proxy_upload_url": f"/api{proxy}",
        }
    )


@route(router, "PUT", "/presign/upload/proxy/{upload_id}")
async def proxy(request: Request, upload_id: str) -> Response:
    context = context_of(request, Context)
    admitted = await admit(context, request)
    policy = admitted.policy
    session = await sessions.session_to_continue(context, parse_id(upload_id), admitted.identity, LAYOUTS)
    async with counted_upload(context.limiter, policy, address_of(request)):
        intent = session.intent
        expiry = policy.expiry_of(intent["expire_style"], intent["expire_value"], clock.now())
        if session.state is SessionState.OPEN:
            await _receive(context, request, session, policy)
        session, shared = await finish_and_share(context, session, expiry)
    return dialect.ok({"code": shared.code, "name": session.file_name})


async def _receive(context: Context, request: Request, session: UploadSession, policy: Policy) -> None:
    """Store the form's file. Raises `Refused` when it is not as long as declared, `SizeRefused`, `FieldError`."""
    declared = session.size or 0
    if (content_length(request) or 0) > declared + TOLERANCE + FORM_ALLOWANCE:
        raise Refused(400, MISMATCH_TEXT)
    async for part in form_of(request):
        if isinstance(part, FilePart) and part.name == "file":
            size = await store_file(partial(store_file_part, context, session), part, declared + TOLERANCE, policy)
            if abs(size - declared) > TOLERANCE:
                await streams.forget_stream(context, session)
                raise Refused(400, MISMATCH_TEXT)
            return
    raise FieldError("missing", ["body", "file"], "Field required")


@route(router, "POST", "/presign/upload/confirm/{upload_id}")
async def confirm(request: Request, upload_id: str) -> Response:
    context = context_of(request, Context)
    await sessions.session_to_continue(context, parse_id(upload_id), await ignoring_errors(request), LAYOUTS)
    raise Refused(400, "此会话不支持direct模式")


@route(router, "GET", "/presign/upload/status/{upload_id}")
async def status(request: Request, upload_id: str) -> Response:
    context = context_of(request, Context)
    session = await sessions.session_to_continue(context, parse_id(upload_id), await ignoring_errors(request), LAYOUTS)
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


@route(router, "DELETE", "/presign/upload/{upload_id}")
async def cancel(request: Request, upload_id: str) -> Response:
    context = context_of(request, Context)
    session = await sessions.session_to_continue(context, parse_id(upload_id), await ignoring_errors(request), LAYOUTS)
    await abort_upload(context, session)
    return dialect.ok({"message": "上传会话已取消"})
