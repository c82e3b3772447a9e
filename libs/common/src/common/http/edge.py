"""The one middleware of every service: it stands between the server and the routes.

Whenever a request waits, Python goes through every coroutine around the place where it waits. So there is one of them
here instead of one for each purpose.
"""

import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from hmac import compare_digest
from typing import Any

import structlog
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import logging, tracing
from common.addresses import canonical
from common.errors import Unavailable
from common.http import asking
from common.http.measuring import dialect_of, is_failure, observe
from common.ids import new_id
from common.statistics import asked_in, count

ANY_ORIGIN = "*"
TrustedOrigins = Callable[[], Awaitable[Sequence[str]]]
_EVERYTHING: dict[str, Any] = {"allow_methods": ["*"], "allow_headers": ["*"], "expose_headers": ["*"]}
TOKEN_HEADER = "X-Gateway-Token"  # noqa: S105  (its name)
ROUTE_HEADER = b"x-route"
"""The header in which an answer tells the gateway the pattern of its route, for the line in the gateway's log."""


class Edge:
    """Learns the client's address from the gateway, and adds the request id to every log line and to the answer.

    It lets pages of trusted origins call the service, and answers unexpected errors.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        gateway_token: str,
        credentialed_paths: tuple[str, ...] = (),
        trusted_origins: TrustedOrigins | None = None,
    ) -> None:
        """`trusted_origins`: tells the origins whose pages may call the service; None: those of any origin may.

        `credentialed_paths`: prefixes of paths that pages of any origin may call with `credentials: include`.

        Such paths must ignore credentials that browsers add by themselves, such as remembered passwords.
        """
        self._app = app
        self._token = gateway_token.encode()
        self._credentialed_paths = credentialed_paths
        self._trusted_origins = trusted_origins
        # They only make headers and answers; they pass no request on.
        self._open = CORSMiddleware(app, allow_origins=["*"], **_EVERYTHING)
        self._credentialed = CORSMiddleware(app, allow_origin_regex=".*", allow_credentials=True, **_EVERYTHING)
        self._log = logging.get(__name__)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        headers = Headers(scope=scope)
        is_gateways = self._is_gateways(headers)
        if is_gateways:
            _believe(scope, headers)
        if scope["type"] == "websocket":
            # Its server has given it a context of its own, which ends with it.
            structlog.contextvars.bind_contextvars(request_id=_id_of(headers))
            return self._app(scope, receive, send)
        if is_gateways and asking.is_question(headers):
            return asking.answer(self._request, scope, headers, send)
        return self._request(scope, headers, receive, send)

    async def _request(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        request_id = _id_of(headers)
        origins = await self._origins(scope, headers)
        if scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers:
            preflight = origins.preflight_response(headers)
            preflight.headers["X-Request-Id"] = request_id
            await preflight(scope, receive, send)
            return
        begun, status = time.monotonic(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] != "http.response.start":
                await send(message)
                return
            status = message["status"]
            MutableHeaders(scope=message)["X-Request-Id"] = request_id
            message["headers"].append((ROUTE_HEADER, _route(scope).encode()))
            await origins.send(message, send, headers)

        with _named(request_id), asked_in(lambda: dialect_of(scope)), _step(scope, headers) as step:
            try:
                await self._app(scope, receive, answer)
            except Exception:
                self._log.exception("request failed", method=scope["method"], route=_route(scope))
                if status:
                    raise
                await JSONResponse({"detail": "Internal Server Error"}, 500)(scope, receive, answer)
            finally:
                # A question about a body that is wanted has no answer of its own.
                _finish(step, scope, status)
                if status:
                    observe(scope["method"], _route(scope), status, time.monotonic() - begun)
                if is_failure(status) and not scope["path"].startswith("/internal/"):
                    count("failures")

    async def _origins(self, scope: Scope, headers: Headers) -> CORSMiddleware:
        """The headers for the origin of the page that calls."""
        with_credentials = scope["path"].startswith(self._credentialed_paths)
        usual = self._credentialed if with_credentials else self._open
        if self._trusted_origins is None or not _is_from_elsewhere(scope, headers):
            return usual
        try:
            trusted = await self._trusted_origins()
        except Unavailable:
            # While nobody can tell, none is trusted.
            trusted = ()
        if ANY_ORIGIN in trusted:
            return usual
        return CORSMiddleware(
            self._app, allow_origins=tuple(trusted), allow_credentials=with_credentials, **_EVERYTHING
        )

    def _is_gateways(self, headers: Headers) -> bool:
        """Whether the request comes from the gateway. Only the gateway knows the token."""
        given = headers.get(TOKEN_HEADER, "").encode("latin-1")
        return bool(self._token) and compare_digest(given, self._token)


def _id_of(headers: Headers) -> str:
    return headers.get("x-request-id") or new_id().hex


@contextmanager
def _named(request_id: str) -> Generator[None]:
    """Add the id to all log lines of the block and, if an error leaves it, to the server's line about that."""
    tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
    yield
    structlog.contextvars.reset_contextvars(**tokens)


def _step(scope: Scope, headers: Headers) -> tracing.Step:
    if not tracing.is_on():
        return tracing.NO_STEP
    carrier, request_id = headers.get(tracing.CARRIER), headers.get("x-request-id")
    told: tracing.Attributes = {"http.request.method": scope["method"]}
    return tracing.entered(scope["method"], "server", told, carrier=carrier, request_id=request_id)


def _finish(step: tracing.Step, scope: Scope, status: int) -> None:
    if step is tracing.NO_STEP:
        return
    step.rename(f"{scope['method']} {_route(scope)}")
    step.note("http.route", _route(scope))
    if status:
        step.note("http.response.status_code", status)


def _is_from_elsewhere(scope: Scope, headers: Headers) -> bool:
    """Whether a page of another origin calls."""
    origin = headers.get("origin")
    return origin is not None and origin != f"{scope['scheme']}://{headers.get('host', '')}"


def _believe(scope: Scope, headers: Headers) -> None:
    """Replace the address and scheme of the gateway with those of the client.

    The gateway has judged itself which proxies in front of it are trusted, and sends one address.
    """
    if scope.get("client"):
        peer, port = scope["client"]
        scope["client"] = (canonical(headers.get("x-forwarded-for", ""), peer), port)
    scheme = headers.get("x-forwarded-proto")
    if scope["type"] == "http" and scheme in ("http", "https"):
        scope["scheme"] = scheme


def _route(scope: Scope) -> str:
    """The pattern of the route for the log. The path itself may contain codes and keys."""
    return getattr(scope.get("route"), "path", "unknown")
