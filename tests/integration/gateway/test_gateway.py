"""The gateway between clients, services and the store: downloads, failures, and what is passed on."""

import asyncio
import hashlib
import itertools
import os
import signal
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.local import ports
from tests.integration.gateway.running_gateway import (
    CONTENT,
    DECIDED,
    MIB,
    STORE_KINDS,
    Door,
    everything_at,
    gateway_program,
    listening,
    open_door,
    running,
    serve,
    store_at,
)
from tests.through_gateway import TOKEN

OURS = {"content-length", "date", "x-request-id"}


@pytest.fixture(scope="module", params=STORE_KINDS)
async def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Door]:
    async with open_door(tmp_path_factory.mktemp("gateway"), request.param) as door:
        yield door


@pytest.fixture
async def client(door: Door) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, timeout=30) as client:
        yield client


DOWNLOAD = "/share/download?object"


async def test_a_download_has_the_stores_bytes_and_the_services_headers(client: httpx.AsyncClient):
    response = await client.get(DOWNLOAD)
    assert (response.status_code, response.content) == (200, CONTENT)
    for name, value in DECIDED.items():
        assert response.headers.get_list(name) == [value]
    assert set(response.headers) == {name.lower() for name in DECIDED} | OURS


async def test_what_an_answer_depends_on_is_the_services_word(client: httpx.AsyncClient, door: Door):
    door.service.extra = {"Vary": "Origin"}
    try:
        response = await client.get(DOWNLOAD, headers={"Accept-Encoding": "gzip"})
    finally:
        door.service.extra = {}
    assert response.headers.get_list("vary") == ["Origin"]


async def test_a_head_request_tells_the_same_without_a_body(client: httpx.AsyncClient):
    head, get = await client.head(DOWNLOAD), await client.get(DOWNLOAD)
    assert (head.status_code, head.content) == (200, b"")
    volatile = {"date", "x-request-id"}
    assert {(n, v) for n, v in head.headers.multi_items() if n not in volatile} == {
        (n, v) for n, v in get.headers.multi_items() if n not in volatile
    }


async def test_the_clients_credentials_do_not_reach_the_store(client: httpx.AsyncClient):
    # S3 refuses a request that carries two credentials, so success shows that only one arrived.
    headers = {"Authorization": "AWS4-HMAC-SHA256 nonsense", "Cookie": "a=b", "X-Amz-Security-Token": "x"}
    response = await client.get(DOWNLOAD, headers=headers)
    assert (response.status_code, response.content) == (200, CONTENT)


async def test_a_client_cannot_smuggle_a_path_of_the_store(client: httpx.AsyncClient, door: Door):
    smuggled = {"X-Store-Path": door.store.place("GET", "object"), "X-Store-Length": "1"}
    response = await client.get("/health", headers=smuggled)
    assert response.json()["path"] == "/health"
    assert not [name for name in response.json()["headers"] if name.lower().startswith("x-store")]


async def test_a_store_path_in_an_answer_that_is_no_download_stays_inside(client: httpx.AsyncClient, door: Door):
    door.service.status = 202
    try:
        response = await client.get(DOWNLOAD)
    finally:
        door.service.status = 200
    assert (response.status_code, response.content) == (202, b"")
    assert "x-store-path" not in response.headers


@pytest.mark.parametrize("key", ["nothing", "object&X-Amz-Signature=0"])
async def test_what_the_store_refuses_is_503_without_its_xml(client: httpx.AsyncClient, key: str):
    response = await client.get(f"/share/download?{key}")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json() == {"detail": "The file cannot be read at the moment"}
    assert "repr-digest" not in response.headers


async def test_the_gateway_alone_says_who_asks_and_which_request_it_is(client: httpx.AsyncClient):
    claimed = {"X-Forwarded-For": "1.2.3.4", "X-Request-Id": "mine"}
    response = await client.get("/health", headers=claimed)
    seen = {name.lower(): value for name, value in response.json()["headers"].items()}
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert response.headers.get_list("x-request-id") == [seen["x-request-id"]]
    assert seen["x-request-id"] not in {"mine", "the service's own"}
    assert seen["host"] == client.base_url.netloc.decode()
    assert not {"server", "via"} & set(response.headers)


async def test_a_store_that_is_down_is_503_and_comes_back(client: httpx.AsyncClient, door: Door):
    if door.store.child is None:
        pytest.skip("a folder has no process")
    assert door.store.child.pid is not None
    os.kill(door.store.child.pid, signal.SIGKILL)
    responses = await asyncio.gather(*(client.get(DOWNLOAD) for _ in range(5)))
    assert {response.status_code for response in responses} <= {200, 503}
    for response in responses:
        if response.status_code == 503:
            assert response.headers["retry-after"] == "5"
    await asyncio.wait_for(door.store.child.wait_ready(), 30)
    assert (await client.get(DOWNLOAD)).content == CONTENT


async def test_a_trusted_proxys_word_is_passed_on(tmp_path: Path, door: Door):
    port = ports.choose(1)[0]
    program = gateway_program(
        tmp_path, port, door.service_ports, store_at(1), GATEWAY_TRUSTED_PROXIES="10.0.0.0/8 127.0.0.1/32"
    )
    async with running(program, tmp_path), httpx.AsyncClient() as client:
        response = await client.get(f"http://127.0.0.1:{port}/health", headers={"X-Forwarded-For": "1.2.3.4"})
    assert response.json()["headers"]["X-Forwarded-For"] == "1.2.3.4"


@pytest.mark.parametrize(
    ("trusted", "claimed", "believed"),
    [
        # The client wrote 6.6.6.6, and its proxy the address that it saw.
        ("127.0.0.1/32", "6.6.6.6, 192.168.1.50", "192.168.1.50"),
        ("127.0.0.1/32", "6.6.6.6,10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1/32 192.168.1.50/32", "6.6.6.6, 192.168.1.50", "6.6.6.6"),
        ("10.0.0.0/8", "6.6.6.6", "127.0.0.1"),
        ("", "6.6.6.6, 127.0.0.1", "127.0.0.1"),
    ],
)
async def test_exactly_the_proxies_that_are_set_are_trusted(
    tmp_path: Path, door: Door, trusted: str, claimed: str, believed: str
):
    port = ports.choose(1)[0]
    program = gateway_program(tmp_path, port, door.service_ports, store_at(1), GATEWAY_TRUSTED_PROXIES=trusted)
    async with running(program, tmp_path), httpx.AsyncClient() as client:
        headers = {"X-Forwarded-For": claimed, "X-Gateway-Token": "the client's own"}
        response = await client.get(f"http://127.0.0.1:{port}/health", headers=headers)
    seen = response.json()["headers"]
    assert (seen["X-Forwarded-For"], seen["X-Gateway-Token"]) == (believed, TOKEN)
    assert "x-gateway-token" not in response.headers


async def test_slow_headers_are_cut_and_slow_bodies_are_not(tmp_path: Path, door: Door):
    port = ports.choose(1)[0]
    program = gateway_program(tmp_path, port, door.service_ports, store_at(1), GATEWAY_HEADER_TIMEOUT="500ms")
    async with running(program, tmp_path):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()

        async def slowly() -> AsyncGenerator[bytes]:
            for _ in range(4):
                await asyncio.sleep(0.4)
                yield b"x"

        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{port}/share/file/"
            response = await client.post(url, content=slowly(), headers={"Content-Length": "4"})
        assert response.json()["received"] == 4


async def test_an_answer_that_was_begun_is_not_asked_for_again(tmp_path: Path, door: Door):
    """A service that dies with a request in its hands may have acted on it."""
    asked: list[bytes] = []

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(65536))
        writer.transport.abort()

    server = await asyncio.start_server(die, "127.0.0.1", 0)
    service_port, port = server.sockets[0].getsockname()[1], ports.choose(1)[0]
    program = replace(gateway_program(tmp_path, port, everything_at(service_port), store_at(1)), ready=None)
    async with server, running(program, tmp_path), httpx.AsyncClient() as client:
        await listening(port)
        for method in ("GET", "POST"):
            response = await client.request(method, f"http://127.0.0.1:{port}/share/select/?code=1")
            assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert len(asked) == 2


async def test_a_restart_of_a_service_is_not_seen(tmp_path: Path, door: Door):
    """Nothing listens when the request comes; the service is there a second later."""
    service_port, gateway_port = ports.choose(2)
    program = replace(gateway_program(tmp_path, gateway_port, everything_at(service_port), store_at(1)), ready=None)
    async with running(program, tmp_path), httpx.AsyncClient(timeout=30) as client:
        await listening(gateway_port)
        upload = asyncio.create_task(client.post(f"http://127.0.0.1:{gateway_port}/share/file/", content=b"x" * MIB))
        await asyncio.sleep(1)
        assert not upload.done()
        with serve(service_port, door.service):
            assert (await upload).json()["received"] == MIB


async def test_a_service_and_a_store_that_stay_away_are_503(tmp_path: Path, door: Door):
    away, *gateways = ports.choose(3)

    async def answer(number: int, services: Mapping[str, int], method: str, path: str) -> httpx.Response:
        folder, port = tmp_path / str(number), gateways[number]
        folder.mkdir()
        program = replace(gateway_program(folder, port, services, store_at(away)), ready=None)
        async with running(program, folder), httpx.AsyncClient(timeout=30) as client:
            await listening(port)
            return await client.request(
                method, f"http://127.0.0.1:{port}{path}", content=b"x" if method == "POST" else b""
            )

    # Each is waited for, for some seconds.
    download, upload = await asyncio.gather(
        answer(0, door.service_ports, "GET", DOWNLOAD), answer(1, everything_at(away), "POST", "/share/file/")
    )
    assert (download.status_code, download.headers["retry-after"]) == (503, "5")
    assert download.headers["content-type"] == "application/json"
    assert "repr-digest" not in download.headers
    assert (upload.status_code, upload.headers["retry-after"]) == (503, "5")
    assert upload.json() == {"detail": "The service is not available at the moment"}


async def test_the_kernel_sends_the_files_of_a_folder(client: httpx.AsyncClient, door: Door):
    if door.store.child is not None:
        pytest.skip("a server sends its own")
    size = 64 * MIB
    await asyncio.to_thread(door.store.put, "sent", itertools.repeat(bytes(MIB), size // MIB), size)
    door.service.length = size
    try:
        for asked in ({}, {"Range": "bytes=1-"}):
            before = door.calls()
            assert len((await client.get("/share/download?sent", headers=asked)).content) >= size - 1
            # Copied in pieces of 32 KiB, it would take 4,096.
            assert door.calls() - before < 2000
    finally:
        door.service.length = len(CONTENT)


MUCH = 192
"""MiB, of which no more than a twelfth may be held."""


async def test_much_passes_both_ways_without_being_held(client: httpx.AsyncClient, door: Door):
    block = os.urandom(MIB)
    hashed = hashlib.sha256()

    async def much() -> AsyncGenerator[bytes]:
        for _ in range(MUCH):
            yield block

    before = door.memory()
    length = {"Content-Length": str(MUCH * MIB)}
    put = await client.put("/presign/upload/proxy/1", content=much(), headers=length)
    assert put.json()["received"] == MUCH * MIB
    await asyncio.to_thread(door.store.put, "large", itertools.repeat(block, MUCH), MUCH * MIB)
    highest, door.service.length = before, MUCH * MIB
    async with client.stream("GET", "/share/download?large") as response:
        async for part in response.aiter_bytes(MIB):
            hashed.update(part)
            highest = max(highest, door.memory())
    door.service.length = len(CONTENT)
    expected = hashlib.sha256()
    for _ in range(MUCH):
        expected.update(block)
    assert hashed.digest() == expected.digest()
    assert highest - before < 32 * MIB
