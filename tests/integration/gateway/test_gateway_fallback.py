"""The gateway when the store fails: the same download, from what the upload service has of a mirror."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.local import gateway, ports
from tests.integration.gateway.running_gateway import (
    CONTENT,
    DECIDED,
    STORE_KINDS,
    TAG,
    Door,
    Service,
    gateway_program,
    listening,
    open_door,
    running,
    store_at,
)

FALLBACK = "/internal/blobs/0123?ticket=1.ab"
ARCHIVE = "/internal/archives/0123/4567?ticket=1.ab"
DOWNLOAD = "/share/download?object"
MISSING = "/share/download?nothing"
OURS = {"content-length", "date", "x-request-id"}


class Mirroring(Service):
    """Serves `CONTENT` as the upload service does when it has it from a mirror."""

    asked: list[tuple[str, str, dict[str, str]]]
    serves = 200
    is_hasty = False
    """Whether it answers without waiting for a request's body."""

    def _discard_body(self) -> int:
        if not self.is_hasty:
            return super()._discard_body()
        self.close_connection = True
        return 0

    def do_GET(self) -> None:  # noqa: N802
        if not self.path.startswith(("/internal/blobs/", "/internal/archives/")):
            self._answer()
            return
        self.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        headers = {"Repr-Digest": "sha-256=:mine:", "Content-Type": "text/html", "X-Store-Path": "/x", "ETag": '"none"'}
        asked = self.headers.get("Range")
        if self.serves != 200:
            self._send(self.serves, {**headers, "Content-Range": "bytes */1"}, b'{"secret": "of ours"}')
        elif asked:
            start, end = (int(number) for number in asked.removeprefix("bytes=").split("-"))
            content_range = {"Content-Range": f"bytes {start}-{end}/{len(CONTENT)}"}
            self._send(206, {**headers, **content_range}, CONTENT[start : end + 1])
        else:
            self._send(200, headers, CONTENT)

    do_HEAD = do_GET  # noqa: N815


@pytest.fixture(scope="module", params=STORE_KINDS)
async def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Door]:
    async with open_door(tmp_path_factory.mktemp("gateway"), request.param, Mirroring) as door:
        yield door


@pytest.fixture(autouse=True)
def service(door: Door) -> Iterator[type[Mirroring]]:
    service = door.service
    assert issubclass(service, Mirroring)
    service.asked, service.serves, service.is_hasty = [], 200, False
    service.extra = {"X-Store-Fallback": FALLBACK}
    yield service
    service.extra = {}


@asynccontextmanager
async def through(door: Door, folder: Path, store: Mapping[str, str]) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of another gateway, with another store."""
    port = ports.choose(1)[0]
    program = replace(gateway_program(folder, port, door.service_ports, store, GATEWAY_STORE_TIMEOUT="1s"), ready=None)
    async with running(program, folder), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=40) as client:
        await listening(port)
        yield client


@pytest.fixture
async def client(door: Door) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, timeout=30) as client:
        yield client


def is_the_download(answer: httpx.Response) -> None:
    """Nothing shows where it came from."""
    for name, value in DECIDED.items():
        assert answer.headers.get_list(name) == [value], name
    assert not [name for name in answer.headers if name.startswith(("x-store", "server", "via"))]
    assert FALLBACK not in str(answer.headers)


def is_unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert set(answer.json()) == {"detail"}
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.headers) <= OURS | {"content-type", "retry-after", "cache-control"}, answer.headers


async def test_what_the_store_has_is_never_asked_of_a_mirror(
    client: httpx.AsyncClient, service: type[Mirroring]
) -> None:
    answer = await client.get(DOWNLOAD)
    assert answer.content == CONTENT
    is_the_download(answer)
    assert (await client.get(DOWNLOAD, headers={"Range": "bytes=999999-"})).status_code == 416
    assert (await client.get(DOWNLOAD, headers={"If-Match": '"other"'})).status_code == 412
    assert service.asked == []


async def test_what_the_store_has_lost_comes_from_a_mirror(client: httpx.AsyncClient, service: type[Mirroring]) -> None:
    secret = {"Authorization": "Bearer mine", "Cookie": "a=b", "Accept": "text/html"}
    answer = await client.get(MISSING, headers=secret)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    is_the_download(answer)
    [(method, path, headers)] = service.asked
    assert (method, path) == ("GET", FALLBACK)
    assert not {"authorization", "cookie"} & set(headers)
    assert headers["x-request-id"] == answer.headers["x-request-id"]


async def test_parts_and_heads_come_from_a_mirror_too(client: httpx.AsyncClient, service: type[Mirroring]) -> None:
    part = await client.get(MISSING, headers={"Range": "bytes=2-9"})
    assert (part.status_code, part.content) == (206, CONTENT[2:10])
    assert part.headers["content-range"] == f"bytes 2-9/{len(CONTENT)}"
    is_the_download(part)
    head = await client.head(MISSING)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(CONTENT)))
    is_the_download(head)
    beyond = await client.get(MISSING, headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
    assert beyond.json() == {"detail": "Requested Range Not Satisfiable"}
    assert "repr-digest" not in beyond.headers
    assert [method for method, _, _ in service.asked] == ["GET", "HEAD"]


@pytest.mark.parametrize("validator", ['"some"', 'W/"some"', "Sat, 21 Nov 2020 21:21:21 GMT"])
async def test_a_part_of_what_may_be_something_else_is_the_whole(client: httpx.AsyncClient, validator: str) -> None:
    answer = await client.get(MISSING, headers={"Range": "bytes=2-9", "If-Range": validator})
    assert (answer.status_code, answer.content) == (200, CONTENT)
    is_the_download(answer)


@pytest.mark.parametrize("validator", [None, TAG])
async def test_a_mirror_sends_no_more_than_the_range_that_the_service_allows(
    client: httpx.AsyncClient, service: type[Mirroring], validator: str | None
) -> None:
    service.extra["X-Store-Range"] = "bytes=2-9"
    answer = await client.get(MISSING, headers={"Range": "bytes=0-"} | ({"If-Range": validator} if validator else {}))
    assert (answer.status_code, answer.content) == (206, CONTENT[2:10])
    is_the_download(answer)
    other = await client.get(MISSING, headers={"Range": "bytes=2-9", "If-Range": '"other"'})
    assert (other.status_code, other.json()) == (412, {"detail": "Precondition Failed"})


async def test_the_conditions_of_a_request_do_not_depend_on_who_has_the_content(
    client: httpx.AsyncClient, service: type[Mirroring]
) -> None:
    assert (await client.get(MISSING, headers={"If-None-Match": TAG})).status_code == 304
    assert (await client.get(MISSING, headers={"If-Match": '"other"'})).status_code == 412
    assert service.asked == []
    part = await client.get(MISSING, headers={"Range": "bytes=2-9", "If-Range": TAG})
    assert (part.status_code, part.content) == (206, CONTENT[2:10])
    is_the_download(part)
    assert not [name for _, _, headers in service.asked for name in headers if name.startswith("if-")]


@pytest.mark.parametrize("name", ["folder", "loop", "..", ".hidden", "UPPER", "object%2f..%2fobject", "../ff/object"])
async def test_only_a_blob_is_taken_from_a_folder(door: Door, client: httpx.AsyncClient, name: str) -> None:
    if door.store.child is not None:
        pytest.skip("a server has no folder")
    objects = Path(door.store.settings["STORE_FOLDER"]) / "objects" / "0a" / "ff"
    if not (objects / "folder").exists():
        (objects / "folder").mkdir()
        for file in (objects / "folder" / "index.html", objects / ".hidden", objects / "UPPER"):
            file.write_text("not a blob")
        (objects / "loop").symlink_to("loop")
    answer = await client.get(f"/share/download?{name}")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    is_the_download(answer)


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_what_no_mirror_has_either_is_503_without_a_trace_of_the_download(
    client: httpx.AsyncClient, service: type[Mirroring], status: int
) -> None:
    service.serves = status
    is_unavailable(await client.get(MISSING))
    head = await client.head(MISSING)
    assert (head.status_code, head.headers["retry-after"]) == (503, "5")
    assert not {"repr-digest", "content-disposition"} & set(head.headers)
    assert len(service.asked) == 2


async def test_an_archive_is_asked_of_the_upload_service_alone(
    client: httpx.AsyncClient, service: type[Mirroring]
) -> None:
    service.extra = {"X-Store-Fallback": ARCHIVE}
    for asked, status, length in (
        ({}, 200, len(CONTENT)),
        ({"Range": "bytes=2-9", "If-Range": TAG}, 206, 8),
        ({"Range": "bytes=2-9", "If-Range": '"x"'}, 200, len(CONTENT)),
    ):
        answer = await client.get(DOWNLOAD, headers=asked)
        assert (answer.status_code, len(answer.content)) == (status, length)
        is_the_download(answer)
    assert {path for _, path, _ in service.asked} == {ARCHIVE}
    assert len(service.asked) == 3
    # The gateway judges conditions and ranges itself.
    assert (await client.get(DOWNLOAD, headers={"If-None-Match": TAG})).status_code == 304
    assert (await client.get(DOWNLOAD, headers={"Range": "bytes=999999-"})).status_code == 416
    assert len(service.asked) == 3
    for status in (404, 409, 503):
        service.serves = status
        is_unavailable(await client.get(DOWNLOAD))
    for path in (ARCHIVE, f"/{ARCHIVE}", "/c/../internal/archives/1/2"):
        answer = await client.get(path)
        assert answer.status_code == 404 or answer.json().get("service") is None, path
    assert len(service.asked) == 6


async def test_what_no_mirror_has_is_not_asked_for(client: httpx.AsyncClient, service: type[Mirroring]) -> None:
    service.extra = {"X-Store-Fallback": "http://elsewhere.example/"}
    is_unavailable(await client.get(MISSING))
    service.extra = {}
    is_unavailable(await client.get(MISSING))
    assert service.asked == []


async def test_clients_cannot_ask_a_mirror_themselves(client: httpx.AsyncClient, service: type[Mirroring]) -> None:
    for path in (FALLBACK, "/internal/../internal/blobs/1", "//internal/blobs/1", "/%69nternal/blobs/1"):
        answer = await client.get(path, headers={"X-Store-Fallback": FALLBACK})
        assert answer.status_code == 404 or answer.json().get("service") is None, path
    service.extra = {}
    smuggled = {"X-Store-Fallback": FALLBACK, "X-Store-Path": "/files/object"}
    is_unavailable(await client.get(MISSING, headers=smuggled))
    seen = (await client.get("/health", headers=smuggled)).json()["headers"]
    assert not [name for name in seen if name.lower().startswith("x-store")]
    assert service.asked == []


async def test_a_store_that_is_away_is_made_good_by_a_mirror(
    door: Door, service: type[Mirroring], tmp_path: Path
) -> None:
    away = gateway.folder(tmp_path / "away") if door.store.child is None else store_at(ports.choose(1)[0])
    async with through(door, tmp_path, away) as client:
        # The gateway waits for a store that may only have been started again: so all at once.
        ranges = ({}, {"Range": "bytes=2-9"}, {"Range": "bytes=2-9", "If-Range": '"x"'})
        answers = await asyncio.gather(*(client.get(DOWNLOAD, headers=asked) for asked in ranges))
        assert [answer.content for answer in answers] == [CONTENT, CONTENT[2:10], CONTENT]
        for answer in answers:
            is_the_download(answer)
        service.serves = 503
        is_unavailable(await client.get(DOWNLOAD))


async def test_a_store_that_hangs_is_asked_once_in_a_while(
    door: Door, service: type[Mirroring], tmp_path: Path
) -> None:
    if door.store.child is None:
        pytest.skip("a folder does not answer")
    asked, ended = 0, asyncio.Event()

    async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        await ended.wait()
        writer.transport.abort()

    server = await asyncio.start_server(store, "127.0.0.1", 0)
    async with server:
        async with through(door, tmp_path, store_at(server.sockets[0].getsockname()[1])) as client:
            for asks in ({}, {"Range": "bytes=2-9"}, {}):
                answer = await client.get(DOWNLOAD, headers=asks)
                assert answer.content == (CONTENT[2:10] if asks else CONTENT)
                is_the_download(answer)
            assert asked == 1
            # Without a mirror there is nobody else to ask.
            service.extra = {}
            is_unavailable(await client.get(DOWNLOAD))
            assert asked > 1
        ended.set()


@pytest.mark.parametrize(
    ("length", "rest"), [(b"Transfer-Encoding: chunked", b"zz\r\n"), (b"Content-Length: 9", b"ab")]
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_no_client_makes_the_store_count_as_away(
    door: Door, service: type[Mirroring], tmp_path: Path, method: bytes, length: bytes, rest: bytes
) -> None:
    """A body that ends badly, once the service has answered and the store is asked, is the client's fault."""
    if door.store.child is None:
        pytest.skip("a folder gets no body")
    service.is_hasty = True
    asked, asking = 0, asyncio.Event()

    async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        asked += 1
        asking.set()
        if b"content-length:" in head or b"transfer-encoding:" in head:
            await reader.read()
        content = b"" if head.startswith(b"head") else CONTENT
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(CONTENT) + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(store, "127.0.0.1", 0)
    async with server, through(door, tmp_path, store_at(server.sockets[0].getsockname()[1])) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(method + b" " + DOWNLOAD.encode() + b" HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n\r\n")
        await asyncio.wait_for(asking.wait(), 10)
        writer.write(rest)
        writer.write_eof()
        await reader.read()
        writer.close()
        answer = await client.get(DOWNLOAD)
    assert (answer.content, asked, service.asked) == (CONTENT, 2, [])


@pytest.mark.parametrize("behaviour", ["fails", "cuts", "hangs"])
async def test_a_store_that_answers_badly_or_never_is_made_good_by_a_mirror(
    door: Door, service: type[Mirroring], tmp_path: Path, behaviour: str
) -> None:
    if door.store.child is None:
        pytest.skip("a folder does not answer")
    ended = asyncio.Event()

    async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if behaviour == "fails":
            writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\nServer: x\r\n\r\n<xml>")
            await writer.drain()
        elif behaviour == "hangs":
            await ended.wait()
        writer.transport.abort() if behaviour == "cuts" else writer.close()

    server = await asyncio.start_server(store, "127.0.0.1", 0)
    async with server:
        async with through(door, tmp_path, store_at(server.sockets[0].getsockname()[1])) as client:
            answer = await client.get(DOWNLOAD)
        ended.set()
    assert (answer.status_code, answer.content) == (200, CONTENT)
    is_the_download(answer)
