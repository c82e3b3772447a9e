"""`@tus/server` with its file store or on S3: one `POST` and one `PATCH` for each file. Only uploads are measured."""

import asyncio
import json
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.ports import LOOPBACK, choose
from tests.bench.calls import Address, Call, exchange, request
from tests.bench.peers import HERE, Skipped, installed, serving
from tests.bench.trees import Tree
from tests.bench.wire import RequestFailed, send

SOURCES = [HERE / "tus" / name for name in ("package.json", "package-lock.json", "server.mjs")]
NAME = "tus-node"
PROTOCOL = {"Tus-Resumable": "1.0.0"}
PATCHING = {**PROTOCOL, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
FILES = "/files"


class TusNode:
    """A running `@tus/server`."""

    name = NAME

    def __init__(self, port: int, pid: int, folder: Path) -> None:
        self.folder = folder
        self.address: Address = (LOOPBACK, port)
        self.tree = Tree(lambda: {NAME: pid})

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.address)

    def send(self, content: memoryview) -> str:
        new = {**PROTOCOL, "Upload-Length": str(len(content))}
        location = send(self.url + FILES, "POST", memoryview(b""), new).headers["Location"]
        url = self.url + _path(location)
        stored = send(url, "PATCH", content, PATCHING).headers["Upload-Offset"]
        if stored != str(len(content)):
            raise RequestFailed(f"{NAME} stored {stored} of {len(content)} bytes")
        return url

    def sending(self, fresh: Callable[[], bytes]) -> Call:
        host = "{}:{}".format(*self.address)

        async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            content = fresh()
            new = {**PROTOCOL, "Upload-Length": str(len(content))}
            created = await exchange(reader, writer, request("POST", FILES, host, new))
            path = _path(created.header("location"))
            await exchange(reader, writer, request("PATCH", path, host, PATCHING, content))

        return call


def _path(location: str) -> str:
    return f"{FILES}/{location.rpartition('/')[2]}"


def version() -> str:
    """The version that is installed."""
    return str(json.loads(SOURCES[0].read_text(encoding="utf-8"))["dependencies"]["@tus/server"])


@contextmanager
def running(cache: Path, folder: Path, environment: Mapping[str, str] | None = None) -> Generator[TusNode]:
    """The server on `folder`, until the block ends. Raises `Skipped`.

    `environment`: the S3 server to which it writes in place of the folder.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise Skipped("it needs Node 20.19 or newer, with npm")
    place = installed(
        cache,
        NAME,
        SOURCES,
        [[npm, "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]],
    )
    port = choose(1)[0]
    with serving([node, str(place / "server.mjs"), str(port), str(folder)], port, folder, environment or {}) as server:
        yield TusNode(port, server.pid, folder)
