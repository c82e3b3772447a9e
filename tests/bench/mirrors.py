"""Measures how fast a file is mirrored and verified, compared with a plain copy of the same bytes by the same tool.

Both copies are folders on the disk of the store.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import opendal
import psutil

from deploy.local import credentials
from deploy.local.credentials import ADMIN_PASSWORD
from deploy.local.stack import RunningStack
from tests.bench.disk import settle
from tests.bench.memory import SAMPLE_SECONDS
from tests.bench.options import Options
from tests.bench.paths import Payload
from tests.bench.systems import MIRRORS, Systems
from tests.bench.trees import MIB

BLOCK = MIB
PART = 8 * MIB
LOOK_SECONDS = 0.02
WORKER = "worker"
ROUNDS = 3


@dataclass
class Mirroring:
    """The seconds of each round, and the most MiB by which the worker grew."""

    plain: list[float] = field(default_factory=list[float])
    mirrored: list[float] = field(default_factory=list[float])
    growth_mib: float = 0.0


class Account:
    """The first administrator, who defines the mirror and owns the file."""

    def __init__(self, stack: RunningStack) -> None:
        self.http = httpx.Client(base_url=stack.url, timeout=600)
        asked = {"name": "admin", "password": credentials.load(stack.folder)[ADMIN_PASSWORD]}
        answer = self.http.post("/v1/auth/login", json=asked).raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def define(self, kind: str, options: dict[str, str]) -> int:
        asked = {"name": f"bench {kind} {time.time_ns()}", "kind": kind, "options": options}
        return int(self.http.post("/v1/mirrors", json=asked).raise_for_status().json()["id"])

    def upload(self, content: bytes) -> str:
        files = {"file": ("bench.bin", content)}
        self.http.post("/api/upload/private", files=files).raise_for_status()
        return str(self.http.get("/v1/files").raise_for_status().json()["files"][0]["id"])

    def state(self, file_id: str) -> str | None:
        found = self.http.get(f"/v1/files/{file_id}/mirrors").raise_for_status().json()["mirrors"]
        return found[0]["state"] if found else None

    def counts(self, mirror_id: int) -> dict[str, int]:
        return self.http.get(f"/v1/mirrors/{mirror_id}").raise_for_status().json()["replicas"]

    def mirror(self, file_id: str, mirror_id: int) -> float:
        """Mirror the file, remove it from the mirror again, and return the seconds until it was verified there."""
        begun = time.perf_counter()
        self.http.post(f"/v1/files/{file_id}/mirrors", json={"mirrors": [mirror_id]}).raise_for_status()
        _until(lambda: self.state(file_id) == "verified")
        seconds = time.perf_counter() - begun
        self.http.delete(f"/v1/files/{file_id}/mirrors/{mirror_id}").raise_for_status()
        _until(lambda: set(self.counts(mirror_id)) <= {"removed"})
        return seconds


def measure(systems: Systems, options: Options) -> Mirroring:
    """Copy a file from the stack's store, once as a mirror and once plainly."""
    stack, found, account = systems.stack, Mirroring(), Account(systems.stack)
    content = bytes(Payload(options.mirror).fresh())
    file_id = account.upload(content)
    place = _folders(systems, options.mirror)
    mirror_id = account.define("fs", place.mirror)
    for number in range(ROUNDS + 1):
        settle()
        plain = asyncio.run(_plain_copy(place))
        settle()
        with _watched(stack) as growth:
            mirrored = account.mirror(file_id, mirror_id)
        # The first round only warms up; the worker loads its libraries in it.
        if number:
            found.plain.append(plain)
            found.mirrored.append(mirrored)
            found.growth_mib = max(found.growth_mib, growth.mib)
    account.http.delete(f"/v1/mirrors/{mirror_id}?forget=true").raise_for_status()
    account.http.close()
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the blob is and where copies go, in OpenDAL's options of folders."""

    source: dict[str, str]
    key: str
    plain: dict[str, str]
    mirror: dict[str, str]


def _folders(systems: Systems, size: int) -> _Place:
    root = systems.stack.folder / "store"
    key = next(path for path in root.rglob("*") if path.is_file() and path.stat().st_size == size)
    plain, mirror = systems.folder / "plain", systems.folder / MIRRORS / "bench"
    for folder in (plain, mirror):
        folder.mkdir(parents=True, exist_ok=True)
    return _Place({"root": str(root)}, str(key.relative_to(root)), {"root": str(plain)}, {"root": str(mirror)})


async def _plain_copy(place: _Place) -> float:
    """Copy the blob without verifying the copy, and return the seconds."""
    source = opendal.AsyncOperator("fs", **place.source)
    target = opendal.AsyncOperator("fs", **place.plain)
    begun = time.perf_counter()
    reader = await source.open(place.key, "rb")
    async with await target.open("plain copy", "wb", chunk=PART) as writer:  # pyright: ignore[reportGeneralTypeIssues]
        while block := await reader.read(BLOCK):
            await writer.write(block)
    return time.perf_counter() - begun


class _watched:  # noqa: N801  (used as a function)
    """Watches the worker's memory during a block: `mib` is the most by which it grew."""

    def __init__(self, stack: RunningStack) -> None:
        self._process = psutil.Process(stack.pid_of(WORKER))
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._before = self._peak = self._process.memory_info().rss

    def __enter__(self) -> "_watched":
        self._watcher.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        self._watcher.join()

    @property
    def mib(self) -> float:
        return (self._peak - self._before) / MIB

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._peak = max(self._peak, self._process.memory_info().rss)
            time.sleep(SAMPLE_SECONDS)


def _until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(LOOK_SECONDS)
