"""`make scale`: starts a system, puts expired shares with their files into it, and reports how it gets rid of them."""

import argparse
import hashlib
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import httpx
import psycopg

from common.store.folder.layout import Layout
from deploy.local import credentials, postgres
from deploy.local.stack import StartedStack, start
from tests.bench.systems import ENVIRONMENT

SHARES = """
insert into share (id, code, kind, file_id, name, size, expires_at, created_at, owner)
select gen_random_uuid(), 'code ' || n, 'file', lpad(to_hex(n), 32, '0')::uuid, 'x', 1, to_timestamp({ends_at}), now(),
    {owner}
from generate_series(1, {rows}) n
"""
FILES = """
insert into blob (id, object_key, size, sha256, refs)
select lpad(to_hex(n), 32, '0')::uuid, 'blobs/' || n, 1, sha256(n::text::bytea), 1 from generate_series(1, {rows}) n;
insert into file (id, blob_id, name, size, state, claimed_at, owner)
select id, id, 'x', 1, 'ready', now(), {owner} from blob;
insert into upload_session (id, state, layout, file_name, size, object_key, file_id, expires_at, cleaned_at)
select id, 'ready', 'stream', 'x', 1, 'objects/' || id, id, now(), now() from file;
"""
STEPS = {
    "ended": ("share", "select count(*) from share where state in ('active', 'spent') and expires_at < now()"),
    "released": (
        "share",
        "select count(*) from share where state in ('active', 'spent', 'ended') and expires_at < now()",
    ),
    "files gone": ("upload", "select count(*) from file where size = 1"),
    "contents gone": ("upload", "select count(*) from blob where size = 1"),
}
"""Counts of the rows that each step has left, by database."""
PATIENCE_SECONDS = 3600
PASSWORD = "correct horse battery"


class Loaded:
    """A system with rows in it."""

    def __init__(self, stack: StartedStack) -> None:
        password = credentials.load(stack.folder)["postgres_admin"]
        self._admin = postgres.admin_url(stack.ports["postgres"], password)
        self.stack, self.gateway = stack, stack.url

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self._admin, dbname=database, autocommit=True)

    def fill(self, rows: int, objects: int, account: str | None = None) -> float:
        """Add shares with files; returns the moment at which they end: in a year, if they belong to an account."""
        layout = Layout(self.stack.folder / "store")
        for number in range(1, objects + 1):
            path = layout.object(f"blobs/{number}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        ends_at = time.time() + (365 * 86400 if account else 10 + rows / 15_000)
        owner = f"'{account}'::uuid" if account else "null"
        with self.connect("upload") as connection:
            connection.execute(FILES.format(rows=rows, owner=owner).encode())
        with self.connect("share") as connection:
            connection.execute(SHARES.format(rows=rows, owner=owner, ends_at=ends_at).encode())
        for database in ("upload", "share"):
            with self.connect(database) as connection:
                connection.execute("vacuum analyze")
        return ends_at

    def register(self) -> tuple[str, httpx.Client]:
        """The id of a new account, and a client that is signed in to it."""
        client = httpx.Client(base_url=self.gateway, timeout=60)
        asked = {"name": "someone with many files", "password": PASSWORD}
        found = client.post("/v1/auth/register", json=asked).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {found['token']}"
        return found["account"]["id"], client

    def empty(self, ends_at: float) -> dict[str, float]:
        """The seconds after which each step was done."""
        took: dict[str, float] = {}
        time.sleep(max(0.0, ends_at - time.time()))
        with self.connect("share") as share, self.connect("upload") as upload:
            connections = {"share": share, "upload": upload}
            while len(took) < len(STEPS):
                left = {}
                for step, (database, statement) in STEPS.items():
                    row = connections[database].execute(statement.encode()).fetchone()
                    assert row
                    left[step] = row[0]
                    if not row[0] and step not in took:
                        took[step] = time.time() - ends_at
                print(f"{time.time() - ends_at:6.0f} s  {left}", flush=True)
                assert time.time() < ends_at + PATIENCE_SECONDS
                time.sleep(2)
        return took


def uploads(gateway: str, stop: threading.Event) -> list[float]:
    """The seconds that small uploads took, one after the other."""
    took: list[float] = []
    with httpx.Client(base_url=gateway, timeout=60) as client:
        while not stop.wait(0.05):
            content = hashlib.sha256(str(time.time_ns()).encode()).digest() * 64
            begun = time.monotonic()
            client.post("/share/file/", files={"file": ("small.bin", content)}).raise_for_status()
            took.append(time.monotonic() - begun)
    return took


def chunked(gateway: str, stop: threading.Event) -> list[float]:
    """The seconds until chunked uploads, one after the other, were verified."""
    took: list[float] = []
    with httpx.Client(base_url=gateway, timeout=60) as client:
        while not stop.wait(0.2):
            content = hashlib.sha256(str(time.time_ns()).encode()).digest() * 4096
            asked = {
                "file_name": "chunked.bin",
                "file_size": len(content),
                "chunk_size": len(content),
                "file_hash": hashlib.sha256(content).hexdigest(),
            }
            upload = client.post("/chunk/upload/init/", json=asked).json()["detail"]["upload_id"]
            client.post(f"/chunk/upload/chunk/{upload}/0", files={"chunk": content}).raise_for_status()
            begun = time.monotonic()
            client.post(
                f"/chunk/upload/complete/{upload}", json={"expire_value": 1, "expire_style": "day"}
            ).raise_for_status()
            took.append(time.monotonic() - begun)
    return took


def shown(name: str, took: list[float]) -> str:
    spread = quantiles(took, n=100)
    return f"{name}: {len(took)}, median {median(took) * 1000:.0f} ms, p99 {spread[98] * 1000:.0f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make scale", description="Empty a system that is full of expired shares.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="shares, each with a file and a content of its own")
    parser.add_argument("--objects", type=int, help="contents that are there as files (default: all)")
    parser.add_argument("--account", action="store_true", help="they belong to an account, which is deleted")
    options = parser.parse_args()
    rows: int = options.rows
    folder = Path(tempfile.mkdtemp(prefix="waystation-scale-"))
    try:
        with start(folder / "data", environment=ENVIRONMENT) as stack, ThreadPoolExecutor(2) as threads:
            loaded = Loaded(stack)
            account, owner = loaded.register() if options.account else (None, None)
            ends_at = loaded.fill(rows, rows if options.objects is None else options.objects, account)
            if owner:
                ends_at = time.time()
                owner.request("DELETE", "/v1/account", json={"password": PASSWORD}).raise_for_status()
                print(f"deleted after {time.time() - ends_at:.2f} s")
            stop = threading.Event()
            others = [(load, threads.submit(load, loaded.gateway, stop)) for load in (uploads, chunked)]
            try:
                took = loaded.empty(ends_at)
            finally:
                stop.set()
            for step, seconds in took.items():
                print(f"{step}: {seconds:.1f} s, {rows / seconds:.0f} a second")
            for load, found in others:
                print(shown(load.__name__, found.result()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
