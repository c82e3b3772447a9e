"""WebSockets and event streams of the running service, in two processes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chat_service.live import Close
from chat_service.live.api import routes as live_api
from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat

WAIT_SECONDS = 30


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        service.another()
        yield service


@pytest.fixture
def ann(chat: ChatService) -> Someone:
    return chat.sign_up()


@pytest.fixture
def bob(chat: ChatService) -> Someone:
    return chat.sign_up()


@pytest.fixture
def room(ann: Someone, bob: Someone) -> int:
    """A private room of Ann's that Bob is in."""
    made = ann.create()
    ann.invite(made, bob)
    return made


def ticket_of(someone: Someone, room: int) -> str:
    answer = someone.client.post(f"/v1/rooms/{room}/tickets")
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["expires_in"] == 30
    return answer.json()["ticket"]


def address(url: str, room: int | str, after: str | None = None) -> str:
    return f"ws{url.removeprefix('http')}/v1/rooms/{room}/socket" + (f"?after={after}" if after else "")


class Socket:
    """A WebSocket, and all that was heard on it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[dict[str, Any]] = []

    async def next(self, *types: str) -> dict[str, Any]:
        """The next event of these types; others are kept and passed over."""
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
    """A socket of someone's, signed in by the header; by nothing where there is nobody."""
    headers = {"Authorization": f"Bearer {someone.person.token}"} if someone else {}
    async with connect(
        address(url, room, after), additional_headers=headers, compression=None, proxy=None, **options
    ) as connection:
        yield Socket(connection)


@asynccontextmanager
async def listening(url: str, room: int, someone: Someone, after: str | None = None) -> AsyncGenerator[Socket]:
    """A socket that has been told who is there, and so hears all that comes."""
    async with opened(url, room, someone, after) as made:
        await made.next("presence")
        yield made


class Stream:
    """An event stream, and all that was heard on it."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.heard: list[dict[str, Any]] = []
        self.last_id: str | None = None
        self.end: dict[str, Any] | None = None
        self._lines = answer.aiter_lines()

    async def records(self) -> AsyncIterator[str]:
        """The types of what comes, as it comes."""
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


async def test_a_message_posted_to_one_process_is_heard_on_sockets_and_streams_of_both(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    async with (
        listening(chat.urls[0], room, ann) as here,
        listening(chat.urls[1], room, bob) as there,
        streaming(chat.urls[1], room, ann) as stream,
    ):
        async for kind in stream.records():
            if kind == "presence":
                break
        message = await asyncio.to_thread(lambda: bob.post(room, "hëllo <b>").json())
        for heard in (await here.next("message"), await there.next("message")):
            assert heard == {**message, "type": "message"}
        assert await stream.until("hëllo <b>") == ["hëllo <b>"]
        assert stream.last_id == message["id"]


async def test_a_ticket_opens_one_socket_by_the_first_message(chat: ChatService, ann: Someone, room: int) -> None:
    ticket = await asyncio.to_thread(ticket_of, ann, room)
    async with opened(chat.urls[1], room) as socket:
        await socket.send(ticket=ticket)
        assert (await socket.next("presence"))["online"][0]["name"] == ann.name
    async with opened(chat.url, room) as again:
        await again.send(ticket=ticket)
        assert await again.end() == Close.UNAUTHENTICATED


async def test_a_ticket_opens_a_socket_by_its_protocol(chat: ChatService, ann: Someone, room: int) -> None:
    ticket = await asyncio.to_thread(ticket_of, ann, room)
    async with opened(chat.url, room, subprotocols=["waystation", f"ticket.{ticket}"]) as socket:
        assert socket.connection.subprotocol == "waystation"
        await socket.next("presence")


async def test_a_ticket_is_for_one_room_and_one_session(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    other = await asyncio.to_thread(ann.create)
    async with opened(chat.url, other) as socket:
        await socket.send(ticket=await asyncio.to_thread(ticket_of, ann, room))
        assert await socket.end() == Close.UNAUTHENTICATED
    ticket = await asyncio.to_thread(ticket_of, bob, room)
    assert chat.auth.url
    answer = await asyncio.to_thread(bob.person.client.post, "/v1/auth/logout")
    assert answer.status_code == 204
    async with opened(chat.url, room) as socket:
        await socket.send(ticket=ticket)
        assert await socket.end() == Close.UNAUTHENTICATED


@pytest.mark.parametrize("first", ['{"ticket": "made up"}', "{}", "no JSON", '{"ticket": 1}', "[" * 100_000])
async def test_what_is_no_ticket_opens_nothing(chat: ChatService, room: int, first: str) -> None:
    async with opened(chat.url, room) as socket:
        await socket.connection.send(first)
        assert await socket.end() == Close.UNAUTHENTICATED
    assert socket.heard == []


async def test_a_socket_that_shows_no_ticket_is_closed(
    chat: ChatService, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_api, "TICKET_SECONDS", 0.1)
    async with opened(chat.url, room) as socket:
        assert await socket.end() == Close.UNAUTHENTICATED


async def test_who_may_not_read_a_room_hears_nothing_of_it(chat: ChatService, ann: Someone, room: int) -> None:
    stranger = chat.sign_up()
    # There can be but few public rooms, so the limit of this service is lifted for tests.
    public = await asyncio.to_thread(lambda: ann.create(is_private=False))
    for number, status, code in ((room, 404, Close.NOT_FOUND), (public, 403, Close.FORBIDDEN)):
        for path in (f"/v1/rooms/{number}/events", f"/v1/rooms/{number}/tickets"):
            method = "GET" if path.endswith("events") else "POST"
            assert stranger.client.request(method, path).status_code == status
            assert (await asyncio.to_thread(httpx.request, method, chat.url + path)).status_code == 401
        async with opened(chat.url, number, stranger) as socket:
            assert await socket.end() == code
        assert socket.heard == []
    await asyncio.to_thread(ann.client.delete, f"/v1/rooms/{public}")


@pytest.mark.parametrize("number", ["0", "x", "9" * 30, "999999999999"])
async def test_a_room_that_is_not_there_is_not_found(chat: ChatService, ann: Someone, number: str) -> None:
    async with opened(chat.url, number, ann) as socket:
        assert await socket.end() == Close.NOT_FOUND


async def test_what_cannot_be_resumed_after_is_refused(chat: ChatService, ann: Someone, room: int) -> None:
    async with opened(chat.url, room, ann, after="yesterday") as socket:
        assert await socket.end() == Close.BAD_INPUT
    assert ann.client.get(f"/v1/rooms/{room}/events", params={"after": "yesterday"}).status_code == 400


async def test_a_socket_says_something(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.url, room, ann) as socket, listening(chat.urls[1], room, bob) as other:
        first = await say(bob, room, "first")
        await socket.send(type="message", text="answer", reply_to=first, nonce="n")
        posted = await socket.next("posted")
        assert posted["nonce"] == "n"
        await other.until("answer")
        heard = other.heard[-1]
        assert (heard["id"], heard["author"], heard["reply_to"]) == (posted["message_id"], str(ann.id), first)
        for sent, code in (({"text": ""}, "message_empty"), ({"text": "x" * 20_000}, "message_too_large")):
            await socket.send(type="message", **sent)
            assert (await socket.next("error"))["code"] == code
        for nonsense in ("{", "[]", '{"type":"x"}', '{"type":"message"}', '{"type":"typing","as":"Bob"}', "[" * 50_000):
            await socket.connection.send(nonsense)
            assert (await socket.next("error"))["code"] == "invalid_input"
        await socket.connection.send(b"bytes")
        assert await socket.end() == Close.BAD_INPUT


async def test_typing_is_told_once_a_second(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.url, room, ann) as socket, listening(chat.urls[1], room, bob) as other:
        for _ in range(10):
            await socket.send(type="typing")
        assert await other.next("typing") == {"type": "typing", "account_id": str(ann.id), "name": ann.name}
        await say(ann, room, "done")
        await other.until("done")
        assert sum(event["type"] == "typing" for event in other.heard) == 1


@pytest.mark.parametrize("event", [{"type": "message", "text": "flood"}, {"type": "typing"}, {"type": "nonsense"}])
async def test_a_socket_that_floods_is_closed(
    chat: ChatService, ann: Someone, bob: Someone, room: int, event: dict[str, str]
) -> None:
    async with listening(chat.urls[1], room, bob) as other, listening(chat.url, room, ann) as socket:
        with suppress(ConnectionClosed):
            for _ in range(200):
                await socket.send(**event)
        assert await socket.end() == Close.FLOOD
        await say(bob, room, "after")
        assert len(await other.until("after")) < 40


async def test_a_member_removed_while_connected_hears_nothing_more(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    async with (
        listening(chat.url, room, ann) as staying,
        listening(chat.urls[1], room, bob) as leaving,
        streaming(chat.url, room, bob) as stream,
    ):
        await say(ann, room, "before")
        await stream.until("before")
        await leaving.until("before")
        removed = await asyncio.to_thread(ann.client.delete, f"/v1/rooms/{room}/members/{bob.id}")
        assert removed.status_code == 204
        await say(ann, room, "after")
        assert await leaving.end() == Close.FORBIDDEN
        end = await stream.to_the_end()
        assert end is not None
        assert end["code"] == Close.FORBIDDEN
        await staying.until("after")
        assert leaving.texts == stream.texts == ["before"]
        assert "removed" not in [event["type"] for event in leaving.heard + stream.heard]
        assert bob.client.get(f"/v1/rooms/{room}/events").status_code in (403, 404)


async def test_a_closed_room_says_so_and_ends(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.urls[1], room, bob) as socket:
        await asyncio.to_thread(ann.client.delete, f"/v1/rooms/{room}")
        assert await socket.end() == Close.NOT_FOUND
        assert socket.heard[-1]["type"] == "closed"


async def test_a_stream_is_resumed_after_its_last_event(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    async with streaming(chat.url, room, ann) as stream:
        async for _ in stream.records():
            break
        await say(bob, room, "heard")
        await stream.until("heard")
    last_id = stream.last_id
    assert last_id is not None
    await say(bob, room, "missed")
    async with streaming(chat.urls[1], room, ann, {"Last-Event-ID": last_id}, after="1-1") as back:
        assert await back.until("missed") == ["missed"]
    async with streaming(chat.urls[1], room, ann, after=last_id) as back:
        assert await back.until("missed") == ["missed"]
    async with streaming(chat.urls[1], room, ann, after="1-1") as back:
        async for kind in back.records():
            assert kind == "reset"
            break


async def test_who_has_gone_is_heard_to_be(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.url, room, ann) as socket:
        async with streaming(chat.urls[1], room, bob) as stream:
            async for _ in stream.records():
                break
            while str(bob.id) not in json.dumps((await socket.next("presence"))["online"]):
                pass
        while str(bob.id) not in json.dumps((await socket.next("presence"))["offline"]):
            pass


def deaf_socket(url: str, room: int, someone: Someone) -> socket.socket:
    """A socket that shakes hands and then never reads."""
    parts = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((parts.hostname, parts.port))
    lines = (
        f"GET /v1/rooms/{room}/socket HTTP/1.1",
        f"Host: {parts.netloc}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Authorization: Bearer {someone.person.token}",
    )
    made.sendall("\r\n".join((*lines, "", "")).encode())
    return made


def is_cut(deaf: socket.socket) -> bool:
    """Whether the other side has dropped the connection, without reading from it."""
    return deaf.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO) not in (1, 4)


async def test_a_socket_that_never_reads_is_dropped_and_slows_nobody(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    async with listening(chat.url, room, ann) as socket:
        with closing(deaf_socket(chat.url, room, bob)) as deaf:
            while str(bob.id) not in json.dumps(socket.heard):
                await socket.next("presence")
            delays: list[float] = []
            bodies = [f"{number} {'x' * 16_000}" for number in range(900)]
            task = asyncio.create_task(socket.until(bodies[-1]))
            async with httpx.AsyncClient(base_url=chat.url, headers=dict(ann.client.headers), timeout=30) as client:
                for body in bodies:
                    begun = time.perf_counter()
                    assert (await client.post(f"/v1/rooms/{room}/messages", json={"text": body})).status_code == 201
                    delays.append(time.perf_counter() - begun)
            assert await task == bodies
            assert sorted(delays)[len(delays) // 2] < 0.2
            # Nobody but the one who does not read is gone.
            while str(bob.id) not in json.dumps([event.get("offline") for event in socket.heard]):
                await socket.next("presence")
            async with asyncio.timeout(WAIT_SECONDS):
                while not is_cut(deaf):
                    await asyncio.sleep(0.05)


async def test_two_hundred_sockets_hear_everything(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async def hear(number: int) -> list[str]:
        async with listening(chat.urls[number % 2], room, (ann, bob)[number % 2]) as made:
            ready.release()
            return await made.until("19")

    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(hear(number)) for number in range(200)]
    for _ in tasks:
        async with asyncio.timeout(WAIT_SECONDS):
            await ready.acquire()
    for number in range(20):
        await say(ann, room, str(number))
    expected = [str(number) for number in range(20)]
    assert all(texts == expected for texts in await asyncio.gather(*tasks))


@contextmanager
def process_of_its_own(chat: ChatService) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A third process of the service, which can be killed; and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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


async def test_after_a_process_was_killed_its_listeners_miss_nothing_elsewhere(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    with process_of_its_own(chat) as (process, url):
        async with listening(url, room, ann) as socket:
            await say(bob, room, "heard")
            await socket.until("heard")
            process.kill()
            await say(bob, room, "missed")
            with pytest.raises(ConnectionClosed):
                await socket.next()
        async with listening(chat.urls[1], room, ann, after=socket.last_id) as back:
            await say(bob, room, "live")
            assert await back.until("live") == ["missed", "live"]


async def test_a_process_that_is_told_to_end_does_so_at_once(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    with process_of_its_own(chat) as (process, url):
        async with listening(url, room, ann) as socket, streaming(url, room, bob) as stream:
            async for _ in stream.records():
                break
            process.send_signal(signal.SIGTERM)
            end = await stream.to_the_end()
            assert end is not None
            assert end["code"] == Close.GOING_AWAY
            assert await socket.end() == Close.GOING_AWAY
        await asyncio.to_thread(process.wait, 10)
