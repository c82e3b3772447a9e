"""Applications served over HTTP from within a test's own process."""

import asyncio
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI

from common.http.server import Protocol

TICK_SECONDS = 0.1


class _Server(uvicorn.Server):
    """A server that ends when it is told to.

    uvicorn itself looks every tenth of a second whether it was, and then gives idle connections as long to close: a
    fifth of a second for each of the many hundred servers that tests start one after the other.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Tell it, from another thread."""
        self.should_exit = True
        if self._loop:
            # It may have ended by itself.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self.server_state.tasks:
            for connection in list(self.server_state.connections):
                connection.shutdown()
            # They are gone when the loop has turned, once for the close and once for what follows from it.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for one in [*self.servers, *(sockets or [])]:
            one.close()
        await self.lifespan.shutdown()


@contextmanager
def served(app: FastAPI, listener: socket.socket | None = None) -> Generator[str]:
    """Serve `app` where `listener` listens, or on a free port, in a thread with its own event loop; yields its URL."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    sockets: dict[str, Any] = {"ws": "websockets-sansio", "ws_per_message_deflate": False}
    config = uvicorn.Config(app, http=Protocol, log_config=None, access_log=False, proxy_headers=False, **sockets)
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.end()
        thread.join(10)
        listener.close()
