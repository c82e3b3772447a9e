"""The embedded system on a small disk that fills up."""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from common.queue.app import create_celery
from common.store.limits import MIB
from deploy.local import credentials, valkey
from deploy.local.stack import LOG_NAME, StartedStack, start
from tests.e2e.faults import PATIENCE

SIZE = 700
RESERVE = 150 * MIB


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    """A disk of its own in memory, which only root can have."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=755", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def fill(disk: Path, left: int) -> None:
    """Take all of the disk but `left` bytes."""
    with (disk / f"ballast-{time.monotonic_ns()}").open("wb") as ballast:
        while (room := free(disk) - left) > 0:
            ballast.write(bytes(min(room, MIB)))
            ballast.flush()


def upload(stack: StartedStack, content: bytes) -> httpx.Response:
    return httpx.post(f"{stack.url}/share/file/", files={"file": ("a.bin", content)}, timeout=120)


def download(stack: StartedStack, code: str) -> bytes:
    url = httpx.post(f"{stack.url}/share/select/", json={"code": code}).json()["detail"]["text"]
    return httpx.get(httpx.URL(stack.url).join(url)).read()


def room_comes_back(stack: StartedStack, disk: Path, expected: int) -> None:
    """Wait until so much is free, with sweeps that come at once rather than in the next minute."""
    broker_url = valkey.url(stack.ports["valkey"], credentials.load(stack.folder)["valkey"]).removesuffix("/0") + "/1"
    queue, until = create_celery("upload", broker_url), time.monotonic() + PATIENCE
    while free(disk) < expected:
        assert time.monotonic() < until, f"{free(disk)} bytes are free"
        queue.send_task("upload.collect_garbage", queue="transfers")
        time.sleep(0.5)


@pytest.mark.long
def test_a_full_disk_stops_uploads_alone(disk: Path) -> None:
    settings = {
        "STORE_RESERVE_BYTES": str(RESERVE),
        "UPLOAD_SIZE": str(1000 * MIB),
        "UPLOAD_COUNT": "1000",
        "GARBAGE_GRACE_SECONDS": "0",
    }
    stack = start(disk / "data", environment=settings)
    try:
        content = os.urandom(3 * MIB)
        kept = upload(stack, content)
        assert kept.status_code == 200, kept.text
        code = kept.json()["detail"]["code"]
        link = httpx.post(f"{stack.url}/api/upload", files={"file": ("b.bin", os.urandom(20 * MIB))}, timeout=60).json()

        # More than there is room for: refused at once, and nothing of it is left.
        before, begun = free(disk), time.monotonic()
        refused = upload(stack, bytes(before - RESERVE + 20 * MIB))
        assert refused.status_code == 507, refused.text
        assert "存储空间" in refused.json()["detail"]
        assert time.monotonic() - begun < 20
        assert free(disk) > before - 20 * MIB

        # Others take the room that is left.
        fill(disk, RESERVE - 10 * MIB)
        assert upload(stack, bytes(1000)).status_code == 507
        assert hashlib.sha256(download(stack, code)).digest() == hashlib.sha256(content).digest()
        mine = httpx.post(f"{stack.url}/share/text/", data={"text": "still here"}, timeout=30)
        assert mine.status_code == 200, mine.text

        # Deleting works, and gives the room back.
        taken = free(disk)
        deleted = httpx.get(f"{stack.url}/api/delete/{link['file_url']}", params={"key": link["key"]}, timeout=30)
        assert deleted.status_code == 200, deleted.text
        assert httpx.get(f"{stack.url}/file/{link['file_url']}").status_code == 404
        room_comes_back(stack, disk, taken + 15 * MIB)
        assert upload(stack, bytes(1000)).status_code == 200

        # Nothing at all is left: it still stops cleanly.
        fill(disk, 0)
        os.kill(stack.supervisor.pid, signal.SIGINT)
        assert stack.supervisor.wait(90) == 0
    finally:
        stack.stop()
    for ballast in disk.glob("ballast-*"):
        ballast.unlink()
    assert "Traceback" not in (disk / "data" / LOG_NAME).read_text(encoding="utf-8", errors="replace")
