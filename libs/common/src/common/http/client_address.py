"""Gives requests that come through the gateway the address and scheme of the client."""

from collections.abc import Awaitable
from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from common.addresses import canonical

TOKEN_HEADER = "X-Gateway-Token"  # noqa: S105  (its name)


class ClientAddressMiddleware:
    """Replaces the address and scheme of the gateway in the request with those of the client.

    Only the gateway knows the token, so nobody else who reaches the service's port can claim an address. The gateway
    has judged itself which proxies in front of it are trusted, and sends one address.
    """

    def __init__(self, app: ASGIApp, *, gateway_token: str) -> None:
        self._app = app
        self._token = gateway_token.encode()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            headers = Headers(scope=scope)
            if self._is_gateways(headers):
                peer, port = scope["client"]
                scope["client"] = (canonical(headers.get("x-forwarded-for", ""), peer), port)
                scheme = headers.get("x-forwarded-proto")
                if scope["type"] == "http" and scheme in ("http", "https"):
                    scope["scheme"] = scheme
        return self._app(scope, receive, send)

    def _is_gateways(self, headers: Headers) -> bool:
        given = headers.get(TOKEN_HEADER, "").encode("latin-1")
        return bool(self._token) and compare_digest(given, self._token)
