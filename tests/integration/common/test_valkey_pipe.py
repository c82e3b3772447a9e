"""One connection for the commands of many: each gets its own answer, whatever breaks."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as ValkeyTimeoutError

from common.valkey import TIMEOUT_SECONDS, Pipe


@pytest.fixture
async def pipe(valkey_url: str) -> AsyncGenerator[Pipe]:
    pipe = Pipe(valkey_url)
    yield pipe
    await pipe.close()


async def test_each_gets_the_answer_to_its_own_command(pipe: Pipe) -> None:
    answers = await asyncio.gather(*(pipe.call("ECHO", str(number) * number) for number in range(1, 200)))
    assert answers == [(str(number) * number).encode() for number in range(1, 200)]
    key = f"test:{secrets.token_hex(8)}"
    assert await pipe.call("RPUSH", key, b"\0\xff", "ö", 3) == 3
    assert await pipe.call("LRANGE", key, 0, -1) == [b"\0\xff", "ö".encode(), b"3"]
    assert await pipe.call("DEL", key) == 1
    assert await pipe.call("GET", key) is None


async def test_what_the_server_refuses_is_one_callers_error(pipe: Pipe) -> None:
    refused, echoed = await asyncio.gather(pipe.call("NONSENSE"), pipe.call("ECHO", "a"), return_exceptions=True)
    assert isinstance(refused, ResponseError)
    assert echoed == b"a"


async def test_who_stops_waiting_takes_nobody_elses_answer(pipe: Pipe) -> None:
    await pipe.call("PING")
    calls = [asyncio.create_task(pipe.call("ECHO", str(number))) for number in range(10)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers[1::2] == [str(number).encode() for number in range(1, 10, 2)]
    assert await pipe.call("ECHO", "next") == b"next"


async def test_a_lost_connection_is_made_anew(pipe: Pipe, valkey_url: str) -> None:
    number = await pipe.call("CLIENT", "ID")
    async with Redis.from_url(valkey_url) as redis:
        await redis.execute_command("CLIENT", "KILL", "ID", number)
    with suppress(ValkeyConnectionError):
        # It may not have been heard of yet.
        await pipe.call("PING")
    assert await asyncio.gather(*(pipe.call("ECHO", "a") for _ in range(10))) == [b"a"] * 10
    assert await pipe.call("CLIENT", "ID") != number


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, patience: float = TIMEOUT_SECONDS) -> AsyncGenerator[Pipe]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    pipe = Pipe(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", patience)
    yield pipe
    await pipe.close()
    server.close()


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with serving(say_nothing, 0.2) as pipe:
        answers = await asyncio.gather(*(pipe.call("PING") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, ValkeyTimeoutError) for answer in answers)


async def test_a_server_that_speaks_otherwise_or_goes_away_is_an_error() -> None:
    async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async def go_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    for serve in (speak_http, go_away):
        async with serving(serve) as pipe:
            answers = await asyncio.gather(*(pipe.call("PING") for _ in range(3)), return_exceptions=True)
        assert all(isinstance(answer, ValkeyConnectionError) for answer in answers)


async def test_nobody_there_and_a_wrong_password_are_errors(valkey_url: str) -> None:
    nobody = Pipe("redis://127.0.0.1:9/0")
    answers = await asyncio.gather(*(nobody.call("PING") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, ValkeyConnectionError) for answer in answers)
    host = valkey_url.rpartition("@")[2]
    wrong = Pipe(f"redis://:wrong@{host}")
    for _ in range(2):
        with pytest.raises(ResponseError):
            await wrong.call("PING")
