"""The room that is left for objects, where it can be known: a reserve of the disk is never given to uploads.

The databases and the messages are usually on the same disk. If uploads filled it, nothing else could be written, and
downloads and deletions would stop too.
"""

import shutil
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from common.errors import StorageFull
from common.metrics import Gauge, Labels

# The room is measured again after this many bytes: other uploads fill the same disk.
MEASURE_EVERY = 4 * 1024 * 1024


def free_bytes(folder: Path) -> int:
    """The bytes that are free on the file system of a folder."""
    return shutil.disk_usage(folder).free


_FOLDERS: set[Path] = set()


def _free_now() -> dict[Labels, float]:
    known = [folder for folder in _FOLDERS if folder.exists()]
    return {(): float(min(map(free_bytes, known)))} if known else {}


Gauge("waystation_store_free_bytes", "Bytes free on the disk of the store, if it is on this machine.", look=_free_now)


@dataclass(frozen=True, slots=True)
class Left:
    """The bytes that are free on a disk, and those that are kept free."""

    free: int
    reserve: int

    @property
    def is_low(self) -> bool:
        """Whether uploads will soon be refused."""
        return self.free < 2 * self.reserve


class Room:
    """The room on the disk of the object store."""

    def __init__(self, folder: Path | None, reserve: int, free: Callable[[Path], int] = free_bytes) -> None:
        """`folder`: one on the disk of the store; None: only the store knows its room. `reserve`: bytes to leave."""
        self._folder, self._reserve, self._free = folder, reserve, free
        if folder:
            _FOLDERS.add(folder)

    def left(self) -> Left | None:
        """The free bytes of the disk; None where only the store knows them."""
        try:
            return Left(self._free(self._folder), self._reserve) if self._folder else None
        except FileNotFoundError:
            return None

    def check(self, size: int = 0) -> None:
        """Raise `StorageFull` unless `size` more bytes leave the reserve free."""
        if self._folder is None:
            return
        try:
            free = self._free(self._folder)
        except FileNotFoundError:
            # The store has not begun to keep anything.
            return
        if free - size < self._reserve:
            raise StorageFull

    async def checked(self, blocks: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
        """The blocks of a body of `size` bytes. Raises `StorageFull` as soon as the disk has no room for the rest."""
        left, measured = size, size
        async for block in blocks:
            left -= len(block)
            if measured - left >= MEASURE_EVERY:
                # Bytes that are under way are not on the disk yet, so only the rest is asked for.
                self.check(max(left, 0))
                measured = left
            yield block


UNKNOWN_ROOM = Room(None, 0)
"""The room of a store that is not on this machine."""
