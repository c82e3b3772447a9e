"""Small servers that a test controls fully, for everything that a stranger's web server may do."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from common.addresses import parse_networks
from common.cancelling import cancel
from common.outbound.client import Outbound

Respond = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


STALL = 0.3
"""Seconds without a byte after which the client of a test gives up."""
PATIENCE = 30
"""The same in a test that is not about giving up: no busy machine takes that long."""
REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Request:
    target: str
    """Path and query, as they came."""
    headers: Mapping[str, str]
    """By names in lower case."""


@dataclass(slots=True)
class Remote:
    respond: Respond
    """Handles a request; tests may replace it."""
    host: str
    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has closed a connection before its answer ended."""

    def url(self, path: str = "/", *, host: str = "", scheme: str = "http") -> str:
        return f"{scheme}://{host or self.host}:{self.port}{path}"


def handled(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> asyncio.Task[None]:
    """Serve a connection in a task, and end it with the task, also with one that is cancelled before it begins."""
    task = asyncio.create_task(serve(reader, writer))
    task.add_done_callback(lambda _: writer.transport.abort())
    return task


@asynccontextmanager
async def remote(
    respond: Respond, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Remote]:
    """A server whose answers, and their ends, are up to `respond`."""
    running = Remote(respond, host)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            request = Request(head[0].split(" ")[1], {name.lower(): value for name, value in headers.items()})
            running.requests.append(request)
            await running.respond(request, writer)
            await writer.drain()
        except OSError:
            running.left.set()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = handled(serve, reader, writer)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, host, port, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        await cancel(*tasks)
        await server.wait_closed()


def answers(status: str, headers: str = "", body: bytes = b"") -> Respond:
    """Always this answer: status line and header lines, each of which ends with a newline; then the end."""

    async def respond(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\n{headers}\n".replace("\n", "\r\n").encode() + body)

    return respond


def redirects(location: str, status: str = "302 Found") -> Respond:
    return answers(status, f"Location: {location}\nContent-Length: 0\n")


def forever(beginning: bytes, block: bytes, pause: float = 0) -> Respond:
    """An answer that has no end: `beginning` once, then `block` after `block`."""

    async def respond(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(pause)

    return respond


async def silence(_: Request, __: asyncio.StreamWriter) -> None:
    """No answer at all."""
    await asyncio.Event().wait()


class Names(AbstractResolver):
    """A name service that gives its answers one after the other, then always the last."""

    def __init__(self, **answers: list[list[str]]) -> None:
        """The successive answers by name, with `_` for a dot."""
        self._answers = {name.replace("_", "."): addresses for name, addresses in answers.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError("no such name")
        answers = self._answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def opened(
    allowed: str = "", names: Names | None = None, stall_seconds: float = STALL
) -> AsyncGenerator[Outbound]:
    """A client that may connect to the `allowed` networks."""
    outbound = Outbound(
        allowed=parse_networks(allowed), stall_seconds=stall_seconds, redirects=REDIRECTS, resolver=names
    )
    await outbound.open()
    try:
        yield outbound
    finally:
        await outbound.close()


async def fetched(outbound: Outbound, url: str) -> bytes:
    """The whole content at `url`."""
    async with outbound.get(url) as answer:
        return b"".join([block async for block in answer.blocks()])
