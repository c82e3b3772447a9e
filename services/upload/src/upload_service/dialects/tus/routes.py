"""tus: its requests. Guests may continue the uploads that belong to nobody, and accounts their own."""

from typing import Any

from fastapi import APIRouter, Request, Response

from common.errors import Forbidden, InvalidInput, TooLarge
from common.http.bodies import content_length
from common.http.public_url import base_url
from common.ids import parse_id
from upload_service.content import appending, sessions
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.context import Context
from upload_service.dialects.senders import Sender, sender_of
from upload_service.dialects.tus import answers, headers
from upload_service.dialects.tus.answers import TusRoute, answer, http_date
from upload_service.dialects.tus.creating import create
from upload_service.dialects.tus.finishing import finish
from upload_service.dialects.tus.headers import WrongContentType
from upload_service.dialects.tus.receiving import OffsetWrong, receive
from upload_service.edge import context_of

NATIVE, ALIAS = "/v1/uploads", "/files"
LAYOUTS = (Layout.APPENDED,)
OVERRIDE = "x-http-method-override"


class FinalUpload(Forbidden):
    """An upload that others became takes no bytes."""

    code = "final_upload"


_BODY: dict[str, Any] = {"requestBody": {"content": {headers.CONTENT_TYPE: {"schema": {"type": "string"}}}}}

router = APIRouter(route_class=TusRoute, tags=["uploads"])


async def abilities(request: Request) -> Response:
    """The abilities of this server (tus 1.0.0)."""
    policy = await context_of(request, Context).shares.policy()
    return answers.abilities(policy.upload_size)


async def post(request: Request) -> Response:
    """Begin an upload, or make one of several (tus: creation and what extends it, concatenation)."""
    context = context_of(request, Context)
    if request.headers.get(OVERRIDE, "").upper() == "OPTIONS":
        return await abilities(request)
    headers.check_version(request)
    sender = await sender_of(context, request)
    session = await create(context, request, sender)
    sent = {"Location": f"{base_url(request, context.public_url)}{request.url.path.rstrip('/')}/{session.id.hex}"}
    at = 0
    if concat := session.intent.get("concat"):
        sent["Upload-Concat"] = concat
    if concat and concat != headers.PARTIAL:
        if headers.has_content(request):
            raise FinalUpload
        return answer(201, sent | await finish(context, request, session))
    if headers.has_content(request) or session.size == 0:
        at = await receive(context, request, session, 0, _limit(sender, session), headers.checksum(request))
        sent["Upload-Offset"] = str(at)
    return answer(201, sent | await _standing(context, request, session, at))


async def head(request: Request, upload_id: str) -> Response:
    """The offset that an upload has reached (tus: core)."""
    context = context_of(request, Context)
    sender = await sender_of(context, request)
    session = await _session(context, upload_id, sender)
    at = await _offset(context, session)
    sent = {"Upload-Offset": str(at)}
    if session.size is None:
        sent["Upload-Defer-Length"] = "1"
    else:
        sent["Upload-Length"] = str(session.size)
    if concat := session.intent.get("concat"):
        sent["Upload-Concat"] = concat
    if metadata := session.intent.get("metadata"):
        sent["Upload-Metadata"] = metadata
    return answer(200, sent | await _standing(context, request, session, at))


async def patch(request: Request, upload_id: str) -> Response:
    """Send bytes (tus: core, checksum)."""
    context = context_of(request, Context)
    headers.check_version(request)
    if not headers.has_content(request):
        raise WrongContentType
    at, checksum = headers.number(request, "Upload-Offset"), headers.checksum(request)
    if at is None:
        raise InvalidInput("Upload-Offset is missing")
    sender = await sender_of(context, request)
    session = await _session(context, upload_id, sender)
    if session.intent.get("concat", headers.PARTIAL) != headers.PARTIAL:
        raise FinalUpload
    if session.state is SessionState.OPEN and (size := headers.number(request, "Upload-Length")) is not None:
        sender.policy.check_size(size)
        session = await appending.declare_size(context, session, size)
    if session.state is not SessionState.OPEN or (content_length(request) == 0 and session.size != 0):
        at = await _unchanged(context, request, session, at)
    else:
        at = await receive(context, request, session, at, _limit(sender, session), checksum)
    return answer(204, {"Upload-Offset": str(at)} | await _standing(context, request, session, at))


async def delete(request: Request, upload_id: str) -> Response:
    """Abort an upload (tus: termination). One that is complete is a file already, and is not removed in this way."""
    context = context_of(request, Context)
    headers.check_version(request)
    session = await _session(context, upload_id, await sender_of(context, request))
    await sessions.abort_upload(context, session.id)
    return answer(204, {})


async def post_one(request: Request, upload_id: str) -> Response:
    """Any of the other calls, for clients that can only send POST; `X-HTTP-Method-Override` names it."""
    calls = {"PATCH": patch, "DELETE": delete, "HEAD": head}
    call = calls.get(request.headers.get(OVERRIDE, "").upper())
    if call is None:
        raise InvalidInput("X-HTTP-Method-Override names no call of an upload")
    return await call(request, upload_id)


def _add(base: str) -> None:
    """Add the calls under one path; the native one alone is in the OpenAPI document."""
    every: dict[str, Any] = {"response_class": Response, "include_in_schema": base == NATIVE}
    one = f"{base}/{{upload_id}}"
    for path in (base, one):
        router.add_api_route(path, abilities, methods=["OPTIONS"], status_code=204, **every)
    router.add_api_route(base, post, methods=["POST"], status_code=201, openapi_extra=_BODY, **every)
    router.add_api_route(one, head, methods=["HEAD"], **every)
    router.add_api_route(one, patch, methods=["PATCH"], status_code=204, openapi_extra=_BODY, **every)
    router.add_api_route(one, delete, methods=["DELETE"], status_code=204, **every)
    router.add_api_route(one, post_one, methods=["POST"], status_code=204, openapi_extra=_BODY, **every)


for base in (NATIVE, ALIAS):
    _add(base)
# The usual address of tusd, which clients are set up with.
router.add_api_route(f"{ALIAS}/", post, methods=["POST"], response_class=Response, include_in_schema=False)


async def _session(context: Context, upload_id: str, sender: Sender) -> UploadSession:
    session = await sessions.session_to_continue(context, parse_id(upload_id), sender.identity, LAYOUTS)
    if session.item_id is None:
        sender.check_may_upload()
    return session


async def _offset(context: Context, session: UploadSession) -> int:
    if session.state is not SessionState.OPEN:
        return session.size or 0
    return appending.boundaries_of(await appending.parts_of(context, session))[-1]


async def _unchanged(context: Context, request: Request, session: UploadSession, at: int) -> int:
    """The offset of an upload that this request adds nothing to. Raises `OffsetWrong`, `TooLarge`."""
    if at != (current := await _offset(context, session)):
        raise OffsetWrong(f"the upload has {current} bytes")
    if content_length(request) != 0:
        raise TooLarge("the upload is complete")
    return current


def _limit(sender: Sender, session: UploadSession) -> int:
    """The most bytes that the upload may have."""
    return sender.policy.upload_size if session.size is None else session.size


async def _standing(context: Context, request: Request, session: UploadSession, at: int) -> dict[str, str]:
    """The headers that say when the upload ends, or where its file is once it has all its bytes."""
    if session.size == at and session.intent.get("concat") != headers.PARTIAL:
        return await finish(context, request, session)
    # Each part extends the life of its upload.
    current = await sessions.find_session(context, session.id)
    return {"Upload-Expires": http_date(current.expires_at)}
