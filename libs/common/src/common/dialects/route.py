"""Routes that speak a foreign protocol, errors included."""

from abc import abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from common.errors import DomainError, InvalidInput


class DialectRoute(APIRoute):
    """A route whose every error is rendered by its dialect."""

    @abstractmethod
    def rendered(self, request: Request, error: DomainError) -> Response:
        """The answer to a request that failed with `error`."""

    @abstractmethod
    def wrong_method(self, detail: str) -> dict[str, Any]:
        """The body of the answer to a request without an endpoint, such as one with a wrong method."""

    def misshaped(self, request: Request, error: RequestValidationError) -> Response:
        """The answer to a request whose parameters do not fit the endpoint's declaration."""
        return self.rendered(request, InvalidInput())

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_and_render(request: Request) -> Response:
            try:
                return await handle(request)
            except DomainError as error:
                return self.rendered(request, error)
            except RequestValidationError as error:
                return self.misshaped(request, error)

        return handle_and_render

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().handle(scope, receive, send)
        except HTTPException as error:
            # Errors that the endpoint itself raised have been answered in `handle_and_render`.
            response = JSONResponse(self.wrong_method(error.detail), error.status_code, error.headers)
            await response(scope, receive, send)
