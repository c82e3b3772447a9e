"""The gateway between clients and what stays open: WebSockets, and streams of events."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import (
    ClientPayloadError,
    ClientSession,
    ClientWebSocketResponse,
    WSMessage,
    WSMsgType,
    WSServerHandshakeError,
    web,
)

from deploy.local import ports
from deploy.local.child import Child
from tests.integration.gateway.running_gateway import ROUTE, everything_at, gateway_program, running, store_at

SOCKET, EVENTS = "/v1/rooms/1/socket", "/v1/rooms/1/events"
TOLD = {"X-Route": ROUTE}
SECONDS = 10
"""How long anything may take here that is not meant to."""


@dataclass
class Live:
    """A service with a socket that says everything back and a stream that says when it is told to."""

    seen: Mapping[str, str] = field(default_factory=dict[str, str])
    """The headers of the last request."""
    event: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A client has gone."""
    closed_with: int | None = None
    """The code a socket's client, or whoever spoke for it, gave."""

    async def socket(self, request: web.Request) -> web.StreamResponse:
        self.seen = request.headers.copy()
        if "refuse" in request.query:
            return web.json_response({"detail": "not a member"}, status=403, headers=TOLD)
        socket = web.WebSocketResponse(protocols=("ticket.second", "ticket.first"))
        socket.headers.update(TOLD)
        await socket.prepare(request)
        try:
            async for message in socket:
                if message.data == "close":
                    await socket.close(code=4029, message=b"a flood")
                else:
                    await socket.send_str(message.data)
            return socket
        finally:
            self.closed_with = socket.close_code
            self.left.set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        self.seen = request.headers.copy()
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", **TOLD})
        await stream.prepare(request)
        try:
            while True:
                await stream.write(await self.event.get())
        finally:
            self.left.set()


async def healthy(_: web.Request) -> web.Response:
    return web.Response()


@dataclass
class Door:
    """A gateway, whatever it is, before such a service."""

    url: str
    caddy: Child
    live: Live
    runner: web.AppRunner
    http: ClientSession


@asynccontextmanager
async def open_door(data: Path, **environment: str) -> AsyncGenerator[Door]:
    gateway_port, service_port = ports.choose(2)
    live = Live()
    app = web.Application()
    app.add_routes([web.get(SOCKET, live.socket), web.get(EVENTS, live.events)])
    app.add_routes([web.get("/health", healthy)])
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", service_port).start()
    program = gateway_program(data, gateway_port, everything_at(service_port), store_at(1), **environment)
    try:
        async with running(program, data) as caddy, ClientSession(f"http://127.0.0.1:{gateway_port}") as http:
            yield Door(f"127.0.0.1:{gateway_port}", caddy, live, runner, http)
    finally:
        # A connection that nobody reads would be kept until what is written to it is sent.
        for connection in runner.server.connections if runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncGenerator[Door]:
    async with open_door(tmp_path) as door:
        yield door


async def echo(socket: ClientWebSocketResponse, text: str) -> str:
    await socket.send_str(text)
    return await socket.receive_str(timeout=SECONDS)


async def end_of(socket: ClientWebSocketResponse) -> WSMessage:
    """How the socket ended: what came last."""
    async with asyncio.timeout(SECONDS):
        while (message := await socket.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR}:
            pass
    return message


async def test_a_socket_passes_both_ways_as_it_is(door: Door):
    claimed = {"X-Forwarded-For": "1.2.3.4", "X-Request-Id": "mine"}
    async with door.http.ws_connect(f"{SOCKET}?after=1-0", protocols=["ticket.first"], headers=claimed) as socket:
        assert socket.protocol == "ticket.first"
        assert await echo(socket, "a message") == "a message"
        assert await echo(socket, "x" * 100_000) == "x" * 100_000
    assert door.live.seen["X-Forwarded-For"] == "127.0.0.1"
    assert door.live.seen["Host"] == door.url
    assert door.live.seen["X-Request-Id"] != "mine"


async def test_a_refusal_to_open_a_socket_is_passed_on(door: Door):
    with pytest.raises(WSServerHandshakeError) as refused:
        await door.http.ws_connect(f"{SOCKET}?refuse")
    assert refused.value.status == 403
    assert "X-Route" not in (refused.value.headers or {})


async def test_why_a_socket_was_closed_reaches_the_other_side(door: Door):
    async with door.http.ws_connect(SOCKET) as socket:
        await socket.send_str("close")
        closing = await end_of(socket)
        assert (closing.type, closing.data, closing.extra) == (WSMsgType.CLOSE, 4029, "a flood")
    door.live.left.clear()
    async with door.http.ws_connect(SOCKET) as socket:
        await socket.close(code=4000)
    await asyncio.wait_for(door.live.left.wait(), SECONDS)
    assert door.live.closed_with == 4000


async def test_an_event_arrives_when_it_happens(door: Door):
    async with door.http.get(EVENTS) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert "X-Route" not in stream.headers
        for event in (b"data: []\n\n", b"data: [1]\n\n"):
            await door.live.event.put(event)
            assert await asyncio.wait_for(stream.content.readexactly(len(event)), SECONDS) == event


@pytest.mark.parametrize("path", [SOCKET, EVENTS])
async def test_the_service_hears_at_once_that_a_client_has_gone(door: Door, path: str):
    """Without writing to it, which may be minutes away in a quiet room."""
    reader, writer = await asyncio.open_connection(*door.url.split(":"))
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    wanted = upgrade + key if path == SOCKET else ""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {door.url}\r\n{wanted}\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    await asyncio.wait_for(door.live.left.wait(), SECONDS)


async def test_silence_does_not_end_what_is_open(tmp_path: Path):
    """A stream stays open although it is silent for longer than a connection may be idle between two requests."""
    async with (
        open_door(tmp_path, GATEWAY_IDLE_TIMEOUT="300ms") as door,
        door.http.ws_connect(SOCKET) as socket,
        door.http.get(EVENTS) as stream,
    ):
        for _ in range(3):
            reader, writer = await asyncio.open_connection(*door.url.split(":"))
            writer.write(f"GET /health HTTP/1.1\r\nHost: {door.url}\r\n\r\n".encode())
            assert (await asyncio.wait_for(reader.read(), SECONDS)).startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert await echo(socket, "still there") == "still there"
        await door.live.event.put(b"data: []\n\n")
        assert await asyncio.wait_for(stream.content.readline(), SECONDS) == b"data: []\n"


async def test_a_gateway_that_stops_closes_sockets_properly_and_does_not_wait_for_streams(door: Door):
    async with door.http.ws_connect(SOCKET) as socket, door.http.get(EVENTS) as stream:
        assert await echo(socket, "x") == "x"
        begun = time.monotonic()
        stopping = asyncio.create_task(door.caddy.stop())
        closing = await end_of(socket)
        # 1001: going away. A client takes it for a reason to connect again.
        assert (closing.type, closing.data) == (WSMsgType.CLOSE, 1001)
        await asyncio.wait_for(door.live.left.wait(), SECONDS)
        # The service is told 1001 as well, unless the client's own answer to it, which is 1000, passes through first.
        assert door.live.closed_with in {1000, 1001}
        async with asyncio.timeout(SECONDS):
            with pytest.raises(ClientPayloadError):
                await stream.content.read()
        await stopping
        assert time.monotonic() - begun < SECONDS


async def test_sockets_of_a_service_that_dies_end_with_it(door: Door):
    async with door.http.ws_connect(SOCKET) as socket, door.http.ws_connect(SOCKET) as other:
        assert await echo(socket, "x") == await echo(other, "x") == "x"
        assert door.runner.server is not None
        for connection in door.runner.server.connections:
            assert connection.transport is not None
            connection.transport.abort()
        for ended in (await end_of(socket), await end_of(other)):
            assert ended.type in {WSMsgType.CLOSED, WSMsgType.ERROR} or ended.data == 1006
