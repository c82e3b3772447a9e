"""The HTTP server's side of a connection: uvicorn's, but it hands large bodies over in large blocks, and it sends the
head of an answer together with its body.

uvicorn wakes the request for every few kilobytes that it reads, and copies them three times on their way. Whatever a
request does with a block it would do for each of them. Here the bytes that arrive are gathered until there are `BLOCK`
of them, the body has ended, or `PATIENCE` is over. They are read into a buffer, so the block that the parser makes of
them is the only copy; of a sender that is fast enough, each read brings a whole block.

uvicorn writes a head as soon as it is known, so each answer costs two system calls here, and two at the gateway. Here a
head that announces a body of some length is written with the first block of it. Others, such as those of streams of
events, are written at once.
"""

import asyncio
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http import httptools_impl

from common.http.interim import EXTENSION
from common.metrics import Counter

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent

BLOCK = 256 * 1024
"""The size of a block that is worth waking the request for. No more is read until the request has taken it."""
PATIENCE = 0.005
"""The longest that bytes wait for more, in seconds."""
ENDING = "ending"
"""The name in the state of the application that is set when the process is about to end."""
RECEIVED = Counter("waystation_http_received_bytes", "Bytes of the bodies of requests.")


class _Together:
    """Stands for the transport that uvicorn writes to: several writes become one system call."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._held.append(data)

    def release(self) -> None:
        """Write what is held."""
        held, self._held = self._held, []
        if held:
            self._transport.writelines(held)

    def close(self) -> None:
        self.release()
        self._transport.close()


class _Cycle(httptools_impl.RequestResponseCycle):
    """One request with its answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._blocks: list[bytes] = []
        self._size = 0
        self._waking: asyncio.TimerHandle | None = None
        self._held: _Together | None = None
        if self.scope.get("state", {}).get(ENDING):
            self.keep_alive = False
        if self.scope["http_version"] != "1.0":
            self.scope["extensions"] = {EXTENSION: self.interim}  # pyright: ignore[reportGeneralTypeIssues]

    def interim(self, status: int, phrase: str, headers: Mapping[str, str]) -> None:
        """Write an interim answer, unless the answer has begun or the client has gone."""
        if self.response_started or self.disconnected or self.transport.is_closing():
            return
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        if any(line.splitlines()[1:] for line in lines):
            raise ValueError("a header has more than one line")
        self.transport.write("\r\n".join(lines).encode("latin-1"))

    async def send(self, message: "ASGISendEvent") -> None:
        if not self._held and (self.response_started or not _has_body(message)):
            await super().send(message)
            return
        held = self._held or _Together(self.transport)
        self._held = held if message["type"] == "http.response.start" else None
        transport, self.transport = self.transport, cast("asyncio.Transport", held)
        try:
            await super().send(message)
        finally:
            self.transport = transport
            if not self._held:
                held.release()

    def add(self, block: bytes, loop: asyncio.AbstractEventLoop) -> None:
        """Gather bytes of the body, and wake the request if they are enough."""
        self._blocks.append(block)
        self._size += len(block)
        if self._size >= BLOCK:
            self.flow.pause_reading()
            self.message_event.set()
        elif self._waking is None:
            self._waking = loop.call_later(PATIENCE, self.message_event.set)

    async def receive(self) -> "ASGIReceiveEvent":
        message = await super().receive()
        if self._waking:
            self._waking.cancel()
            self._waking = None
        RECEIVED.add(by=self._size)
        blocks, self._blocks, self._size = self._blocks, [], 0
        if message["type"] == "http.request":
            message["body"] = _joined(blocks)
        elif blocks and not self.response_complete:
            # The client broke off. The bytes that it sent come first; the next call says that it is gone.
            return {"type": "http.request", "body": _joined(blocks), "more_body": True}
        return message


def _has_body(message: "ASGISendEvent") -> bool:
    """Whether an answer begins that says how long its body is."""
    if message["type"] != "http.response.start":
        return False
    return any(name == b"content-length" and value != b"0" for name, value in message.get("headers", ()))


def _joined(blocks: list[bytes]) -> bytes:
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


class _Buffer(threading.local):
    """All connections of a thread, and so of an event loop, are read into one buffer, one after the other.

    Larger ones are slower: they do not stay in the cache. Two loops cannot share one, since both read at once.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(BLOCK))


_BUFFER = _Buffer()


class _Reader(asyncio.BufferedProtocol):
    """Stands between the transport and a connection, which then gets what was read where it lies in the buffer.

    Of an ordinary protocol's reads, uvloop makes objects of 250 KiB at most, which the parser copies once more.
    """

    def __init__(self, connection: "Protocol") -> None:
        self._connection = connection
        self._buffer = _BUFFER.view
        self.connection_lost = connection.connection_lost
        self.eof_received = connection.eof_received
        self.pause_writing = connection.pause_writing
        self.resume_writing = connection.resume_writing

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        # The parser keeps none of it: whatever it hands on, it copies.
        self._connection.data_received(self._buffer[:nbytes])


class Protocol(httptools_impl.HttpToolsProtocol):
    """One connection. Name it to uvicorn as `--http common.http.server:Protocol`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        transport.set_protocol(_Reader(self))

    def data_received(self, data: bytes | memoryview) -> None:
        super().data_received(cast("bytes", data))

    def end_after_answer(self) -> None:
        """Close the connection after an answer that has not begun yet, which then says so.

        An idle connection, or one whose answer promised to keep it, stays: a request may be on its way. The next
        answer on it says that it closes.
        """
        if self.cycle and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        assert self.parser is not None, "it has just called"
        if (self.parser.should_upgrade() and self._should_upgrade()) or self.cycle.response_complete:
            return
        assert isinstance(self.cycle, _Cycle)
        self.cycle.add(body, self.loop)


# uvicorn makes the cycle in the middle of a long method, and has no other place to name its class.
httptools_impl.RequestResponseCycle = _Cycle
