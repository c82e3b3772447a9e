"""Calls between services: what an answer is, and what becomes of a call without one."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from common import calls as module
from common.calls import Calls, ConnectionBroken, NoAnswer
from common.errors import NotFound
from common.peers import Peers, PeerUnavailable
from deploy.local import ports

TOKEN = {"token": "the token", "expires_at": 4_000_000_000}


def answer(status: int, value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@asynccontextmanager
async def serving(answers: Callable[[str, int], bytes]) -> AsyncGenerator[tuple[str, list[str]]]:
    """A server and the requests that it got; `answers` to a path and the number of this request, then it hangs up."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            heads.append(head)
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(answers(head.split()[1], len(heads)))
            await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


@pytest.fixture
async def calls() -> AsyncGenerator[Calls]:
    calls = Calls()
    yield calls
    await calls.aclose()


async def test_an_error_is_an_answer_too(calls: Calls) -> None:
    async with serving(lambda *_: answer(404, {"code": "nothing"})) as (url, _):
        found = await calls.send("POST", url, body={"a": "ö"}, headers={"X-Own": "1"})
    assert (found.status, found.json()) == (404, {"code": "nothing"})


async def test_where_nothing_listens_there_is_no_answer(calls: Calls) -> None:
    (port,) = ports.choose(1)
    with pytest.raises(NoAnswer) as raised:
        await calls.send("GET", f"http://127.0.0.1:{port}")
    assert not isinstance(raised.value, ConnectionBroken)


async def test_a_call_waits_for_a_service_that_is_being_replaced() -> None:
    (port,) = ports.choose(1)
    patient = Calls(timedelta(seconds=20))
    call = asyncio.create_task(patient.send("GET", f"http://127.0.0.1:{port}"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(200, {}))
        writer.close()

    await asyncio.sleep(0)
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        assert (await call).status == 200
    await patient.aclose()


@pytest.mark.parametrize("broken", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"nonsense\r\n\r\n"])
async def test_an_answer_that_breaks_off_is_none(calls: Calls, broken: bytes) -> None:
    async with serving(lambda *_: broken) as (url, _):
        with pytest.raises(ConnectionBroken):
            await calls.send("POST", url)


async def test_silence_is_no_answer_and_the_call_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.2)
    reached: list[str] = []

    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        reached.append(head)
        await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        peers = Peers("upload", secret="s", auth_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(NoAnswer):
            await peers.calls.send("POST", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await peers.aclose()
        await ended.wait()
    assert len(reached) == 1


@pytest.mark.parametrize(("broken_calls", "succeeds"), [(0, True), (1, True), (2, False)])
async def test_a_call_is_repeated_once_after_a_broken_connection(broken_calls: int, succeeds: bool) -> None:
    def answers(path: str, number: int) -> bytes:
        if path == "/internal/service-tokens":
            return answer(200, TOKEN)
        return b"" if number - 1 <= broken_calls else answer(200, {"done": True})

    async with serving(answers) as (url, heads):
        peers = Peers("upload", secret="s", auth_url=url)
        call = peers.at(url).call("POST", "/internal/thing", {})
        if succeeds:
            assert await call == {"done": True}
        else:
            with pytest.raises(PeerUnavailable):
                await call
        await peers.aclose()
    assert len(heads) - 1 == min(broken_calls, 1) + 1
    assert all("authorization: bearer the token" in head.lower() for head in heads[1:])


async def test_a_refused_token_is_renewed_and_problems_are_errors() -> None:
    def answers(path: str, number: int) -> bytes:
        if path == "/internal/service-tokens":
            return answer(200, TOKEN)
        return answer(401, {}) if number == 2 else answer(404, {"code": "no_thing", "detail": "There is none."})

    async with serving(answers) as (url, heads):
        peers = Peers("upload", secret="s", auth_url=url)
        with pytest.raises(NotFound, match="There is none") as raised:
            await peers.at(url).call("GET", "/internal/thing")
        await peers.aclose()
    assert raised.value.code == "no_thing"
    assert [head.split()[1].rpartition("/")[2] for head in heads] == ["service-tokens", "thing"] * 2
