"""Fetches while processes are killed: what is stored is not fetched again, and there is one file and one share."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession
from psycopg.conninfo import make_conninfo

from deploy.local import credentials, postgres
from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE, downed, kill
from tests.e2e.rooms import Person, clients, somebody
from tests.integration.running_remote import Remote, Request, remote

MIB = 1024 * 1024
PART_SIZE = 16 * MIB
SIZE = 2 * PART_SIZE + MIB


@pytest.fixture
async def http(stack: StartedStack) -> AsyncGenerator[ClientSession]:
    async with clients(stack.url) as http:
        yield http


@pytest.fixture
async def owner(http: ClientSession) -> Person:
    return await somebody(http)


class Slow:
    """A server whose first answer hardly goes on after a part and a little more, until it may."""

    def __init__(self) -> None:
        self.data = secrets.token_bytes(MIB) * (SIZE // MIB - 1) + secrets.token_bytes(MIB)
        self.goes_on, self.asked = asyncio.Event(), 0

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        asked = request.headers.get("range", "bytes=0-")
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        status = f"206 Partial Content\r\nContent-Range: bytes {start}-{SIZE - 1}/{SIZE}" if start else "200 OK"
        writer.write(f'HTTP/1.1 {status}\r\nETag: "1"\r\nContent-Length: {SIZE - start}\r\n\r\n'.encode())
        if self.asked == 1:
            writer.write(self.data[: PART_SIZE + MIB])
            start = PART_SIZE + MIB
            while not self.goes_on.is_set():
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.write(self.data[start : start + 1])
                start += 1
        writer.write(self.data[start:])


async def ask(owner: Person, server: Remote) -> str:
    return (await owner.ask("POST", "/v1/fetches", 202, url=server.url("/a.bin")))["id"]


async def until(owner: Person, fetch_id: str, **expected: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            fetch = await owner.ask("GET", f"/v1/fetches/{fetch_id}", 200)
            if all(fetch[name] == value for name, value in expected.items()):
                return fetch
            assert fetch["state"] != "failed", fetch
            await asyncio.sleep(0.1)


async def halfway(owner: Person, server: Remote) -> str:
    """A fetch whose first part is stored while its worker waits for more of the second."""
    fetch_id = await ask(owner, server)
    async with asyncio.timeout(PATIENCE):
        while (await owner.ask("GET", f"/v1/fetches/{fetch_id}", 200))["bytes_done"] < PART_SIZE + MIB:
            await asyncio.sleep(0.05)
    return fetch_id


async def there_is_one(owner: Person, fetch_id: str, data: bytes) -> None:
    """One file, identical, and its share."""
    done = await until(owner, fetch_id, state="done")
    (file,) = (await owner.ask("GET", "/v1/files", 200))["files"]
    assert file["id"] == done["file_id"]
    headers = {"Authorization": f"Bearer {owner.token}"}
    async with owner.http.get(f"/v1/files/{file['id']}/content", headers=headers) as answer:
        assert await answer.read() == data
    async with owner.http.get(f"/f/{done['code']}") as answer:
        assert await answer.read() == data
    assert [share["code"] for share in (await owner.ask("GET", "/v1/shares", 200))["shares"]] == [done["code"]]


def claims_run_out(stack: StartedStack) -> None:
    """As after the time that a claim lasts."""
    admin = postgres.admin_url(stack.ports["postgres"], credentials.load(stack.folder)["postgres_admin"])
    url = make_conninfo(admin, dbname="upload")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("update fetch_job set lease_until = now() where lease_until is not null")
        connection.execute("update part set lease_until = now() where stored_at is null")


async def test_another_worker_goes_on_where_a_killed_one_was(stack: StartedStack, owner: Person) -> None:
    slow = Slow()
    async with remote(slow) as server:
        fetch_id = await halfway(owner, server)
        await kill(stack, "worker")
        await asyncio.wait_for(server.left.wait(), 10)
        await asyncio.to_thread(claims_run_out, stack)
        await there_is_one(owner, fetch_id, slow.data)
    assert [request.headers.get("range") for request in server.requests] == [None, f"bytes={PART_SIZE}-"]
    assert server.requests[1].headers["if-range"] == '"1"'


async def test_a_worker_that_is_told_to_end_is_followed_by_another(stack: StartedStack, owner: Person) -> None:
    slow = Slow()
    async with remote(slow) as server:
        fetch_id = await halfway(owner, server)
        killed = stack.kill("worker", 15)
        await asyncio.to_thread(stack.wait_restarted, "worker", killed)
        await there_is_one(owner, fetch_id, slow.data)
    assert [request.headers.get("range") for request in server.requests] == [None, f"bytes={PART_SIZE}-"]


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param("postgres", marks=pytest.mark.long),
        "valkey",
        pytest.param("share", marks=pytest.mark.long),
        "upload",
    ],
)
async def test_what_is_away_for_a_moment_is_waited_for(stack: StartedStack, owner: Person, victim: str) -> None:
    slow = Slow()
    async with remote(slow) as server:
        fetch_id = await halfway(owner, server)
        async with downed(stack, victim):
            slow.goes_on.set()
            await asyncio.sleep(1)
        await owner.ask("GET", f"/v1/fetches/{fetch_id}", 200)
        await asyncio.to_thread(claims_run_out, stack)
        await there_is_one(owner, fetch_id, slow.data)


async def test_what_is_canceled_ends_at_the_remote_server_too(stack: StartedStack, owner: Person) -> None:
    async with remote(Slow()) as server:
        fetch_id = await halfway(owner, server)
        await owner.ask("DELETE", f"/v1/fetches/{fetch_id}", 204)
        await asyncio.wait_for(server.left.wait(), 10)
    assert (await until(owner, fetch_id, state="canceled"))["code"] is None
    assert (await owner.ask("GET", "/v1/files", 200))["files"] == []
