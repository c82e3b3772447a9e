"""The gateway with what stands behind it: a real Caddy, a real object store, small services that say what they got."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO
from pathlib import Path

from minio import Minio

from deploy.local import gateway, ports, store
from deploy.local.child import Child
from deploy.local.gateway import ROUTED
from deploy.local.log import Log
from deploy.local.program import Program
from tests.through_gateway import TOKEN

CONTENT = bytes(range(256)) * 40
DECIDED = {
    "Content-Type": "text/plain",
    "Content-Disposition": "attachment; filename*=UTF-8''a%20name.txt",
    "Repr-Digest": "sha-256=:x:",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "bytes",
}
MIB = 1024 * 1024
DOWNLOADS = ("/share/download", "/file/download", "/v1/files/download")
"""Paths that are answered with a redirect into the store, to the object that the query names."""


class Service(BaseHTTPRequestHandler):
    """Answers a download with a redirect to the object named in its query, and anything else with what it was sent."""

    protocol_version = "HTTP/1.1"
    sign: Callable[[str, str], str]
    extra: dict[str, str]
    status = 200
    names: Mapping[int, str]
    """The name of each service, by its port."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return

    def _answer(self) -> None:
        received = self._discard_body()
        if self.path.startswith(DOWNLOADS):
            key = self.path.partition("?")[2]
            headers = {"X-Store-Path": self.sign(self.command, key), **DECIDED, **self.extra}
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
        for name, value in {**headers, "X-Request-Id": "the service's own", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _discard_body(self) -> int:
        left = total = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            left -= len(self.rfile.read(min(left, MIB)))
        return total


@dataclass
class Door:
    """The gateway and what stands behind it."""

    url: str
    store_url: str
    caddy: Child
    store: Child
    service: type[Service]
    sign: Callable[[str, str], str]
    service_ports: dict[str, int]

    def memory(self) -> int:
        """Bytes that Caddy holds of its own."""
        lines = Path(f"/proc/{self.caddy.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) * 1024


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
async def open_door(data: Path, service: type[Service] = Service) -> AsyncGenerator[Door]:
    """All of it, every service of this type, with a bucket `files` that holds `CONTENT` as `object`."""
    gateway_port, store_port, *chosen = ports.choose(2 + len(ROUTED))
    service_ports: dict[str, int] = dict(zip(ROUTED, chosen, strict=True))
    await store.prepare(data)
    store_program = store.program(data, store_port, access_key="access", secret_key="secret-key", system={})
    client = Minio(f"127.0.0.1:{store_port}", "access", "secret-key", secure=False, region="us-east-1")

    def sign(method: str, key: str) -> str:
        url = client.get_presigned_url(method, "files", key, expires=timedelta(hours=1))
        return url.partition(f":{store_port}")[2]

    handler = service_type({port: name for name, port in service_ports.items()}, sign, service)
    async with AsyncExitStack() as stack:
        stored = await stack.enter_async_context(running(store_program, data))
        await asyncio.to_thread(client.make_bucket, "files")
        body = BytesIO(CONTENT)
        await asyncio.to_thread(client.put_object, "files", "object", body, len(CONTENT), "text/html")
        for port in chosen:
            stack.enter_context(serve(port, handler))
        caddy = await stack.enter_async_context(
            running(gateway_program(data, gateway_port, service_ports, store_port=store_port), data)
        )
        url, store_url = f"http://127.0.0.1:{gateway_port}", f"http://127.0.0.1:{store_port}"
        yield Door(url, store_url, caddy, stored, handler, sign, service_ports)


def service_type(
    names: Mapping[int, str], sign: Callable[[str, str], str], base: type[Service] = Service
) -> type[Service]:
    """Services that go by these names; `sign` makes a path of the store out of a method and a key."""
    return type("ThisService", (base,), {"names": names, "sign": staticmethod(sign), "extra": {}})


def gateway_program(
    data: Path, port: int, service_ports: Mapping[str, int], *, store_port: int, **environment: str
) -> Program:
    """The gateway, with services and a store on these ports."""
    program = gateway.program(
        data,
        host="127.0.0.1",
        port=port,
        service_ports=service_ports,
        store_endpoint=f"http://127.0.0.1:{store_port}",
        trusted_proxies="",
        token=TOKEN,
        system={},
    )
    return replace(program, environment={**program.environment, **environment})


def everything_at(port: int) -> dict[str, int]:
    """All services on one port."""
    return dict.fromkeys(ROUTED, port)


async def listening(port: int) -> None:
    """Return when something listens there."""
    while ports.is_free(port):
        await asyncio.sleep(0.02)
