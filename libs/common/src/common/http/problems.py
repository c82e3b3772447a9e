"""Errors of the native API as RFC 9457 problem details. A dialect renders the same errors in its own envelope."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from common.errors import DomainError
from common.statuses import headers_of, status_of


def problem(status: int, detail: str, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An `application/problem+json` answer; programs may rely on `code`, while `detail` is a text for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def render(error: DomainError) -> JSONResponse:
    """The answer to a request that failed with `error`."""
    return problem(status_of(error), error.message, error.code, headers_of(error))


def install(app: FastAPI) -> None:
    """Answer every error of `app` with problem details, unless its route has rendered it."""

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
