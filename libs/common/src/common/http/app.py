"""The FastAPI application that every service begins with."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from fastapi import FastAPI, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import logging
from common.errors import Unavailable
from common.http import openapi, problems
from common.http.client_address import ClientAddressMiddleware
from common.ids import new_id
from common.settings import GatewaySettings

VERSION = "0.1.0"

Check = Callable[[], Awaitable[None]]
Backlog = Callable[[], Awaitable[dict[str, int]]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    *,
    name: str,
    settings: GatewaySettings,
    lifespan: Lifespan,
    checks: Mapping[str, Check],
    backlog: Backlog | None = None,
    credentialed_paths: tuple[str, ...] = (),
) -> FastAPI:
    """A FastAPI application with logging, request ids, client addresses, CORS, problem details, health and OpenAPI.

    `checks`: a function for each dependency, by its name, that raises `Unavailable` if the dependency does not answer;
    the readiness probe calls them all. `backlog`: how much is waiting for the service's sweeps, by kind; operators
    read it at `/internal/backlog`. `credentialed_paths`: prefixes of paths that pages of any origin may call with
    `credentials: include`. The OpenAPI document of its native interface is at
    `/v1/openapi/<name>.json`.
    """
    logging.configure(level=settings.log_level, format=settings.log_format, service=name)
    app = FastAPI(
        title=f"Waystation {name}",
        version=VERSION,
        lifespan=lifespan,
        openapi_url=f"/v1/openapi/{name}.json",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    openapi.install(app)
    _add_health(app, checks)
    if backlog:
        _add_backlog(app, backlog)
    app.add_middleware(CrossOriginMiddleware, credentialed_paths=credentialed_paths)
    app.add_middleware(ClientAddressMiddleware, gateway_token=settings.gateway_token.get_secret_value())
    app.add_middleware(RequestIdMiddleware)
    return app


def _add_health(app: FastAPI, checks: Mapping[str, Check]) -> None:
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    async def ready(response: Response) -> dict[str, str]:
        states: dict[str, str] = {}
        for name, check in checks.items():
            try:
                await check()
                states[name] = "ok"
            except Unavailable as error:
                states[name] = error.code
                response.status_code = 503
                response.headers["Retry-After"] = "2"
        return states

    app.add_api_route("/internal/health/live", live, methods=["GET"], include_in_schema=False)
    app.add_api_route("/internal/health/ready", ready, methods=["GET"], include_in_schema=False)


def _add_backlog(app: FastAPI, backlog: Backlog) -> None:
    async def waiting() -> dict[str, int]:
        return await backlog()

    app.add_api_route("/internal/backlog", waiting, methods=["GET"], include_in_schema=False)


class CrossOriginMiddleware:
    """Lets pages of any origin call this service, and some paths also with `credentials: include`.

    Such paths must ignore credentials that browsers add by themselves, such as remembered passwords.
    """

    def __init__(self, app: ASGIApp, credentialed_paths: tuple[str, ...]) -> None:
        self._credentialed_paths = credentialed_paths
        common: dict[str, Any] = {"allow_methods": ["*"], "allow_headers": ["*"], "expose_headers": ["*"]}
        self._open = CORSMiddleware(app, allow_origins=["*"], **common)
        self._credentialed = CORSMiddleware(app, allow_origin_regex=".*", allow_credentials=True, **common)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        credentialed = scope["type"] == "http" and scope["path"].startswith(self._credentialed_paths)
        return (self._credentialed if credentialed else self._open)(scope, receive, send)


class RequestIdMiddleware:
    """Adds the gateway's request id to every log line of the request, and answers unexpected errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log = logging.get(__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = Headers(scope=scope).get("x-request-id") or new_id().hex
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                self._log.exception("request failed", method=scope["method"], route=_route(scope))
                if started:
                    raise
                body = json.dumps({"detail": "Internal Server Error"}).encode()
                headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
                await send_with_id({"type": "http.response.start", "status": 500, "headers": headers})
                await send({"type": "http.response.body", "body": body})


def _route(scope: Scope) -> str:
    """The pattern of the route for the log. The path itself may contain codes and keys."""
    return getattr(scope.get("route"), "path", "unknown")
