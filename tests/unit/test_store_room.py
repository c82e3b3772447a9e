"""The room that uploads leave on the disk of the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.errors import StorageFull
from common.store.limits import MIB
from common.store.room import UNKNOWN_ROOM, Room


class Disk:
    """A disk with so many bytes left."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __call__(self, _: Path) -> int:
        return self.free


async def blocks(disk: Disk, size: int) -> AsyncIterator[bytes]:
    """A body that is written to the disk while it is read."""
    for _ in range(size // MIB):
        yield bytes(MIB)
        disk.free -= MIB


async def test_the_reserve_is_kept_from_the_start() -> None:
    room = Room(Path("/"), 100 * MIB, Disk(150 * MIB))
    room.check(50 * MIB)
    with pytest.raises(StorageFull):
        room.check(50 * MIB + 1)


async def test_a_body_for_which_there_is_room_passes() -> None:
    disk = Disk(150 * MIB)
    room = Room(Path("/"), 100 * MIB, disk)
    assert sum([len(block) async for block in room.checked(blocks(disk, 50 * MIB), 50 * MIB)]) == 50 * MIB


async def test_a_body_is_refused_as_soon_as_others_have_taken_its_room() -> None:
    disk = Disk(150 * MIB)
    room, seen = Room(Path("/"), 100 * MIB, disk), 0
    with pytest.raises(StorageFull):
        async for block in room.checked(blocks(disk, 50 * MIB), 50 * MIB):
            seen += len(block)
            if seen == 10 * MIB:
                disk.free -= 30 * MIB
    assert seen < 20 * MIB


def test_the_real_disk_has_free_bytes(tmp_path: Path) -> None:
    Room(tmp_path, 0).check()
    with pytest.raises(StorageFull):
        Room(tmp_path, 2**62).check()
    Room(tmp_path / "not there yet", 2**62).check()


def test_without_a_folder_only_the_store_refuses() -> None:
    UNKNOWN_ROOM.check(2**62)
