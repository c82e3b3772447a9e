"""Gives requests that come through a trusted proxy the address of the client."""

from collections.abc import Awaitable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from common.addresses import client_address, is_trusted, parse_networks


class ClientAddressMiddleware:
    """Replaces the address and scheme of a trusted proxy in the request with those of the client."""

    def __init__(self, app: ASGIApp, *, trusted: str) -> None:
        self._app = app
        self._trusted = parse_networks(trusted)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            peer, port = scope["client"]
            headers = Headers(scope=scope)
            forwarded = ",".join(headers.getlist("x-forwarded-for"))
            scope["client"] = (client_address(peer, forwarded, self._trusted), port)
            # The gateway overwrites this header unless it trusts the sender, so it can be trusted here.
            scheme = headers.get("x-forwarded-proto")
            if scope["type"] == "http" and scheme in ("http", "https") and is_trusted(peer, self._trusted):
                scope["scheme"] = scheme
        return self._app(scope, receive, send)
