"""The gateway with what stands behind it: a real Caddy, a real store, small services that say what they got."""

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Literal

import httpx
from minio import Minio

from deploy.local import gateway, juicefs, ports
from deploy.local.child import Child
from deploy.local.gateway import ROUTED
from deploy.local.log import Log
from deploy.local.program import Program
from tests.through_gateway import TOKEN

CONTENT = bytes(range(256)) * 40
TAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
DECIDED = {
    "ETag": TAG,
    "Content-Type": "text/plain",
    "Content-Disposition": "attachment; filename*=UTF-8''a%20name.txt",
    "Repr-Digest": "sha-256=:x:",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "bytes",
}
ROUTE = "/a/{template}"
"""The route that services tell the gateway with each answer, and that no client may be told."""
MIB = 1024 * 1024
StoreKind = Literal["s3", "folder"]
STORE_KINDS: tuple[StoreKind, ...] = ("s3", "folder")
DOWNLOADS = ("/share/download", "/file/download", "/v1/files/download")
"""Paths that are answered with a redirect into the store, to the object that the query names."""


class Service(BaseHTTPRequestHandler):
    """Answers a download with a redirect to the object named in its query, and anything else with what it was sent."""

    protocol_version = "HTTP/1.1"
    # Headers and body are written one after the other. The body would wait until the headers are acknowledged: 40 ms.
    disable_nagle_algorithm = True
    place: Callable[[str, str], str]
    extra: dict[str, str]
    status = 200
    length = len(CONTENT)
    names: Mapping[int, str]
    """The name of each service, by its port."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return

    def _answer(self) -> None:
        received = self._discard_body()
        if self.path.startswith(DOWNLOADS):
            key = self.path.partition("?")[2]
            place = {"X-Store-Path": self.place(self.command, key), "X-Store-Length": str(self.length)}
            headers = {**place, **DECIDED, **self.extra}
            self._send(self.status, headers, b"")
        else:
            seen = {
                "service": self.names.get(self.connection.getsockname()[1]),
                "method": self.command,
                "path": self.path,
                "received": received,
                "headers": dict(self.headers),
            }
            self._send(200, {"Content-Type": "application/json", **self.extra}, json.dumps(seen).encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        own = {"X-Request-Id": "the service's own", "X-Route": ROUTE, "Content-Length": str(len(body))}
        for name, value in {**headers, **own}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _discard_body(self) -> int:
        left = total = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            left -= len(self.rfile.read(min(left, MIB)))
        return total


@dataclass(frozen=True, slots=True)
class Store:
    """A store that holds `CONTENT` as `object`, and how the gateway reaches it."""

    settings: Mapping[str, str]
    """The gateway's variables."""
    place: Callable[[str, str], str]
    """The path for a method and a key."""
    put: Callable[[str, Iterable[bytes], int], None]
    child: Child | None = None
    """Its process; None for a folder."""


@dataclass
class Door:
    """The gateway and what stands behind it."""

    url: str
    caddy: Child
    store: Store
    service: type[Service]
    service_ports: dict[str, int]

    def memory(self) -> int:
        """Bytes that Caddy holds of its own."""
        lines = Path(f"/proc/{self.caddy.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) * 1024

    def calls(self) -> int:
        """The number of times that Caddy has read or written, or had the kernel do both."""
        lines = Path(f"/proc/{self.caddy.pid}/io").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("syscr:", "syscw:")))


@asynccontextmanager
async def running(program: Program, data: Path) -> AsyncGenerator[Child]:
    child = Child(program, data, Log(StringIO()), lambda: None)
    child.start()
    try:
        await asyncio.wait_for(child.wait_ready(), 30)
        yield child
    finally:
        await child.stop()


@contextmanager
def serve(port: int, handler: type[Service]) -> Generator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@asynccontextmanager
async def open_door(
    data: Path, kind: StoreKind = "folder", service: type[Service] = Service, **environment: str
) -> AsyncGenerator[Door]:
    """All of it, every service of this type, with a store of this kind, and more variables for the gateway."""
    gateway_port, *chosen = ports.choose(1 + len(ROUTED))
    service_ports: dict[str, int] = dict(zip(ROUTED, chosen, strict=True))
    environment = {"WEB_ROOT": str(data / "no page"), **environment}
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(s3_store(data)) if kind == "s3" else folder_store(data / "store")
        handler = service_type({port: name for name, port in service_ports.items()}, opened.place, service)
        for port in chosen:
            stack.enter_context(serve(port, handler))
        program = gateway_program(data, gateway_port, service_ports, opened.settings, **environment)
        caddy = await stack.enter_async_context(running(program, data))
        yield Door(f"http://127.0.0.1:{gateway_port}", caddy, opened, handler, service_ports)


@asynccontextmanager
async def s3_store(data: Path) -> AsyncGenerator[Store]:
    port = ports.choose(1)[0]
    await juicefs.prepare(data / "store")
    program = juicefs.program(data / "store", port, access_key="access", secret_key="secret-key", system={})
    client = Minio(f"127.0.0.1:{port}", "access", "secret-key", secure=False, region="us-east-1")

    def place(method: str, key: str) -> str:
        url = client.get_presigned_url(method, "files", key, expires=timedelta(hours=1))
        return url.partition(f":{port}")[2]

    def put(key: str, blocks: Iterable[bytes], size: int) -> None:
        httpx.put(f"http://127.0.0.1:{port}{place('PUT', key)}", content=blocks, headers={"Content-Length": str(size)})

    async with running(program, data) as child:
        await asyncio.to_thread(client.make_bucket, "files")
        await asyncio.to_thread(client.put_object, "files", "object", BytesIO(CONTENT), len(CONTENT), "text/html")
        yield Store(gateway.s3_server(f"http://127.0.0.1:{port}"), place, put, child)


def folder_store(folder: Path) -> Store:
    """A store in a folder. All its files have the same two folders."""
    objects = folder / "objects" / "0a" / "ff"
    objects.mkdir(parents=True)

    def put(key: str, blocks: Iterable[bytes], _size: int) -> None:
        with (objects / key).open("wb") as file:
            file.writelines(blocks)

    put("object", [CONTENT], len(CONTENT))
    return Store(gateway.folder(folder), lambda _method, key: f"/0a/ff/{key}", put)


def service_type(
    names: Mapping[int, str], place: Callable[[str, str], str], base: type[Service] = Service
) -> type[Service]:
    """Services that go by these names; `place` makes a path of the store out of a method and a key."""
    return type("ThisService", (base,), {"names": names, "place": staticmethod(place), "extra": {}})


def gateway_program(
    data: Path, port: int, service_ports: Mapping[str, int], store: Mapping[str, str], **environment: str
) -> Program:
    """The gateway, with services on these ports, and variables that describe the store."""
    program = gateway.program(
        data,
        host="127.0.0.1",
        port=port,
        service_ports=service_ports,
        store=store,
        trusted_proxies="",
        token=TOKEN,
        system={},
    )
    # As under Compose, where a line about each request is written.
    usual = {"GATEWAY_ACCESS_LOG": "on"}
    return replace(program, environment={**program.environment, **usual, **environment})


def store_at(port: int) -> dict[str, str]:
    """The gateway's variables for an S3 server on this port."""
    return gateway.s3_server(f"http://127.0.0.1:{port}")


def everything_at(port: int) -> dict[str, int]:
    """All services on one port."""
    return dict.fromkeys(ROUTED, port)


async def listening(port: int) -> None:
    """Return when something listens there."""
    while ports.is_free(port):
        await asyncio.sleep(0.02)


def proxies_in(config: Any) -> list[dict[str, Any]]:
    """All reverse proxies of a configuration, at any depth."""
    if isinstance(config, list):
        return [proxy for each in config for proxy in proxies_in(each)]
    if not isinstance(config, dict):
        return []
    inner = [proxy for value in config.values() for proxy in proxies_in(value)]
    return [config, *inner] if config.get("handler") == "reverse_proxy" else inner
