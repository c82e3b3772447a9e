"""Calls by many connections at once, each of which waits for its answer before the next call.

The client is made of plain asyncio streams on uvloop that send requests made beforehand, because on a small machine a
slower client would measure itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import uvloop

from tests.bench.wire import RequestFailed

CONNECTIONS = 16
Address = tuple[str, int]
Call = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Headers = Mapping[str, str]
NO_HEADERS: Headers = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its head as it came, and its body."""

    head: bytes
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header, empty if there is none."""
        mark = f"\r\n{name.lower()}:".encode()
        begin = self.head.lower().find(mark)
        return "" if begin < 0 else self.head[begin + len(mark) :].partition(b"\r\n")[0].strip().decode()


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls of all connections together, and the milliseconds that each of them took."""

    seconds: float
    milliseconds: list[float]


def run(coroutine: Any) -> Any:
    """Run a client on an event loop that costs little."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


def address_of(url: str) -> Address:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def for_seconds(seconds: float) -> Iterator[int]:
    """Turns until `seconds` have passed since the first."""
    end = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < end:
        yield number
        number += 1


async def rate(at: Address, call: Call, turns: Iterator[Any], *, connections: int, greeting: bytes) -> Rate:
    """Call until no turn is left. Each connection begins with `greeting`, which a line answers."""
    milliseconds: list[float] = []

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in turns:
            begun = time.perf_counter()
            await call(reader, writer)
            milliseconds.append((time.perf_counter() - begun) * 1000)

    opened = [await asyncio.open_connection(*at) for _ in range(connections)]
    try:
        for reader, writer in opened:
            if greeting:
                writer.write(greeting)
                await reader.readuntil(b"\r\n")
        begun = time.perf_counter()
        await asyncio.gather(*(work(*connection) for connection in opened))
        return Rate(time.perf_counter() - begun, milliseconds)
    finally:
        for _, writer in opened:
            writer.close()


def request(method: str, path: str, host: str, headers: Headers = NO_HEADERS, body: bytes = b"") -> bytes:
    """A request as it is sent."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if body or method not in {"GET", "HEAD"}:
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def repeated(made: bytes) -> Call:
    """A call that sends the same request each time."""

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await exchange(reader, writer, made)

    return call


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, made: bytes) -> Answer:
    """Send a request and read its answer. Raises `RequestFailed`."""
    writer.write(made)
    head = await reader.readuntil(b"\r\n\r\n")
    answer = Answer(head)
    if head[9:10] != b"2":
        raise RequestFailed(f"{made[:60]!r}: {head.decode(errors='replace')}")
    if answer.header("transfer-encoding") == "chunked":
        return Answer(head, await _chunks(reader))
    return Answer(head, await reader.readexactly(int(answer.header("content-length") or 0)))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
