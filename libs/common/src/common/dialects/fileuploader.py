"""File Uploader: its envelope, its authorization errors (section 1.1 of its document), its limits.

Accounts live in the auth service, uploads in the upload service, files by their links in the share service; all three
answer in these shapes.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from common import errors
from common.addresses import limit_key
from common.errors import DomainError
from common.http.problems import DialectRoute
from common.identities import Identities
from common.identity import (
    CredentialError,
    CredentialsMalformed,
    CredentialsMissing,
    Identity,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from common.limits import Limiter
from common.statuses import headers_of, status_of

PRIVATE = "private"
"""Stands for the account's own files where clients may also name a group."""

API_PATHS = tuple(
    f"/api/{name}"
    for name in (
        *("upload", "delete/", "register", "login", "refresh_token", "logout", "get_files", "getFiles"),
        *("transfer", "get_groups"),
    )
)
"""Prefixes of the paths of this dialect's calls."""

_MINUTE = timedelta(minutes=1)
_AUTH_ERRORS: tuple[tuple[type[CredentialError], int, str], ...] = (
    (CredentialsMissing, -1, "No Authorization header provided"),
    (CredentialsMalformed, -2, "Authorization header must have Bearer <token> format"),
    (TokenExpired, -3, "Access token expired"),
    (TokenInvalid, -4, "Invalid access token"),
    (TokenRevoked, -5, "Token not found"),
)


class Refused(DomainError):
    """The request is refused with a status and a text that this dialect prescribes, and with a number if it has one."""

    code = "refused"

    def __init__(self, status: int, message: str, error_id: int | None = None) -> None:
        super().__init__(message)
        self.status, self.error_id = status, error_id


class Throttled(errors.RateLimited):
    """More calls than a minute allows."""

    def __init__(self, per_minute: int) -> None:
        super().__init__(f"Rate limit exceeded: {per_minute} per 1 minute", retry_after=_MINUTE)


async def identify(identities: Identities, authorization: str | None) -> Identity:
    """The account behind `Authorization: Bearer <token>`. Raises a `CredentialError` for each row of section 1.1."""
    if not authorization:
        raise CredentialsMissing
    scheme, *rest = authorization.split(" ")
    if scheme.lower() != "bearer" or len(rest) != 1 or not rest[0]:
        raise CredentialsMalformed
    return await identities.of_token(rest[0])


def auth_error(error: CredentialError) -> dict[str, Any]:
    """The value of `auth_error` in answers: the message and its number."""
    return next({"message": text, "errorId": number} for kind, number, text in _AUTH_ERRORS if isinstance(error, kind))


async def count_call(limiter: Limiter, name: str, per_minute: int, request: Request) -> None:
    """Count a call of the kind `name` from the request's address. Raises `Throttled`."""
    try:
        await limiter.budget(f"fileuploader-{name}", per_minute, _MINUTE).take(_address(request))
    except errors.RateLimited:
        raise Throttled(per_minute) from None


@asynccontextmanager
async def counted_call(limiter: Limiter, name: str, per_minute: int, request: Request) -> AsyncGenerator[None]:
    """Like `count_call`, for the call in the block; it does not count if it fails."""
    await count_call(limiter, name, per_minute, request)
    try:
        yield
    except BaseException:
        await limiter.budget(f"fileuploader-{name}", per_minute, _MINUTE).give_back(_address(request))
        raise


def ok(message: str, **fields: Any) -> JSONResponse:
    """Success: HTTP 200."""
    return JSONResponse({"status": "success", "message": message, **fields})


def size_text(size: int) -> str:
    """A size as text, such as `5B` or `1.5MB`: in units of base 1024, rounded to two decimal places."""
    value: float = size
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024:
            return f"{round(value, 2)}{unit}"
        value /= 1024
    return f"{round(value, 2)}TB"


def date_text(moment: datetime) -> str:
    """A time as text, such as `1.1.1971 0:0:0`: without leading zeros, in UTC."""
    return f"{moment.day}.{moment.month}.{moment.year} {moment.hour}:{moment.minute}:{moment.second}"


def extension(name: str) -> str:
    """The extension of a file name in lower case, with its dot; empty if the name has no dot."""
    _, dot, last = name.rpartition(".")
    return dot + last.lower() if dot else ""


def short_name(name: str) -> str:
    """The name of a file in lists: cut after 50 characters."""
    return name if len(name) <= 50 else f"{name[:50]}..."


def flag(text: str | None) -> bool:
    """A boolean of the query string, as the dialect's clients write it."""
    return (text or "").lower() in ("true", "1", "yes", "on")


class FileUploaderRoute(DialectRoute):
    """A route whose errors have the form `{"status":"error","message":…}`."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return render(error)

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"status": "error", "message": detail}


def render(error: DomainError) -> JSONResponse:
    """An error in the dialect's shape."""
    if isinstance(error, Refused):
        number = {} if error.error_id is None else {"errorId": error.error_id}
        return JSONResponse({"status": "error", "message": error.message, **number}, error.status)
    headers = headers_of(error)
    if isinstance(error, CredentialError):
        body = {"status": "error", "message": "Auth error", "auth_error": auth_error(error)}
        return JSONResponse(body, 401, headers)
    body = {"status": "error", "message": error.message}
    if isinstance(error, errors.RateLimited):
        body["error"] = error.message
    return JSONResponse(body, status_of(error), headers)


def _address(request: Request) -> str:
    return limit_key(request.client.host if request.client else "")
