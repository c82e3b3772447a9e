"""Bodies that a client garbles or breaks off: they are the client's mistakes, and never count against a service."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import binaries, gateway, ports
from tests.integration.gateway.running_gateway import (
    everything_at,
    gateway_program,
    listening,
    proxies_in,
    running,
    store_at,
)
from tests.raw_http import RawAnswer, exchange

CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "a length that is no number": CHUNKED + b"zz\r\nabc",
    "a negative length": CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n",
    "a length too large": CHUNKED + b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "no length": CHUNKED + b"\r\nabc\r\n0\r\n\r\n",
    "a later length that is no number": CHUNKED + b"3\r\nabc\r\nzz\r\n",
    "a chunk longer than announced": CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n",
    "a malformed trailer": CHUNKED + b"3\r\nabc\r\n0\r\nno colon\r\n\r\n",
}
SHAPES = {
    "/share/file/": "detail",
    "/api/upload": "message",
    "/api/upload_file": "error",
    "/api/v1/upload": "result",
    "/v1/files": "detail",
}
"""The member of an error that holds its text, by the path of an upload in each dialect and in the native API."""
TEXT = "The body is malformed or incomplete"


async def read_and_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that answers when it has read the whole of a chunked body."""
    try:
        while b"\r\n\r\n" in await reader.readuntil(b"\r\n\r\n"):
            await reader.readuntil(b"0\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nX-Route: /a\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()


async def ask_or_refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that wants the body of `/share/file/`, and refuses that of anything else."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert b"expect:" not in head
    if b"x-body-method: post" in head:
        assert head.startswith(b"get ")
        assert b"x-body-length: 3" in head
        status = b"204 No Content\r\nX-Body-Wanted: 1" if b" /share/file/ " in head else b"413 Too Large"
        writer.write(b"HTTP/1.1 %s\r\nX-Route: /a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
    else:
        assert head.startswith(b"post ")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Route: /a\r\nContent-Length: 3\r\n\r\n" + await reader.readexactly(3))
    await writer.drain()
    writer.close()


@asynccontextmanager
async def gateway_before(
    service: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], folder: Path
) -> AsyncGenerator[int]:
    """The port of a gateway before one service."""
    server = await asyncio.start_server(service, "127.0.0.1", 0)
    service_port, port = server.sockets[0].getsockname()[1], ports.choose(1)[0]
    program = replace(gateway_program(folder, port, everything_at(service_port), store_at(1)), ready=None)
    async with server, running(program, folder):
        await listening(port)
        yield port


@pytest.fixture(scope="module")
async def port(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[int]:
    async with gateway_before(read_and_answer, tmp_path_factory.mktemp("gateway")) as port:
        yield port


@pytest.fixture(scope="module")
async def asking_port(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[int]:
    async with gateway_before(ask_or_refuse, tmp_path_factory.mktemp("asking")) as port:
        yield port


async def send(port: int, path: str, body: bytes) -> tuple[bytes, bytes]:
    """The status line and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s" % (path.encode(), body))
    head, _, answer = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    return head.partition(b"\r\n")[0], answer


@pytest.mark.parametrize("path", SHAPES)
@pytest.mark.parametrize("body", MALFORMED)
async def test_a_malformed_body_is_400_in_the_shape_of_the_dialect(port: int, path: str, body: str):
    status, answer = await send(port, path, MALFORMED[body])
    assert status == b"HTTP/1.1 400 Bad Request"
    assert json.loads(answer)[SHAPES[path]] == TEXT


async def test_a_body_that_breaks_off_is_the_clients_mistake(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /share/file/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    # The gateway's 499 says that the client is gone; which of the two it says depends on what it notices first.
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 499 "))


async def test_others_are_answered_at_once_meanwhile(port: int):
    for _ in range(5):
        malformed, proper = await asyncio.gather(
            send(port, "/share/file/", MALFORMED["a length that is no number"]),
            asyncio.wait_for(send(port, "/share/file/", CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"), 4),
        )
        assert (malformed[0], proper[0]) == (b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 200 OK")


def expecting(port: int, path: str) -> RawAnswer:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 3", "Expect: 100-continue"]
    # Nobody but the gateway says such a thing.
    head = "\r\n".join([*lines, "X-Body-Method: DELETE", "X-Body-Length: 7", "X-Body-Wanted: 1", "", ""])
    return exchange(port, head.encode(), on_continue=b"abc")


async def test_a_body_that_a_service_asks_for_is_asked_for_once(asking_port: int):
    # Caddy's own way (expect_continue_timeout) says it twice in one of twenty requests.
    for _ in range(50):
        answer = await asyncio.to_thread(expecting, asking_port, "/share/file/")
        assert (answer.interim, answer.status, answer.body) == ((100,), 200, b"abc")
        assert len(answer.header("x-request-id") or "") == 36
        assert answer.header("x-route") is None


async def test_a_body_that_a_service_refuses_is_not_asked_for(asking_port: int):
    answer = await asyncio.to_thread(expecting, asking_port, "/v1/files")
    assert (answer.interim, answer.status) == ((), 413)


@pytest.mark.parametrize("upstreams", ["fixed", "replicas"])
def test_no_error_takes_a_replica_out(upstreams: str):
    """Caddy would count the errors of clients, too. Only those of the store are remembered, if a mirror stands in."""
    adapted = subprocess.run(
        [str(binaries.caddy()), "adapt", "--config", str(gateway.CADDYFILE), "--adapter", "caddyfile"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GATEWAY_UPSTREAMS": upstreams},
        capture_output=True,
        check=True,
    )
    proxies = list(proxies_in(json.loads(adapted.stdout)))
    assert len(proxies) >= 4
    remembering = [proxy for proxy in proxies if "health_checks" in proxy]
    assert {proxy["upstreams"][0]["dial"] for proxy in remembering} == {"store:9000"}
