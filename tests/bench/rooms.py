"""Measures rooms: the posts and reads per second, and the delay until very many listeners get a message."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import hiredis
from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, TCPConnector, WSMsgType

from deploy.local import credentials
from deploy.local.stack import RunningStack
from tests.bench.wire import RequestFailed

CONNECTIONS = 16
CAPACITY = 100
WARM_UP = 500
OPENING_AT_ONCE = 50
GRACE_SECONDS = 5
"""A delivery counts if it comes at most this long after the last message was sent."""

Call = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls per second, by 16 connections that each wait for the answer to a call before the next."""

    posts: float
    reads: float
    """Reads of 100 messages each."""
    bare_posts: float
    """`XADD` with a length of 100, sent directly to Valkey."""
    bare_reads: float
    """`XRANGE` of 100 messages, sent directly to Valkey."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The messages that very many listeners of one room received."""

    listeners: int
    messages: int
    lost: int
    """Messages that did not reach a listener in time, counted for each listener."""
    median_ms: float
    percentile_99_ms: float


def measure(stack: RunningStack, *, calls: int, listeners: int, seconds: int) -> dict[str, Any]:
    """Measure `calls` calls of each kind, and then deliveries of 20 messages a second for `seconds`."""
    return asyncio.run(_measure(stack, calls, listeners, seconds))


async def _measure(stack: RunningStack, calls: int, listeners: int, seconds: int) -> dict[str, Any]:
    async with _account(stack.url) as account:
        room = await account.room()
        rates = await _rates(stack, account, room, calls)
        found = await _deliveries(account, await account.room(), listeners, seconds) if listeners else None
    return {**asdict(rates), "hearing": asdict(found) if found else None}


class _Account:
    """An account with its connections, which is a member of the rooms that it creates."""

    def __init__(self, http: ClientSession, token: str) -> None:
        self.http, self.token = http, token

    async def room(self) -> int:
        asked = {"name": f"bench-{secrets.token_hex(6)}", "is_private": True, "password": "none", "capacity": CAPACITY}
        async with self.http.post("/v1/rooms", json=asked) as answer:
            return (await _answered(answer.status, await answer.text()))["id"]

    async def post(self, room: int, text: str) -> None:
        async with self.http.post(f"/v1/rooms/{room}/messages", json={"text": text}) as answer:
            await _answered(answer.status, await answer.text())

    def listen(self, room: int) -> Awaitable[ClientWebSocketResponse]:
        return self.http.ws_connect(f"/v1/rooms/{room}/socket", compress=0, max_msg_size=0, heartbeat=None)


@asynccontextmanager
async def _account(url: str) -> AsyncGenerator[_Account]:
    """An account that exists for the block."""
    asked = {"name": f"bench-{secrets.token_hex(8)}", "password": secrets.token_hex(16)}
    timeout = ClientTimeout(total=None, sock_connect=60)
    async with ClientSession(url, timeout=timeout) as http, http.post("/v1/auth/register", json=asked) as answer:
        token = (await _answered(answer.status, await answer.text()))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession(url, timeout=timeout, headers=headers, connector=TCPConnector(limit=0)) as http:
        yield _Account(http, token)
        await http.delete("/v1/account", json={"password": asked["password"]})


async def _answered(status: int, text: str) -> Any:
    if status >= 300:
        raise RequestFailed(f"{status} {text[:200]}")
    return json.loads(text)


async def _rates(stack: RunningStack, account: _Account, room: int, calls: int) -> Rates:
    gateway = urlsplit(stack.url)
    valkey = "127.0.0.1", stack.ports["valkey"]
    password = credentials.load(stack.folder)["valkey"]
    text = "a message of a usual length, which says a little"
    path = f"/v1/rooms/{room}/messages"
    post = _request("POST", path, gateway.netloc, account.token, json.dumps({"text": text}).encode())
    read = _request("GET", path, gateway.netloc, account.token)
    key = f"bench:{secrets.token_hex(6)}"
    body = json.dumps({"author": secrets.token_hex(16), "name": "somebody", "text": text})
    add = _command("XADD", key, "MAXLEN", str(CAPACITY), "*", "body", body)
    at = gateway.hostname or "", gateway.port or 80
    posts = await _per_second(at, _http(post), calls)
    reads = await _per_second(at, _http(read), calls)
    greeting = _command("AUTH", password)
    bare_posts = await _per_second(valkey, _resp(add), calls, greeting)
    bare_reads = await _per_second(valkey, _resp(_command("XRANGE", key, "-", "+")), calls, greeting)
    return Rates(posts, reads, bare_posts, bare_reads)


async def _per_second(at: tuple[str, int], call: Call, calls: int, greeting: bytes = b"") -> float:
    """The calls per second of all connections together, measured after some calls to warm up."""
    left = iter(range(calls))

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in left:
            await call(reader, writer)

    opened = [await asyncio.open_connection(*at) for _ in range(CONNECTIONS)]
    try:
        for reader, writer in opened:
            if greeting:
                writer.write(greeting)
                await reader.readuntil(b"\r\n")
        for _ in range(WARM_UP // CONNECTIONS):
            await asyncio.gather(*(call(*connection) for connection in opened))
        begun = time.perf_counter()
        await asyncio.gather(*(work(*connection) for connection in opened))
        return calls / (time.perf_counter() - begun)
    finally:
        for _, writer in opened:
            writer.close()


def _request(method: str, path: str, host: str, token: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def _http(request: bytes) -> Call:
    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if head[9:10] != b"2":
            raise RequestFailed(head.decode(errors="replace"))
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)

    return call


def _command(*parts: str) -> bytes:
    return f"*{len(parts)}\r\n".encode() + b"".join(f"${len(p.encode())}\r\n{p}\r\n".encode() for p in parts)


def _resp(command: bytes) -> Call:
    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(command)
        parser = hiredis.Reader()
        while (answer := parser.gets()) is False:
            parser.feed(await reader.read(64 * 1024))
        if isinstance(answer, hiredis.HiredisError):
            raise RequestFailed(str(answer))

    return call


async def _deliveries(account: _Account, room: int, listeners: int, seconds: int) -> Deliveries:
    delays: list[float] = []
    expected = seconds * 20
    gate = asyncio.Semaphore(OPENING_AT_ONCE)
    ready: list[ClientWebSocketResponse] = []

    async def open_one() -> None:
        async with gate:
            ready.append(await account.listen(room))

    await asyncio.gather(*(open_one() for _ in range(listeners)))
    tasks = [asyncio.create_task(_receive(socket, delays, expected)) for socket in ready]
    await asyncio.sleep(1)
    begun = time.perf_counter()
    for number in range(expected):
        await asyncio.sleep(max(0.0, begun + number / 20 - time.perf_counter()))
        await account.post(room, f"sent {time.perf_counter()}")
    await asyncio.wait(tasks, timeout=GRACE_SECONDS)
    for task in tasks:
        task.cancel()
    for socket in ready:
        with suppress(ConnectionError):
            await socket.close()
    delays.sort()
    lost = listeners * expected - len(delays)
    return Deliveries(listeners, expected, lost, _at(delays, 0.5) * 1000, _at(delays, 0.99) * 1000)


async def _receive(socket: ClientWebSocketResponse, delays: list[float], expected: int) -> None:
    """Record the delay of each message until all have arrived."""
    received = 0
    async for frame in socket:
        if frame.type is not WSMsgType.TEXT:
            return
        now = time.perf_counter()
        for sent in _sent(frame.data):
            delays.append(now - sent)
            received += 1
        if received >= expected:
            return


@lru_cache(maxsize=4096)
def _sent(frame: str) -> tuple[float, ...]:
    """The times at which the messages of a frame were sent. Cached, because all listeners get the same few frames."""
    texts = [event["text"] for event in json.loads(frame) if event["type"] == "message"]
    return tuple(float(text.removeprefix("sent ")) for text in texts if text.startswith("sent "))


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
