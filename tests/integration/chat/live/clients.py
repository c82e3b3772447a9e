"""Clients of the live API: WebSockets and event streams, with everything that they received."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from deploy.local import ports
from tests.integration.chat.running import ChatService, Someone

WAIT_SECONDS = 30


def ticket_of(someone: Someone, room: int) -> str:
    answer = someone.client.post(f"/v1/rooms/{room}/tickets")
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["expires_in"] == 30
    return answer.json()["ticket"]


def address(url: str, room: int | str, after: str | None = None) -> str:
    return f"ws{url.removeprefix('http')}/v1/rooms/{room}/socket" + (f"?after={after}" if after else "")


class Socket:
    """A WebSocket, with all events that it received."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[dict[str, Any]] = []

    async def next(self, *types: str) -> dict[str, Any]:
        """The next event of these types. Others are kept in `heard` too."""
        while True:
            begin = len(self.heard)
            async with asyncio.timeout(WAIT_SECONDS):
                self.heard += json.loads(await self.connection.recv())
            for event in self.heard[begin:]:
                if not types or event["type"] in types:
                    return event

    async def until(self, text: str) -> list[str]:
        while text not in self.texts:
            await self.next()
        return self.texts

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.heard if event["type"] == "message"]

    @property
    def last_id(self) -> str:
        return [event["id"] for event in self.heard if event.get("id")][-1]

    async def send(self, **event: Any) -> None:
        await self.connection.send(json.dumps(event))

    async def end(self) -> int | None:
        """The code that the server closes it with."""
        async with asyncio.timeout(WAIT_SECONDS):
            with suppress(ConnectionClosed):
                while True:
                    self.heard += json.loads(await self.connection.recv())
        return self.connection.close_code


@asynccontextmanager
async def opened(
    url: str, room: int | str, someone: Someone | None = None, after: str | None = None, **options: Any
) -> AsyncGenerator[Socket]:
    """A socket that is signed in by the header, or not at all without a person."""
    headers = {"Authorization": f"Bearer {someone.person.token}"} if someone else {}
    async with connect(
        address(url, room, after), additional_headers=headers, compression=None, proxy=None, **options
    ) as connection:
        yield Socket(connection)


@asynccontextmanager
async def listening(url: str, room: int, someone: Someone, after: str | None = None) -> AsyncGenerator[Socket]:
    """A socket that has received its first event, the roster, and from then on receives all others."""
    async with opened(url, room, someone, after) as made:
        await made.next("presence")
        yield made


class Stream:
    """An event stream, with all events that it received."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.heard: list[dict[str, Any]] = []
        self.last_id: str | None = None
        self.end: dict[str, Any] | None = None
        self._lines = answer.aiter_lines()

    async def records(self) -> AsyncIterator[str]:
        """The types of events, as they come."""
        kind = "message"
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "event":
                kind = value
            elif name == "data" and kind == "end":
                self.end = json.loads(value)
            elif name == "data":
                events = json.loads(value)
                self.heard += events
                for event in events:
                    yield event["type"]

    async def until(self, text: str) -> list[str]:
        async with asyncio.timeout(WAIT_SECONDS):
            async for _ in self.records():
                if text in self.texts:
                    break
        return self.texts

    async def to_the_end(self) -> dict[str, Any] | None:
        async with asyncio.timeout(WAIT_SECONDS):
            async for _ in self.records():
                pass
        return self.end

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.heard if event["type"] == "message"]


@asynccontextmanager
async def streaming(
    url: str, room: int, someone: Someone, headers: dict[str, str] | None = None, after: str | None = None
) -> AsyncGenerator[Stream]:
    sent = {"Authorization": f"Bearer {someone.person.token}", **(headers or {})}
    parameters = {"after": after} if after else {}
    async with (
        httpx.AsyncClient(timeout=WAIT_SECONDS) as client,
        client.stream("GET", f"{url}/v1/rooms/{room}/events", headers=sent, params=parameters) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


async def say(someone: Someone, room: int, text: str) -> str:
    return await asyncio.to_thread(someone.say, room, text)


def deaf_socket(url: str, room: int, someone: Someone) -> socket.socket:
    """A connection that asks for a WebSocket and then never reads."""
    wanted = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    return _deaf(url, f"/v1/rooms/{room}/socket", someone, *wanted)


def deaf_stream(url: str, room: int, someone: Someone) -> socket.socket:
    """A connection that asks for Server-Sent Events and then never reads."""
    return _deaf(url, f"/v1/rooms/{room}/events", someone)


def _deaf(url: str, path: str, someone: Someone, *wanted: str) -> socket.socket:
    parts = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((parts.hostname, parts.port))
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {parts.netloc}",
        *wanted,
        f"Authorization: Bearer {someone.person.token}",
    )
    made.sendall("\r\n".join((*lines, "", "")).encode())
    return made


def is_cut(deaf: socket.socket) -> bool:
    """Whether the other side has dropped the connection, without reading from it."""
    return deaf.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO) not in (1, 4)


@contextmanager
def process_of_its_own(chat: ChatService) -> Generator[tuple["subprocess.Popen[bytes]", str]]:
    """A third process of the service, which can be killed, and its URL."""
    (port,) = ports.choose(1)
    settings = {
        "DATABASE_URL": chat.database_url,
        "VALKEY_URL": chat.valkey_url,
        "AUTH_URL": chat.auth.url,
        "SHARE_URL": chat.share_url,
        "SERVICE_SECRET": "the chat service's secret",
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "chat_service.app:create_app", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--no-access-log"],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{url}/internal/health/live").status_code == 200:
                    break
            assert time.monotonic() < deadline, "the process did not start"
            time.sleep(0.05)
        yield process, url
    finally:
        process.kill()
        process.wait()
