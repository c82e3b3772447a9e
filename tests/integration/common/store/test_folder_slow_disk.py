"""A folder store whose disk is slow: its senders are slowed, its memory stays bounded, and nothing is mixed up."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from common.store import ObjectInfo, PartBusy
from common.store.folder import FolderStore, files, pouring, store
from common.store.limits import MIB
from tests.integration.common.store.stores import blocks, content_of

NOW = timedelta(seconds=-1)


class SlowDisk:
    """A disk that writes nothing until it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go_on, self.began = threading.Event(), threading.Event()
        write_all = files.write_all

        def slow(fd: int, given: Sequence[bytes], offset: int) -> int:
            self.began.set()
            self.go_on.wait()
            return write_all(fd, given, offset)

        monkeypatch.setattr(files, "write_all", slow)


class Sender:
    """A body that counts how much of it was asked for."""

    def __init__(self, size: int, block: int = 65536) -> None:
        self.size, self.sent, self._block = size, 0, block

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(0, self.size, self._block):
            self.sent += self._block
            yield bytes(self._block)
            await asyncio.sleep(0)


async def settled(senders: list[Sender]) -> int:
    """The bytes that were sent, once no more are asked for."""
    seen = -1
    while (sent := sum(sender.sent for sender in senders)) != seen:
        seen = sent
        for _ in range(200):
            await asyncio.sleep(0)
    return sent


async def test_a_slow_disk_slows_the_sender(folder: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, sender = SlowDisk(monkeypatch), Sender(32 * MIB)
    writing = asyncio.create_task(folder.put("key", aiter(sender), sender.size))
    assert await settled([sender]) <= 2 * pouring.BATCH + 65536
    disk.go_on.set()
    await writing
    assert await folder.stat("key") == ObjectInfo(sender.size)


async def test_many_tiny_blocks_are_not_gathered(folder: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of one byte takes the memory of fifty."""
    disk, sender = SlowDisk(monkeypatch), Sender(10_000, block=1)
    writing = asyncio.create_task(folder.put("key", aiter(sender), sender.size))
    assert await settled([sender]) <= 2 * files.MOST_BLOCKS + 1
    disk.go_on.set()
    await writing
    assert await content_of(folder, "key") == bytes(10_000)


async def test_all_bodies_together_hold_a_bounded_number_of_bytes(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "BUDGET", 4 * MIB)
    disk, senders = SlowDisk(monkeypatch), [Sender(3 * MIB) for _ in range(40)]
    writing = [
        asyncio.create_task(folder.put(f"key/{number}", aiter(sender), sender.size))
        for number, sender in enumerate(senders)
    ]
    # Beyond the budget each holds one block that is written and one that waits.
    assert await settled(senders) <= 4 * MIB + len(senders) * 2 * 65536
    disk.go_on.set()
    await asyncio.gather(*writing)
    assert folder._threads.held == 0


async def test_the_right_to_write_is_kept_while_the_disk_works(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "HOLD_SECONDS", 0.001)
    disk = SlowDisk(monkeypatch)

    class Lease:
        held = 0

        async def hold(self, *, last: bool = False) -> None:
            self.held += 1
            if self.held == 10:
                disk.go_on.set()

        def check(self) -> None:
            return

    await folder.put("key", blocks(b"content"), 7, lease=Lease())


async def test_a_writer_that_is_cancelled_leaves_nothing(folder: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, sender = SlowDisk(monkeypatch), Sender(8 * MIB)
    writing = asyncio.create_task(folder.put("key", aiter(sender), sender.size))
    await asyncio.to_thread(disk.began.wait)
    writing.cancel()
    await asyncio.sleep(0)
    disk.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await folder.stat("key") is None
    assert await folder.unfinished(NOW) == []


async def test_a_second_writer_waits_for_one_that_is_in_the_middle_of_the_part(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_PATIENCE", timedelta(0))
    upload_id = await folder.create_multipart("key")
    disk = SlowDisk(monkeypatch)
    first = asyncio.create_task(folder.put_part("key", upload_id, 1, blocks(b"first"), 5))
    await asyncio.to_thread(disk.began.wait)

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    with pytest.raises(PartBusy):
        await folder.put_part("key", upload_id, 1, unread(), 5)
    disk.go_on.set()
    await first
    part = await folder.put_part("key", upload_id, 1, blocks(b"again"), 5)
    await folder.complete_multipart("key", upload_id, [part])
    assert await content_of(folder, "key") == b"again"
