"""Measures a room of very many different accounts: their arrival, messages to all of them, and joining them.

The accounts are put into the databases, each with an API key: registering a thousand would take longer than everything
that is measured, and is measured elsewhere.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, TCPConnector, WSMsgType

from common.ids import new_id
from deploy.local import credentials, postgres
from deploy.local.stack import RunningStack
from tests.bench import calls
from tests.bench.options import Options
from tests.bench.quantities import percentile
from tests.bench.systems import Systems
from tests.bench.trees import Taken, timed
from tests.bench.wire import RequestFailed

A_SECOND = 20
JOINS = 40
OPENING_AT_ONCE = 50
QUIET_SECONDS = 6
"""The longest that events about those who come wait, and a little more."""


@dataclass(frozen=True, slots=True)
class Someone:
    """An account with an API key."""

    id: UUID
    name: str
    key: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{self.key}:{self.token}".encode()).decode()}


@dataclass(frozen=True, slots=True)
class Crowd:
    """A room of many different accounts, each with a socket."""

    accounts: int
    frames: int
    """The frames that all received while they came."""
    megabytes: float
    arrivals: Taken
    joins: int
    joining: Taken
    """The cost of accounts that join by an invitation while all others listen."""
    messages: int
    lost: int
    median_ms: float
    percentile_99_ms: float


def measure(systems: Systems, options: Options) -> Crowd:
    return calls.run(_measure(systems, options))


async def _measure(systems: Systems, options: Options) -> Crowd:
    people = add_accounts(systems.stack, options.listeners + JOINS)
    try:
        return await _of(people, systems, options)
    finally:
        remove_accounts(systems.stack, people)


async def _of(people: Sequence[Someone], systems: Systems, options: Options) -> Crowd:
    present, others = people[: options.listeners], people[options.listeners :]
    async with _room(systems, present) as (http, room), AsyncExitStack() as opened:
        crowd = _Sockets(http, room)
        opened.push_async_callback(crowd.close)
        with timed(systems.tree) as arrivals:
            await crowd.open(present)
            await asyncio.sleep(QUIET_SECONDS)
        frames, size = crowd.frames, crowd.size
        delays = await _deliver(http, room, present, crowd, options.listen)
        path = f"/v1/rooms/{room}"
        key = {"invitation": (await _ask(http, f"{path}/invitations", present[0], {}))["token"]}
        for one in others:
            # Their credentials are known when they join, as those of people who have been here for a moment.
            async with http.get("/v1/rooms/mine", headers=one.headers) as answer:
                await answer.read()
        with timed(systems.tree) as joining:
            for one in others:
                await _ask(http, f"{path}/join", one, key)
        sent = options.listen * A_SECOND
        return Crowd(
            accounts=len(present),
            frames=frames,
            megabytes=size / 1e6,
            arrivals=arrivals,
            joins=len(others),
            joining=joining,
            messages=sent,
            lost=sent * len(present) - len(delays),
            median_ms=percentile(delays, 0.5) * 1000,
            percentile_99_ms=percentile(delays, 0.99) * 1000,
        )


class _Sockets:
    """The sockets of a crowd, with what they hear."""

    def __init__(self, http: ClientSession, room: int) -> None:
        self.frames = self.size = 0
        self.delays: list[float] = []
        self._http, self._room = http, room
        self._tasks: list[asyncio.Task[None]] = []
        self._sockets: list[ClientWebSocketResponse] = []
        self._known: dict[str, list[float]] = {}

    async def open(self, people: Sequence[Someone]) -> None:
        gate = asyncio.Semaphore(OPENING_AT_ONCE)

        async def one(someone: Someone) -> None:
            async with gate:
                path = f"/v1/rooms/{self._room}/socket"
                socket = await self._http.ws_connect(path, headers=someone.headers, compress=0, max_msg_size=0)
            self._sockets.append(socket)
            self._tasks.append(asyncio.create_task(self._hear(socket)))

        await asyncio.gather(*(one(someone) for someone in people))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(each.close() for each in self._sockets), return_exceptions=True)

    async def _hear(self, socket: ClientWebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                now = time.perf_counter()
                self.frames += 1
                self.size += len(frame.data)
                self.delays += [now - sent for sent in self._sent(frame.data)]

    def _sent(self, frame: str) -> list[float]:
        """The times at which the messages of a frame were sent, which all others hear in the same frame."""
        if frame not in self._known:
            texts = [event.get("text", "") for event in json.loads(frame)]
            self._known[frame] = [float(text.removeprefix("sent ")) for text in texts if text.startswith("sent ")]
        return self._known[frame]


async def _deliver(
    http: ClientSession, room: int, people: Sequence[Someone], crowd: _Sockets, seconds: int
) -> list[float]:
    crowd.delays = []
    begun = time.perf_counter()
    for number in range(seconds * A_SECOND):
        await asyncio.sleep(max(0.0, begun + number / A_SECOND - time.perf_counter()))
        text = f"sent {time.perf_counter()}"
        await _ask(http, f"/v1/rooms/{room}/messages", people[number % len(people)], {"text": text})
    await asyncio.sleep(QUIET_SECONDS / 2)
    return crowd.delays


@asynccontextmanager
async def _room(systems: Systems, people: Sequence[Someone]) -> AsyncGenerator[tuple[ClientSession, int]]:
    """A private room of these accounts, which exists for the block."""
    timeout = ClientTimeout(total=None, sock_connect=60)
    async with ClientSession(systems.form.url, timeout=timeout, connector=TCPConnector(limit=0)) as http:
        asked = {"name": f"bench-{secrets.token_hex(6)}", "is_private": True}
        room = (await _ask(http, "/v1/rooms", people[0], asked))["id"]
        _add_members(systems.stack, room, people[1:])
        try:
            yield http, room
        finally:
            async with http.delete(f"/v1/rooms/{room}", headers=people[0].headers):
                pass


async def _ask(http: ClientSession, path: str, someone: Someone, body: dict[str, Any]) -> Any:
    async with http.post(path, json=body, headers=someone.headers) as answer:
        text = await answer.text()
        if answer.status >= 300:
            raise RequestFailed(f"{path}: {answer.status} {text[:200]}")
        return json.loads(text)


def add_accounts(stack: RunningStack, number: int) -> list[Someone]:
    """Accounts that nobody registered, and that no password opens."""
    now = datetime.now(UTC)
    made = [
        Someone(uuid4(), f"bench{secrets.token_hex(8)}", secrets.token_hex(16), secrets.token_hex(16))
        for _ in range(number)
    ]
    with _database(stack, "auth") as connection, connection.cursor() as cursor:
        columns = "id, name, name_key, name_skeleton, password_hash, role, created_at"
        with cursor.copy(f"copy account ({columns}) from stdin".encode()) as copy:
            for one in made:
                copy.write_row((one.id, one.name, one.name, one.name, "none", "user", now))
        columns = "id, account_id, name, key_digest, token_digest, hint, created_at"
        with cursor.copy(f"copy api_key ({columns}) from stdin".encode()) as copy:
            for one in made:
                key, token = (hashlib.sha256(secret.encode()).digest() for secret in (one.key, one.token))
                copy.write_row((new_id(), one.id, "bench", key, token, "", now))
    return made


def _add_members(stack: RunningStack, room: int, people: Sequence[Someone]) -> None:
    columns = "room_id, account_id, role, joined_at"
    with (
        _database(stack, "chat") as connection,
        connection.cursor() as cursor,
        cursor.copy(f"copy member ({columns}) from stdin".encode()) as copy,
    ):
        for one in people:
            copy.write_row((room, one.id, "member", datetime.now(UTC)))


def remove_accounts(stack: RunningStack, people: Sequence[Someone]) -> None:
    with _database(stack, "auth") as connection:
        connection.execute("delete from account where id = any(%s)", [[one.id for one in people]])


def _database(stack: RunningStack, service: str) -> psycopg.Connection:
    url = postgres.admin_url(stack.ports["postgres"], credentials.load(stack.folder)["postgres_admin"])
    return psycopg.connect(url.rpartition("/")[0] + f"/{service}", autocommit=True)
