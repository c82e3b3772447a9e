"""The HTTP server hands a body over in large blocks, and none of its bytes late or never."""

import asyncio
from typing import Any

import pytest
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
        self.written: list[bytes] = []
        self.closed_after: int | None = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def bring(self, data: bytes) -> None:
        """Read bytes from the network as uvloop does it for a protocol with a buffer."""
        self.buffer()[: len(data)] = data
        assert isinstance(self.protocol, asyncio.BufferedProtocol)
        self.protocol.buffer_updated(len(data))

    def buffer(self) -> memoryview:
        assert isinstance(self.protocol, asyncio.BufferedProtocol)
        return memoryview(self.protocol.get_buffer(-1))

    def close(self) -> None:
        self.closed_after = len(self.written)

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


async def test_two_event_loops_never_read_into_one_buffer() -> None:
    """Each runs in a thread of its own, and reads while the other has not looked yet at what it read."""

    async def begin() -> Server:
        return Server(BLOCK)

    here, there = await begin(), await asyncio.to_thread(asyncio.run, begin())
    buffers = [one.transport.buffer() for one in (here, there)]
    buffers[0][:1], buffers[1][:1] = b"a", b"b"
    assert bytes(buffers[0][:1]) == b"a"


async def test_connections_that_are_read_into_one_buffer_keep_what_each_was_sent() -> None:
    first, second = Server(BLOCK), Server(BLOCK)
    first.transport.bring(b"a" * BLOCK)
    second.transport.bring(b"b" * BLOCK)

    assert [(await server.next())["body"] for server in (first, second)] == [b"a" * BLOCK, b"b" * BLOCK]


async def test_bodies_are_whole_wherever_the_bytes_of_their_requests_are_cut() -> None:
    wire = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nfirst"
    wire += b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nseco\r\n2\r\nnd\r\n0\r\n\r\n"
    bodies: asyncio.Queue[bytes] = asyncio.Queue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        body, message = b"", await receive()
        while message["more_body"]:
            body, message = body + message["body"], await receive()
        bodies.put_nowait(body + message["body"])
        await send(start(LENGTH))
        await send(block(b"body"))

    for cut in range(1, len(wire)):
        transport = Transport()
        protocol = Protocol(Config(app, log_config=None, lifespan="off", interface="asgi3"), ServerState(), {})
        protocol.connection_made(transport)
        for piece in (wire[:cut], wire[cut:]):
            transport.bring(piece)
        assert [await asyncio.wait_for(bodies.get(), 10) for _ in range(2)] == [b"first", b"second"], cut
        protocol.connection_lost(None)


async def test_a_body_that_ends_is_handed_over_at_once() -> None:
    server = Server(5)
    server.protocol.data_received(b"whole")

    assert await server.next() == {"type": "http.request", "body": b"whole", "more_body": False}


Answer = list[Message | None]
"""What an application sends; None: it waits."""
OK: Message = {"type": "http.response.start", "status": 200}


def start(*headers: tuple[bytes, bytes]) -> Message:
    return {**OK, "headers": list(headers)}


def block(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


LENGTH, CLOSE = (b"content-length", b"4"), (b"connection", b"close")
ANSWERS: dict[str, tuple[str, Answer, list[bytes]]] = {
    "at once": ("GET", [start(LENGTH), block(b"body")], [b"\r\n\r\nbody"]),
    "in blocks": ("GET", [start(LENGTH), block(b"bo", more=True), block(b"dy")], [b"\r\n\r\nbo", b"dy"]),
    "late": ("GET", [start(LENGTH), None, block(b"body")], [b"\r\n\r\nbody"]),
    "of no length": ("GET", [start(), None, block(b"body")], [b"\r\n\r\n", b"4\r\nbody\r\n0\r\n\r\n"]),
    "empty": ("GET", [start((b"content-length", b"0")), block(b"")], [b"\r\n\r\n", b""]),
    "to HEAD": ("HEAD", [start(LENGTH), block(b"")], [b"\r\n\r\n"]),
    "the last": ("GET", [start(LENGTH, CLOSE), block(b"body")], [b"\r\n\r\nbody"]),
    "the last, to HEAD": ("HEAD", [start(LENGTH, CLOSE), block(b"")], [b"\r\n\r\n"]),
}


@pytest.mark.parametrize(("method", "answer", "ends"), ANSWERS.values(), ids=ANSWERS)
async def test_a_head_is_written_together_with_the_first_block_that_it_announces(
    method: str, answer: Answer, ends: list[bytes]
) -> None:
    waits, goes_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        for message in answer:
            if message:
                await send(message)
            else:
                waits.set()
                await goes_on.wait()
        done.set()

    transport = Transport()
    config = Config(app, http=Protocol, log_config=None, lifespan="off", interface="asgi3")
    protocol = Protocol(config, ServerState(), {})
    protocol.connection_made(transport)
    protocol.data_received(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    if None in answer:
        await asyncio.wait_for(waits.wait(), 10)
        # A stream of events begins with its head.
        assert len(transport.written) == len(ends) - 1
        goes_on.set()
    await asyncio.wait_for(done.wait(), 10)
    assert len(transport.written) == len(ends)
    assert all(written.endswith(end) for written, end in zip(transport.written, ends, strict=True))
    is_last = any(message and CLOSE in message.get("headers", ()) for message in answer)
    assert transport.closed_after == (len(ends) if is_last else None)
