"""People who talk in rooms, and listen on real WebSockets: clients that try again and resume, as good ones do."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData, StreamReader, WSMsgType

from tests.e2e.faults import PATIENCE

PASSWORD = "a password of nobody's"
PAUSE = 0.1
"""Seconds between two attempts."""
FAILURES = (ClientError, TimeoutError, OSError)
OF_THE_MOMENT = {"presence", "typing", "reset"}
"""Types of events that nobody is told of later."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, signed in."""

    http: ClientSession
    name: str
    token: str

    async def ask(self, method: str, path: str, *expected: int, **body: object) -> Any:
        """The JSON of the first answer with one of these statuses; 503 and broken connections are tried again."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                status, answer = await self.ask_once(method, path, **body)
            except FAILURES as error:
                status, answer = 503, repr(error)
            if status in expected:
                return answer
            assert status == 503, f"{method} {path}: {status} {answer}"
            assert time.monotonic() < until, answer
            await asyncio.sleep(PAUSE)

    async def ask_once(self, method: str, path: str, **body: object) -> tuple[int, Any]:
        """The status and the JSON of the answer to these fields, or to a form with a `file`."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if "file" in body:
            form = FormData()
            form.add_field("file", body["file"], filename="a file.bin")
            sent: dict[str, Any] = {"data": form}
        else:
            sent = {"json": None if method in {"GET", "DELETE"} else body}
        async with self.http.request(method, path, headers=headers, **sent) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def open_room(self, **options: object) -> int:
        """The id of a new room."""
        made = await self.ask("POST", "/v1/rooms", 201, **{"name": f"room {secrets.token_hex(6)}", **options})
        return made["id"]

    async def join(self, room: int) -> None:
        await self.ask("POST", f"/v1/rooms/{room}/join", 200)

    async def say(self, room: int, text: str) -> str:
        """Post a message until it is acknowledged; its id. Those whose answers were lost may be there as well."""
        return (await self.ask("POST", f"/v1/rooms/{room}/messages", 201, text=text))["id"]

    async def post_file(self, room: int, content: bytes) -> dict[str, Any]:
        """Store a file and post a link to it; what the message says of it."""
        await self.ask("POST", "/api/upload/private", 200, file=content)
        share = (await self.ask("GET", "/v1/shares", 200))["shares"][0]
        message = await self.ask("POST", f"/v1/rooms/{room}/messages", 201, share_id=share["id"])
        return message["file"]

    @asynccontextmanager
    async def stream(self, room: int) -> AsyncGenerator[AsyncIterator[dict[str, str]]]:
        """The room's events as a stream: the fields of each record that has data, until the service ends it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(f"/v1/rooms/{room}/events", headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            yield _records(answer.content)

    async def messages(self, room: int) -> list[dict[str, Any]]:
        return (await self.ask("GET", f"/v1/rooms/{room}/messages", 200))["messages"]


async def _records(stream: StreamReader) -> AsyncIterator[dict[str, str]]:
    record: dict[str, str] = {}
    async for line in stream:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            record[name] = value
        else:
            if "data" in record:
                yield record
            record = {}


async def somebody(http: ClientSession) -> Person:
    """A new account."""
    name = f"somebody-{secrets.token_hex(6)}"
    stranger = Person(http, name, "")
    await stranger.ask("POST", "/v1/auth/register", 201, 409, name=name, password=PASSWORD)
    signed_in = await stranger.ask("POST", "/v1/auth/login", 200, name=name, password=PASSWORD)
    return Person(http, name, signed_in["token"])


@asynccontextmanager
async def clients(url: str) -> AsyncGenerator[ClientSession]:
    async with ClientSession(url, timeout=ClientTimeout(total=30)) as http:
        yield http


class Listener:
    """Hears a room. Whenever the socket ends it opens another one and resumes after what it heard last."""

    def __init__(self, person: Person, room: int) -> None:
        self.events: list[dict[str, Any]] = []
        """All that happened, in the order in which it came."""
        self.ends: list[int | None] = []
        """How the sockets ended: the codes they were closed with."""
        self.resets = 0
        self._person, self._room = person, room
        self._changed = asyncio.Condition()
        self._connected = 0
        self._after: str | None = None

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.events if event["type"] == "message"]

    async def until(self, happened: Callable[["Listener"], bool]) -> None:
        """Return when this is so, which is looked at whenever something is heard. Raises `TimeoutError`."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: happened(self))

    async def until_heard(self, *texts: str) -> None:
        await self.until(lambda listener: set(texts) <= set(listener.texts))

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator["Listener"]:
        """Listen for the block; it begins when the first socket hears."""
        task = asyncio.create_task(self._listen())
        try:
            await self.until(lambda listener: listener._connected > 0)
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except FAILURES:
                await self._note(end=None)
            await asyncio.sleep(PAUSE)

    async def _hear(self) -> None:
        """One socket, to its end."""
        ticket = (await self._person.ask("POST", f"/v1/rooms/{self._room}/tickets", 200, 201))["ticket"]
        after = {"after": self._after} if self._after else {}
        async with self._person.http.ws_connect(f"/v1/rooms/{self._room}/socket", params=after) as socket:
            await socket.send_json({"ticket": ticket})
            async for message in socket:
                assert message.type is WSMsgType.TEXT, message
                await self._note(frame=json.loads(message.data))
            await self._note(end=socket.close_code)

    async def _note(self, *, frame: list[dict[str, Any]] | None = None, end: int | None = None) -> None:
        async with self._changed:
            if frame is None:
                self.ends.append(end)
            else:
                self._connected += 1
                self.events += [event for event in frame if event["type"] not in OF_THE_MOMENT]
                self.resets += sum(event["type"] == "reset" for event in frame)
                for event in frame:
                    self._after = event.get("id") or event.get("last_event") or self._after
            self._changed.notify_all()
