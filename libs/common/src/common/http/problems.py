"""Errors on the native wire: RFC 9457 problem details. A dialect renders the same errors in its own envelope."""

from datetime import timedelta
from http import HTTPStatus
from math import ceil

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from common import errors
from common.errors import DomainError

STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.TooSlow, 408),
    (errors.Conflict, 409),
    (errors.Gone, 410),
    (errors.TooLarge, 413),
    (errors.NotReady, 425),
    (errors.RateLimited, 429),
    (errors.Unavailable, 503),
    (errors.StorageFull, 507),
    (errors.InvalidInput, 400),
)


def status_of(error: DomainError) -> int:
    """The HTTP status of an error on the native wire; 500 for one that no edge should ever see."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def headers_of(error: DomainError) -> dict[str, str]:
    """`Retry-After` in whole seconds for the errors that name a time, `WWW-Authenticate` for missing credentials."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": error.challenge}
    retry_after: timedelta | None = getattr(error, "retry_after", None)
    return {"Retry-After": str(ceil(retry_after.total_seconds()))} if retry_after else {}


def problem(status: int, detail: str, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An `application/problem+json` answer; `code` is stable, `detail` is for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def render(error: DomainError) -> JSONResponse:
    """The answer to a request that failed with `error`."""
    return problem(status_of(error), error.message, error.code, headers_of(error))


def install(app: FastAPI) -> None:
    """Answer every error of `app` with problem details, unless a route rendered it already."""

    async def domain(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, DomainError)
        return render(error)

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, str(error.detail), "http", dict(error.headers or {}))

    async def validation(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return problem(422, f"{where}: {first['msg']}", "invalid_input")

    app.add_exception_handler(DomainError, domain)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
