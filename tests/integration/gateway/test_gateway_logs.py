"""The gateway's log when services and the store die in mid-answer: it tells what happened, and no secret."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import gateway, ports
from deploy.local.child import Child
from deploy.local.log import Log
from tests.integration.gateway.running_gateway import (
    STORE_KINDS,
    StoreKind,
    everything_at,
    gateway_program,
    listening,
    store_at,
)

SECRET = "5ec2e7"
"""Part of everything in these requests and answers that a log must not hold."""
HEADERS = {
    "X-Share-Password": f"{SECRET}-password",
    "Authorization": f"Bearer {SECRET}-token",
    "Cookie": f"session={SECRET}-session",
    "Referer": f"http://example.org/{SECRET}-page",
    "X-Anything": f"{SECRET}-anything",
}
PATHS = {
    "a code": f"/share/select/?code={SECRET}-code",
    "a link": f"/f/{SECRET}-link.mp4",
    "a deletion key": f"/api/delete/{SECRET}-link?key={SECRET}-key",
    "a download": f"/share/download?key={SECRET}-key",
    "a ticket of a fallback": f"/file/{SECRET}-fallback",
    "a refused download": f"/share/download?key={SECRET}-refused",
    "a service that dies": f"/share/select/?code={SECRET}-dies",
    "nobody's path": f"/{SECRET}-nothing?{SECRET}",
}
LEVELS = ("WARN", "INFO", "DEBUG")
ROUTE = "X-Route: /a/{template}\r\n"
"""Each service says which of its routes the request took."""


async def die_in_mid_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Services and store in one: a download is redirected to the store, and every other answer breaks off."""
    head = await reader.readuntil(b"\r\n\r\n")
    target = head.split(b" ")[1].decode()
    if target.startswith(("/share/download", "/file/")):
        answer = (
            f'X-Store-Length: 1\r\nETag: "1"\r\nContent-Length: 0\r\nX-Store-Path: /00/11/{SECRET}?sign={SECRET}\r\n'
        )
        if target.startswith("/file/"):
            answer = answer.replace("/00/11/", "/gone/")
            answer += f"X-Store-Fallback: /internal/blobs/0?ticket={SECRET}-ticket\r\n"
        if target.endswith("refused"):
            answer = answer.replace("/00/11/", "/refused/")
    elif target.startswith("/refused/"):
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        return
    elif target.startswith("/gone/"):
        writer.transport.abort()
        return
    elif target.endswith("/socket"):
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        writer.close()
        return
    elif target.endswith("dies"):
        writer.close()
        return
    else:
        answer = f"Content-Length: 1000000\r\nSet-Cookie: session={SECRET}-session\r\n"
    writer.write(f"HTTP/1.1 200 OK\r\n{ROUTE}{answer}\r\n".encode())
    if "1000000" in answer:
        writer.write(b"x" * 1000)
    await writer.drain()
    writer.transport.abort() if "1000000" in answer else writer.close()


@asynccontextmanager
async def logging_gateway(
    folder: Path, kind: StoreKind, level: str, access: str = "off"
) -> AsyncGenerator[tuple[str, StringIO]]:
    """The URL of a gateway before such services, and its log."""
    server = await asyncio.start_server(die_in_mid_answer, "127.0.0.1", 0)
    behind, port = server.sockets[0].getsockname()[1], ports.choose(1)[0]
    store = store_at(behind) if kind == "s3" else gateway.folder(folder)
    program = gateway_program(
        folder, port, everything_at(behind), store, GATEWAY_LOG_LEVEL=level, GATEWAY_ACCESS_LOG=access
    )
    lines = StringIO()
    caddy = Child(replace(program, ready=None, noise=None), folder, Log(lines, raw_json=True), lambda: None)
    caddy.start()
    try:
        await asyncio.wait_for(listening(port), 30)
        yield f"http://127.0.0.1:{port}", lines
    finally:
        await caddy.stop()
        server.close()


@pytest.mark.parametrize("kind", STORE_KINDS)
@pytest.mark.parametrize("level", LEVELS)
async def test_no_secret_is_in_the_log_when_an_upstream_dies(tmp_path: Path, kind: StoreKind, level: str):
    async with logging_gateway(tmp_path, kind, level) as (url, lines), httpx.AsyncClient(base_url=url) as client:
        for path in PATHS.values():
            try:
                answer = await client.get(path, headers=HEADERS)
                assert answer.status_code in {404, 503}, path
            except httpx.RemoteProtocolError:
                pass
    log = lines.getvalue()
    assert "aborting with incomplete response" in log
    assert '"remote_ip":"127.0.0.1"' in log
    assert [line for line in log.splitlines() if SECRET in line] == []


async def test_the_line_about_a_503_of_the_gateway_says_why(tmp_path: Path):
    async with logging_gateway(tmp_path, "s3", "WARN", "on") as (url, lines), httpx.AsyncClient(base_url=url) as client:
        answers = [
            await client.get(path, headers=HEADERS)
            for path in (PATHS["a refused download"], PATHS["a service that dies"])
        ]
    assert [answer.status_code for answer in answers] == [503, 503]
    refused, died = accesses(lines)
    assert [answer.headers["X-Request-Id"] for answer in answers] == [refused["request_id"], died["request_id"]]
    assert (refused["reason"], refused["upstream_status"]) == ("The file cannot be read at the moment", 403)
    assert (died["reason"], died["error"]) == ("The service is not available at the moment", "EOF")
    assert SECRET not in lines.getvalue()


async def test_each_request_has_one_line_with_its_id_and_no_secret(tmp_path: Path):
    ids: list[str] = []
    async with logging_gateway(tmp_path, "s3", "WARN", "on") as (url, lines), httpx.AsyncClient(base_url=url) as client:
        for path in (PATHS["a code"], PATHS["nobody's path"], PATHS["a download"]):
            # The first answer breaks off, and the last is the store's.
            async with client.stream("GET", path, headers=HEADERS) as answer:
                ids.append(answer.headers["X-Request-Id"])
                assert "X-Route" not in answer.headers
    found = accesses(lines)
    assert [line["request_id"] for line in found] == ids
    assert [line["status"] for line in found] == [200, 404, 200]
    assert [line.get("route") for line in found] == ["/a/{template}", None, "/a/{template}"]
    assert {"duration", "size", "service", "dialect"} <= found[1].keys()
    assert {"method", "host", "client_ip"} <= found[0]["request"].keys()
    assert SECRET not in lines.getvalue()


async def test_the_line_about_a_socket_has_its_route_and_no_room(tmp_path: Path):
    socket = {"Upgrade": "websocket", "Connection": "Upgrade", "Host": "example.org"}
    async with logging_gateway(tmp_path, "s3", "WARN", "on") as (url, lines):
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        head = f"GET /v1/rooms/{SECRET}/socket HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in socket.items())
        writer.write(f"{head}\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        await reader.read()
        writer.close()
    (line,) = accesses(lines)
    assert (line["status"], line["service"], line["route"]) == (101, "chat", "/v1/rooms/{room_id}/socket")
    assert SECRET not in lines.getvalue()


def accesses(lines: StringIO) -> list[dict[str, Any]]:
    """The lines about requests."""
    log: list[dict[str, Any]] = [json.loads(line) for line in lines.getvalue().splitlines() if line.startswith("{")]
    return [line for line in log if line.get("logger", "").startswith("http.log.access")]
