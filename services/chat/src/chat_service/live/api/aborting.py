"""Dropping connections of clients that do not read, and other ways past ASGI to the server's own connection.

An ordinary close waits until the client has read everything that was written, which may never happen. ASGI offers no
other way to end a connection, but the server's own object behind `send` does.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

KEY = "waystation.abort"
SERVER_KEY = "waystation.server"

Abort = Callable[[], None]

# Linger for no time: the system discards what it still holds for the client.
_AT_ONCE = struct.pack("ii", 1, 0)


def install(app: FastAPI) -> None:
    """Give the routes of `app` a way to drop their connection at once."""
    build = app.build_middleware_stack

    def build_around() -> ASGIApp:
        return AbortMiddleware(build())

    app.build_middleware_stack = build_around


class AbortMiddleware:
    """Keeps the way to drop the connection in the scope.

    It stands next to the server, outside of the framework's own middlewares: they wrap `send`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # In uvicorn, `send` is a method of the object that holds the transport.
        scope[SERVER_KEY] = server = getattr(send, "__self__", None)
        transport = getattr(server, "transport", None)
        if hasattr(transport, "abort"):
            scope[KEY] = lambda: drop(cast("asyncio.WriteTransport", transport))
        return self._app(scope, receive, send)


def abort_of(scope: Scope) -> Abort:
    """The function that drops the connection of a scope; it does nothing under a server that has no such thing."""
    return cast("Abort", cast("dict[str, Any]", scope).get(KEY, _nothing))


def server_of(scope: Scope) -> Any:
    """The server's object for the connection of a scope; None if it is not known."""
    return cast("dict[str, Any]", scope).get(SERVER_KEY)


def drop(transport: asyncio.WriteTransport) -> None:
    """Close a connection at once, whatever was not sent yet."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        # A socket that is closed already has no number any more, which uvloop says by a `ValueError`.
        with suppress(OSError, ValueError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


def _nothing() -> None: ...
