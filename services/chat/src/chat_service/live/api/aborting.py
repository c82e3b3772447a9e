"""Ending connections whose other side does not read.

Closing one waits until all that was written has been read, which may be never. ASGI knows no other way; the server's
own object behind `send` does.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send

KEY = "waystation.abort"

Abort = Callable[[], None]

# Linger for no time: what the system still holds for the other side is thrown away with the connection.
_AT_ONCE = struct.pack("ii", 1, 0)


class AbortMiddleware:
    """Tells the routes how to drop their connection at once. It must be the outermost, next to the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's protocols and request cycles: `send` is a method of what holds the transport.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if hasattr(transport, "abort"):
            scope[KEY] = lambda: _abort(cast("asyncio.Transport", transport))
        await self._app(scope, receive, send)


def abort_of(scope: Scope) -> Abort:
    """What drops the connection of a scope, with all that was not sent; nothing where the server has no such thing."""
    return cast("Abort", cast("dict[str, Any]", scope).get(KEY, _nothing))


def _abort(transport: asyncio.Transport) -> None:
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


def _nothing() -> None: ...
