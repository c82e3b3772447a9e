"""Several processes on one folder store, some of which are killed or stopped."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from common.store import PartBusy
from common.store.folder import FolderStore, store
from tests.conftest import ROOT
from tests.integration.common.store import folder_process
from tests.integration.common.store.folder_process import SIZE, content_of_key
from tests.integration.common.store.stores import blocks, content_of

NOW = timedelta(seconds=-1)
KILLS = 8
LINES = 30


@contextmanager
def process(folder: FolderStore, *work: str) -> Generator["subprocess.Popen[str]"]:
    command = [sys.executable, folder_process.__file__, str(folder._layout.root), *work]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        assert child.stdout
        child.stdout.close()


def key_of(path: Path) -> str:
    return path.name.replace(".", "/")


async def test_a_process_that_is_killed_leaves_whole_objects_and_nothing_else(folder: FolderStore) -> None:
    seeds = random.Random(1)
    for attempt in range(KILLS):
        safe: list[str] = []
        with process(folder, "write", str(attempt)) as child:
            assert child.stdout
            for _ in range(seeds.randrange(4, LINES)):
                safe.append(child.stdout.readline().strip())
            # It is killed at any point of what follows.
            await asyncio.sleep(seeds.random() / 10)
        for key in safe:
            assert await content_of(folder, key) == content_of_key(key)
    # An object that nobody was told of is whole as well; pieces are those of objects that were being joined.
    for path in folder._layout.objects.glob("*/*/*"):
        key, _, half = key_of(path).partition("/")[2].partition("/")
        expected = content_of_key(f"blobs/{key}")
        if half:
            middle = len(expected) // 2
            expected = expected[:middle] if half == "a" else expected[middle:]
        assert path.read_bytes() == expected
    for upload in await folder.unfinished(NOW):
        await folder.abort_multipart(upload.key, upload.upload_id)
    assert list(folder._layout.unfinished.iterdir()) == []


async def test_processes_may_write_the_same_objects(folder: FolderStore) -> None:
    keys = [f"blobs/{number}" for number in range(12)]
    with process(folder, "put", ",".join(keys)) as first, process(folder, "put", ",".join(reversed(keys))) as second:
        for key in keys:
            await folder_process.write_object(folder, key, "stream")
        assert (first.wait(), second.wait()) == (0, 0)
    for key in keys:
        assert await content_of(folder, key) == content_of_key(key)
    assert await folder.unfinished(NOW) == []


def until_stopped(child: "subprocess.Popen[str]") -> None:
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


@pytest.fixture
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_PATIENCE", timedelta(milliseconds=100))


@pytest.mark.usefixtures("_short_patience")
async def test_a_writer_stopped_in_the_middle_of_a_write_keeps_its_successor_out(folder: FolderStore) -> None:
    upload_id = await folder.create_multipart("blobs/shared")
    with process(folder, "part", upload_id, "locked") as child:
        until_stopped(child)
        with pytest.raises(PartBusy):
            await folder.put_part("blobs/shared", upload_id, 1, blocks(b"b" * SIZE), SIZE)
        # Another part of the same object is free.
        second = await folder.put_part("blobs/shared", upload_id, 2, blocks(b"c"), 1, offset=SIZE)
    first = await folder.put_part("blobs/shared", upload_id, 1, blocks(b"b" * SIZE), SIZE)
    await folder.complete_multipart("blobs/shared", upload_id, [first, second])
    assert await content_of(folder, "blobs/shared") == b"b" * SIZE + b"c"


@pytest.mark.parametrize("is_complete", [False, True])
async def test_a_writer_stopped_longer_than_its_right_lasted_overwrites_nothing(
    folder: FolderStore, is_complete: bool
) -> None:
    upload_id = await folder.create_multipart("blobs/shared")
    with process(folder, "part", upload_id, "before") as child:
        until_stopped(child)
        part = await folder.put_part("blobs/shared", upload_id, 1, blocks(b"b" * SIZE), SIZE)
        if is_complete:
            await folder.complete_multipart("blobs/shared", upload_id, [part])
        child.send_signal(signal.SIGCONT)
        assert child.stdout
        assert child.stdout.readline().strip() == "busy"
    if not is_complete:
        await folder.complete_multipart("blobs/shared", upload_id, [part])
    assert await content_of(folder, "blobs/shared") == b"b" * SIZE
