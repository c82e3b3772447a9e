"""Errors as answers: RFC 9457 problem details on native routes, the dialect's own form on those of a dialect."""

from abc import abstractmethod
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from common.errors import DomainError, InvalidInput
from common.statuses import headers_of, status_of


def problem(status: int, detail: str, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An `application/problem+json` answer; programs may rely on `code`, while `detail` is a text for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def render(error: DomainError) -> JSONResponse:
    """The answer to a request that failed with `error`."""
    return problem(status_of(error), error.message, error.code, headers_of(error))


class DialectRoute(APIRoute):
    """A route that speaks a foreign protocol, errors included. `install` gives it those of its requests."""

    @abstractmethod
    def rendered(self, request: Request, error: DomainError) -> Response:
        """The answer to a request that failed with `error`."""

    @abstractmethod
    def wrong_method(self, detail: str) -> dict[str, Any]:
        """The body of the answer to a request without an endpoint, such as one with a wrong method."""

    def misshaped(self, request: Request, error: RequestValidationError) -> Response:
        """The answer to a request whose parameters do not fit the endpoint's declaration."""
        return self.rendered(request, InvalidInput())


def install(app: FastAPI) -> None:
    """Answer every error of `app` in the form of its route."""

    async def domain(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)
        route = request.scope.get("route")
        return route.rendered(request, error) if isinstance(route, DialectRoute) else render(error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        route = request.scope.get("route")
        if isinstance(route, DialectRoute):
            return JSONResponse(route.wrong_method(error.detail), error.status_code, error.headers)
        return problem(error.status_code, str(error.detail), "http", dict(error.headers or {}))

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        route = request.scope.get("route")
        if isinstance(route, DialectRoute):
            return route.misshaped(request, error)
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return problem(422, f"{where}: {first['msg']}", "invalid_input")

    app.add_exception_handler(DomainError, domain)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
