"""The account calls that File Uploader and Mirage both have, and the choice between the two.

At the host names `fileuploader.*` and `mirage.*` only that dialect answers. At every other host name the clients of
both have to work: they get one answer with the members of both, or the dialect is recognised by the request.
"""

import json

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from auth_service.dialects import fileuploader, mirage
from auth_service.dialects.bodies import is_json, read_any
from auth_service.dialects.calls import count_call
from auth_service.sessions.model import BOT_LIFETIME
from common.dialects import fileuploader as envelope
from common.dialects import mirage as mirage_envelope
from common.dialects.hosts import Host, host_of
from common.errors import DomainError
from common.identity import CredentialsMissing

# The texts that Mirage's pages show, by the numbers of File Uploader's errors.
_MIRAGE_TEXTS = {
    fileuploader.NO_CREDENTIALS: mirage.NOTHING_FILLED,
    fileuploader.WRONG_PASSWORD: "wrong password",
    fileuploader.NO_SUCH_USER: "user not found",
}


class HostRoute(envelope.FileUploaderRoute):
    """A route whose errors are rendered for the request's host name."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return render(host_of(request), error)


router = APIRouter(prefix="/api", route_class=HostRoute, include_in_schema=False)


@router.post("/register")
async def register(request: Request) -> Response:
    """Register. At shared host names, an e-mail address means Mirage, and its absence File Uploader."""
    match host_of(request):
        case Host.MIRAGE:
            return await mirage.register(request, await mirage_envelope.read_fields(request))
        case Host.FILE_UPLOADER:
            return await fileuploader.register(request, await read_any(request))
        case _:
            fields = await read_any(request)
            return await (mirage if "email" in fields else fileuploader).register(request, fields)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Sign in. At shared host names, the answer has a token for each dialect, and Mirage's replaces an earlier one."""
    match host_of(request):
        case Host.MIRAGE:
            return await mirage.log_in(request, await mirage_envelope.read_fields(request))
        case Host.FILE_UPLOADER:
            return await fileuploader.log_in(request, await read_any(request))
        case _:
            # Programs that only know File Uploader get Mirage's token too, and nobody would ever sign it out.
            grants = fileuploader.grant_of(request), mirage.grant_of(request, lifetime=BOT_LIFETIME)
            signed, opaque = await fileuploader.sign_in(request, await read_any(request), *grants)
            values = {"accessToken": signed.token, "token": opaque.token, "username": signed.account.name}
            return envelope.ok("logged in with password", **values)


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """Sign out. File Uploader's clients send the token in a header, Mirage's in a JSON body."""
    match host_of(request):
        case Host.MIRAGE:
            return await mirage.log_out(request, await mirage_envelope.read_fields(request))
        case Host.FILE_UPLOADER:
            return await fileuploader.log_out(request)
        case _:
            if request.headers.get("authorization"):
                return await fileuploader.log_out(request)
            fields = await read_any(request)
            if "token" in fields:
                return await mirage.log_out(request, fields)
            if is_json(request):
                await count_call(request, "logout")
                return _without_token()
            return await fileuploader.log_out(request)


@router.get("/login/token")
async def log_in_by_token(request: Request) -> Response:
    """Tell a client the name behind its token: only File Uploader has this call."""
    return await fileuploader.log_in_by_token(request)


@router.post("/refresh_token")
async def refresh(request: Request) -> Response:
    """Replace a token: only File Uploader has this call."""
    return await fileuploader.refresh(request, await read_any(request))


def _without_token() -> Response:
    """Mirage's answer to a body without a token, with the members of File Uploader's answer to a missing header."""
    answer = envelope.render(CredentialsMissing())
    return JSONResponse({**json.loads(bytes(answer.body)), "error": mirage.NOTHING_SENT}, 400)


def render(host: Host, error: DomainError) -> Response:
    """An error in the shape of the host name's dialect; at shared host names, with the members of both."""
    if host is Host.MIRAGE and isinstance(error, envelope.Refused):
        # A call that only File Uploader has.
        return mirage_envelope.render(mirage_envelope.Refused(error.status, error.message))
    if host is Host.MIRAGE or isinstance(error, mirage_envelope.Refused):
        return mirage_envelope.render(error)
    answer = envelope.render(error)
    if host is Host.FILE_UPLOADER:
        return answer
    body = json.loads(bytes(answer.body))
    number = getattr(error, "error_id", None)
    body["error"] = _MIRAGE_TEXTS.get(number, body["message"]) if number else body["message"]
    headers = {name: answer.headers[name] for name in ("Retry-After", "WWW-Authenticate") if name in answer.headers}
    return JSONResponse(body, answer.status_code, headers)
