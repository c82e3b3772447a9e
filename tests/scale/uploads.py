"""`make uploads`: holds very many slow uploads open at once, and says what they cost and whether all ended well.

make uploads ARGS="--open 2000 --size 65536 --hold 20"

Each upload is a request with a connection of its own (`PUT /name`), which sends a quarter, then a few bytes every five
seconds, and the rest when all are open. Meanwhile somebody else asks for a page and sends small files, one by one. An
upload that is told to come again (503) does so when it is told to; `--rate 0` lets all begin at one moment.
"""

import argparse
import asyncio
import json
import os
import random
import re
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from deploy.local import credentials, postgres
from deploy.local.stack import StartedStack, start
from tests.bench.systems import ENVIRONMENT
from tests.bench.trees import Tree

TRICKLE_SECONDS = 5.0
"""A body that is silent for half a minute is refused."""
PATIENCE_SECONDS = 300.0
QUIET_SECONDS = 30.0
CONNECTIONS = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
PROGRAMS = ("gateway", "upload", "postgres", "valkey")


@dataclass(frozen=True, slots=True)
class Options:
    open: int
    rate: float
    size: int
    hold: float


@dataclass(slots=True)
class Found:
    open: int
    opening_seconds: float
    held_seconds: float
    ending_seconds: float
    statuses: dict[str, int]
    """Of the last answers."""
    came_again: int
    """Attempts that were answered with 503, and when to come again."""
    kib_each: dict[str, float]
    """The memory of each program while all are open, above what it was, for one upload."""
    held_processor_percent: dict[str, float]
    database_connections: int
    sessions: int
    """The uploads that were open at that moment, as the database has it."""
    others: dict[str, float]
    """The milliseconds that others waited meanwhile, by median and worst."""


class Crowd:
    """The uploads of one run."""

    def __init__(self, url: str, options: Options) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 0
        self._options = options
        self.is_over = asyncio.Event()
        self.came_again = 0
        self.statuses: Counter[str] = Counter()

    async def run(self, number: int) -> None:
        """One upload from its first byte to its answer, or the next one if it is to come again."""
        if self._options.rate:
            await asyncio.sleep(number / self._options.rate)
        body, until_then = os.urandom(self._options.size), time.monotonic() + PATIENCE_SECONDS
        status, pause = "", 0.0
        while not status or (status == "503" and pause and time.monotonic() < until_then):
            await asyncio.sleep(pause * random.uniform(1, 2))
            self.came_again += bool(status)
            try:
                status, pause = await self._upload(number, body)
            except (OSError, ExceptionGroup) as error:
                status = type(error).__name__
        self.statuses[status] += 1

    async def _upload(self, number: int, body: bytes) -> tuple[str, float]:
        """The status of an attempt, and after how many seconds to come again."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as both:
                answer = both.create_task(_head(reader))
                sending = both.create_task(self._send(writer, number, body))
                answer.add_done_callback(lambda _: sending.cancel())
            return answer.result()
        finally:
            writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, number: int, body: bytes) -> None:
        head = f"PUT /slow-{number}.bin HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n\r\n"
        at = len(body) // 4
        # Whoever is refused in the middle reads the answer.
        with suppress(OSError):
            writer.write(head.encode() + body[:at])
            while not self.is_over.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(TRICKLE_SECONDS):
                        await self.is_over.wait()
                writer.write(body[at : at + 16])
                at += 16
            writer.write(body[at:])
            await writer.drain()


async def _head(reader: asyncio.StreamReader) -> tuple[str, float]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    pause = re.search(r"(?i)^retry-after: *(\d+)", head, re.MULTILINE)
    return head.split(" ", 2)[1], float(pause[1]) if pause else 0.0


async def measure(stack: StartedStack, options: Options) -> Found:
    tree, crowd = Tree.of_stack(stack), Crowd(stack.url, options)
    await once(stack.url)
    before, begun = tree.memory(), time.monotonic()
    async with asyncio.TaskGroup() as uploads:
        for number in range(options.open):
            uploads.create_task(crowd.run(number))
        await asyncio.to_thread(wait_until_open, stack, options.open)
        opened, busy = time.monotonic(), tree.processor_seconds()
        others = await ask_meanwhile(stack.url, options.hold)
        held, after = time.monotonic() - opened, tree.processor_seconds()
        memory = await asyncio.to_thread(tree.memory)
        connections, sessions = await asyncio.to_thread(look, stack)
        ended = time.monotonic()
        crowd.is_over.set()
    return Found(
        open=options.open,
        opening_seconds=opened - begun,
        held_seconds=held,
        ending_seconds=time.monotonic() - ended,
        statuses=dict(crowd.statuses),
        came_again=crowd.came_again,
        kib_each={name: (memory[name] - before[name]) * 1024 / options.open for name in PROGRAMS},
        held_processor_percent={name: 100 * (after[name] - busy[name]) / held for name in PROGRAMS},
        database_connections=connections,
        sessions=sessions,
        others=others,
    )


def wait_until_open(stack: StartedStack, uploads: int) -> None:
    """Wait until so many uploads are open, or no more come."""
    most, since = 0, time.monotonic()
    while most < uploads and time.monotonic() < since + QUIET_SECONDS:
        if (now := look(stack)[1]) > most:
            most, since = now, time.monotonic()
        time.sleep(0.5)


async def once(url: str) -> None:
    """Whatever a process loads with its first upload is no cost of the others."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await send(client)


async def send(client: httpx.AsyncClient) -> None:
    (await client.post("/share/file/", files={"file": ("small.bin", os.urandom(2048))})).raise_for_status()


async def ask_meanwhile(url: str, seconds: float) -> dict[str, float]:
    """Ask for a page and send a small file, by turns, for so long."""
    until_then, took = time.monotonic() + seconds, {"page": list[float](), "small file": list[float]()}
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def page() -> None:
            (await client.get("/v1/site")).raise_for_status()

        async def small_file() -> None:
            await send(client)

        acts: dict[str, Callable[[], Awaitable[None]]] = {"page": page, "small file": small_file}
        while time.monotonic() < until_then:
            for name, act in acts.items():
                begun = time.monotonic()
                await act()
                took[name].append((time.monotonic() - begun) * 1000)
            await asyncio.sleep(0.2)
    return {
        f"{name}, {word}": of(found)
        for name, found in took.items()
        for word, of in (("median", statistics.median), ("worst", max))
    }


def look(stack: StartedStack) -> tuple[int, int]:
    """The connections to PostgreSQL, and the open uploads."""
    admin = postgres.admin_url(stack.ports["postgres"], credentials.load(stack.folder)["postgres_admin"])
    with psycopg.connect(admin, dbname="upload") as connection:
        [(connections,)] = connection.execute(CONNECTIONS)
        [(sessions,)] = connection.execute("select count(*) from upload_session where state = 'open'")
    return connections, sessions


def main() -> int:
    parser = argparse.ArgumentParser(prog="make uploads", description="Hold very many slow uploads open at once.")
    parser.add_argument("--open", type=int, default=8000, help="uploads (8000; the gateway needs two files for each)")
    parser.add_argument("--rate", type=float, default=50, help="uploads that begin in a second (50); 0: all at once")
    parser.add_argument("--size", type=int, default=65536, help="bytes of each (65536)")
    parser.add_argument("--hold", type=float, default=20, help="seconds for which all are open (20)")
    options = Options(**vars(parser.parse_args()))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if files < 2 * options.open + 1000:
        print(f"this machine allows {files} open files for a process: too few for {options.open} uploads")
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    folder = Path(tempfile.mkdtemp(prefix="waystation-uploads-"))
    try:
        with start(folder / "data", environment=ENVIRONMENT) as stack:
            found = asyncio.run(measure(stack, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(asdict(found), indent=2))
    return 0 if set(found.statuses) == {"201"} else 1


if __name__ == "__main__":
    sys.exit(main())
