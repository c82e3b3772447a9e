"""Measures rooms: the posts and reads per second, and the delay until very many listeners get a message."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import hiredis
from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, TCPConnector, WSMsgType

from deploy.local import credentials
from tests.bench import calls
from tests.bench.bursts import Burst, burst
from tests.bench.calls import Call, repeated, request
from tests.bench.options import Options
from tests.bench.quantities import percentile
from tests.bench.systems import Systems
from tests.bench.wire import RequestFailed

POST, READ = "room post", "room read of 100 messages"
BARE_POST, BARE_READ = "Valkey XADD", "Valkey XRANGE"
BARE = (BARE_POST, BARE_READ)
CAPACITY = 100
WARM_UP = 500
OPENING_AT_ONCE = 50
GRACE_SECONDS = 5
"""A delivery counts if it comes at most this long after the last message was sent."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The messages that very many listeners of one room received."""

    listeners: int
    messages: int
    lost: int
    """Messages that did not reach a listener in time, counted for each listener."""
    median_ms: float
    percentile_99_ms: float


def measure(systems: Systems, options: Options) -> dict[str, Any]:
    """The rounds of posts and reads, and then the deliveries of 20 messages a second."""
    return calls.run(_measure(systems, options))


async def _measure(systems: Systems, options: Options) -> dict[str, Any]:
    async with _account(systems.form.url) as account:
        rates = await _rates(systems, account, await account.room(), options)
        found = await _deliveries(account, await account.room(), options.listeners, options.listen)
    return {"rates": rates, "deliveries": found}


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


async def _rates(systems: Systems, account: _Account, room: int, options: Options) -> dict[str, list[Burst]]:
    """The rounds of posts, of reads of 100 messages, and of `XADD` and `XRANGE` sent directly to Valkey."""
    made = _requests(systems, account, room)
    valkey = "127.0.0.1", systems.stack.ports["valkey"]
    greeting = _command("AUTH", credentials.load(systems.stack.folder)["valkey"])
    found: dict[str, list[Burst]] = {name: [] for name in made}
    for number in range(options.rounds + 1):
        for name, sent in made.items():
            turns = iter(range(options.calls // options.rounds if number else WARM_UP))
            if name in BARE:
                taken = await burst(None, valkey, _resp(sent), turns, greeting=greeting)
            else:
                taken = await burst(systems.tree, systems.form.address, repeated(sent), turns)
            if number:
                found[name].append(taken)
    return found


def _requests(systems: Systems, account: _Account, room: int) -> dict[str, bytes]:
    text = "a message of a usual length, which says a little"
    path, host = f"/v1/rooms/{room}/messages", urlsplit(systems.form.url).netloc
    headers = {"Authorization": f"Bearer {account.token}"}
    posted = json.dumps({"text": text}).encode()
    key = f"bench:{secrets.token_hex(6)}"
    body = json.dumps({"author": secrets.token_hex(16), "name": "somebody", "text": text})
    return {
        POST: request("POST", path, host, {**headers, "Content-Type": "application/json"}, posted),
        READ: request("GET", path, host, headers),
        BARE_POST: _command("XADD", key, "MAXLEN", str(CAPACITY), "*", "body", body),
        BARE_READ: _command("XRANGE", key, "-", "+"),
    }


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
    lost = listeners * expected - len(delays)
    return Deliveries(listeners, expected, lost, percentile(delays, 0.5) * 1000, percentile(delays, 0.99) * 1000)


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
