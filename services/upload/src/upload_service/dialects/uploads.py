"""The addresses of uploads that grow, `/v1/uploads` and `/files`, where several protocols are spoken.

A request of tus names it, and one of the IETF's draft has headers that only the draft has. Both work on the same
uploads.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError

from common.errors import DomainError, InvalidInput
from common.http.problems import DialectRoute
from upload_service.context import Context
from upload_service.dialects.resumable import answers as draft_answers
from upload_service.dialects.resumable import calls as draft
from upload_service.dialects.resumable.versions import MEDIA_TYPE, NEWEST, is_draft
from upload_service.dialects.tus import answers as tus_answers
from upload_service.dialects.tus import calls as tus
from upload_service.dialects.tus.headers import CONTENT_TYPE
from upload_service.edge import context_of

NATIVE, ALIAS = "/v1/uploads", "/files"
OVERRIDE = "x-http-method-override"


class UploadRoute(DialectRoute):
    """A route whose errors have the shape of the protocol that the request speaks."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return draft_answers.rendered(request, error) if is_draft(request) else tus_answers.rendered(error)

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"type": "about:blank", "title": detail, "status": 405, "detail": detail, "code": "http"}

    def misshaped(self, request: Request, error: RequestValidationError) -> Response:
        return self.rendered(request, InvalidInput())


_BODY: dict[str, Any] = {
    "requestBody": {"content": {kind: {"schema": {"type": "string"}} for kind in (CONTENT_TYPE, MEDIA_TYPE)}}
}

router = APIRouter(route_class=UploadRoute, tags=["uploads"])


async def abilities(request: Request) -> Response:
    """The abilities of this server (tus, and the draft on resumable uploads)."""
    context = context_of(request, Context)
    policy = await context.shares.policy()
    able = tus_answers.abilities(policy.upload_size) | NEWEST.limits(policy.upload_size)
    direct = {"Waystation-Direct-Parts": "?1" if context.store.limits.takes_direct else "?0"}
    return tus_answers.answer(204, able | direct | {"Accept-Patch": MEDIA_TYPE})


async def post(request: Request) -> Response:
    """Begin an upload, or make one of several (tus: creation and what extends it, concatenation)."""
    if request.headers.get(OVERRIDE, "").upper() == "OPTIONS":
        return await abilities(request)
    return await (draft if is_draft(request) else tus).post(request)


async def head(request: Request, upload_id: str) -> Response:
    """The offset that an upload has reached."""
    return await (draft if is_draft(request) else tus).head(request, upload_id)


async def patch(request: Request, upload_id: str) -> Response:
    """Send bytes (tus: core, checksum)."""
    return await (draft if is_draft(request) else tus).patch(request, upload_id)


async def delete(request: Request, upload_id: str) -> Response:
    """Abort an upload. One that is complete is a file already, and is not removed in this way."""
    return await (draft if is_draft(request) else tus).delete(request, upload_id)


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
