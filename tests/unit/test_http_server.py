"""The HTTP server hands a body over in large blocks, and none of its bytes late or never."""

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from common.http.server import BLOCK, Protocol

READ = 16 * 1024
"""The bytes that one read of the socket brings."""


class Transport(asyncio.Transport):
    """A connection to nobody that notes whether it is being read."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None: ...

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Server:
    """One connection, whose request puts what it receives into `messages` whenever `receiving` is released."""

    def __init__(self, length: int) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.receiving = asyncio.Semaphore(0)
        self.transport = Transport()
        config = Config(self._app, http=Protocol, log_config=None, lifespan="off", interface="asgi3")
        self.protocol = Protocol(config, ServerState(), {})
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode())

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, send
        while True:
            await self.receiving.acquire()
            self.messages.put_nowait(await receive())

    async def next(self) -> Message:
        self.receiving.release()
        return await asyncio.wait_for(self.messages.get(), 10)


async def test_a_large_body_comes_in_large_blocks_and_no_more_is_read_than_one() -> None:
    server, body = Server(2 * BLOCK + 1), bytes(range(256)) * (BLOCK // 128) + b"."
    parts = [body[at : at + READ] for at in range(0, len(body), READ)]
    for part in parts[: BLOCK // READ]:
        assert server.transport.is_read
        server.protocol.data_received(part)
    assert not server.transport.is_read

    first = await server.next()
    assert server.transport.is_read
    for part in parts[BLOCK // READ :]:
        server.protocol.data_received(part)
    second = await server.next()

    assert first["body"] + second["body"] == body
    assert (len(first["body"]), first["more_body"], second["more_body"]) == (BLOCK, True, False)


async def test_a_few_bytes_do_not_wait_for_more() -> None:
    server = Server(10)
    server.protocol.data_received(b"first")

    first = await server.next()
    server.protocol.data_received(b"last")

    assert (first["body"], (await server.next())["body"]) == (b"first", b"last")


async def test_what_a_client_sent_before_it_broke_off_is_handed_over_first() -> None:
    server = Server(10)
    server.protocol.data_received(b"first")
    server.protocol.connection_lost(None)

    first, second = await server.next(), await server.next()

    assert (first["body"], first["more_body"]) == (b"first", True)
    assert second["type"] == "http.disconnect"


async def test_a_body_that_ends_is_handed_over_at_once() -> None:
    server = Server(5)
    server.protocol.data_received(b"whole")

    assert await server.next() == {"type": "http.request", "body": b"whole", "more_body": False}
