"""The program that serves a service's application: `python -m common.http.serving MODULE:FACTORY --port 8000`.

It is uvicorn with this system's options, and with an end that fails no request. When it is told to stop, it

1. says at `/internal/health/ready` that it is about to end, and closes each connection after the answer on it;
2. serves on for `--pause` seconds, in which whoever sends requests here notices, and idle connections end; then as
   long as a request that began before goes on, `--graceful` seconds at most;
3. lets nobody connect, but still answers whoever has connected;
4. closes, and waits for requests under way once more.

Without step 3 the kernel would reset connections that were made between the last look for new ones and the close, and
a gateway must not repeat a request that it has sent already.
"""

import argparse
import asyncio
import ctypes
import os
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from common.http.server import ENDING, Protocol

SETTLING_SECONDS = 1.0
"""The time in which the connections made so far are found, and what was sent on them, after no new ones are made."""
LOOKS = 10
"""The times that it looks in that time at least, however late a busy machine lets it."""

_SO_ATTACH_FILTER = 26
_TCP_FLAGS = 13
_SYN, _ACK = 0x02, 0x10
# A program of the kernel's packet filter (linux/filter.h): code, jump if true, jump if false, operand.
_NO_NEW_CONNECTIONS = (
    (0x30, 0, 0, _TCP_FLAGS),  # load the byte of the flags
    (0x54, 0, 0, _SYN | _ACK),  # keep these two
    (0x15, 0, 1, _SYN),  # a request for a connection?
    (0x06, 0, 0, 0),  # then drop it: the client asks again, and by then hears that nobody listens
    (0x06, 0, 0, 0xFFFFFFFF),  # otherwise take it
)


@dataclass(frozen=True, slots=True)
class Ending:
    """The seconds that the steps of an end take."""

    pause: float
    graceful: int


class Server(uvicorn.Server):
    """A server that ends in the steps above. Without a pause it closes at once."""

    def __init__(self, config: uvicorn.Config, ending: Ending) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._ending.pause and not self.force_exit:
            await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        self.lifespan.state[ENDING] = True
        begun = set(self.server_state.tasks)
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):
                connection.end_after_answer()
        await asyncio.sleep(self._ending.pause)
        if begun:
            await asyncio.wait(begun, timeout=self._ending.graceful)
        for server in self.servers:
            for listener in server.sockets:
                refuse_connections(listener.fileno())
        for _ in range(LOOKS):
            await asyncio.sleep(SETTLING_SECONDS / LOOKS)


def refuse_connections(descriptor: int) -> None:
    """Let nobody connect to a listening TCP socket any more, without touching the connections that wait at it."""
    code = b"".join(struct.pack("HBBI", *step) for step in _NO_NEW_CONNECTIONS)
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HL", len(_NO_NEW_CONNECTIONS), ctypes.addressof(held))
    with socket.socket(fileno=os.dup(descriptor)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def configured(app: str, *, host: str, port: int, graceful: int) -> uvicorn.Config:
    """uvicorn's options for an application, which `module:factory` makes."""
    return uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        loop="uvloop",
        http=cast("Any", Protocol),
        # Messages by WebSocket are much shorter than this, and compression would need memory for each socket.
        ws="websockets-sansio",
        ws_max_size=256 * 1024,
        ws_per_message_deflate=False,
        # The server would believe X-Forwarded-For from every process on this machine. The service judges it.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        # The application configures the log itself.
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=graceful,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve an application.")
    parser.add_argument("app", help="module:factory")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds to serve on when told to stop")
    parser.add_argument("--graceful", type=int, default=8, help="seconds that a request may take to end")
    options = parser.parse_args()
    config = configured(options.app, host=options.host, port=options.port, graceful=options.graceful)
    server = Server(config, Ending(options.pause, options.graceful))
    # Ctrl-C is an order to stop, and the server has obeyed when it says so.
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
