"""copyparty, a file server in Python: `PUT` and download of files in a folder, with its default settings."""

import asyncio
import itertools
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.ports import LOOPBACK, choose
from tests.bench.calls import Address, Call, exchange, request
from tests.bench.peers import HERE, installed, serving
from tests.bench.trees import Tree
from tests.bench.wire import send

REQUIREMENTS = HERE / "copyparty.txt"
NAME = "copyparty"


class Copyparty:
    """A running copyparty."""

    name = NAME

    def __init__(self, port: int, pid: int, folder: Path) -> None:
        self.folder = folder
        self.address: Address = (LOOPBACK, port)
        self.tree = Tree(lambda: {NAME: pid})
        self._numbers = itertools.count()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.address)

    def send(self, content: memoryview) -> str:
        url = f"{self.url}/{next(self._numbers)}.bin"
        send(url, "PUT", content, {})
        return url

    def sending(self, fresh: Callable[[], bytes]) -> Call:
        host = "{}:{}".format(*self.address)

        async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await exchange(reader, writer, request("PUT", f"/{next(self._numbers)}.bin", host, body=fresh()))

        return call


def version() -> str:
    """The version that is installed."""
    return REQUIREMENTS.read_text(encoding="utf-8").partition("copyparty==")[2].split()[0]


@contextmanager
def running(cache: Path, folder: Path) -> Generator[Copyparty]:
    """copyparty on `folder`, until the block ends. Raises `Skipped`."""
    place = installed(
        cache,
        NAME,
        [REQUIREMENTS],
        [
            [sys.executable, "-m", "venv", "{folder}"],
            [
                *("{folder}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--require-hashes", "-r", REQUIREMENTS.name),
            ],
        ],
    )
    port = choose(1)[0]
    command = [
        *(str(place / "bin" / "python"), "-m", "copyparty", "-q", "-i", LOOPBACK, "-p", str(port)),
        *("-v", f"{folder}::rw"),
    ]
    with serving(command, port, folder, {"XDG_CONFIG_HOME": str(folder.parent)}) as server:
        yield Copyparty(port, server.pid, folder)
