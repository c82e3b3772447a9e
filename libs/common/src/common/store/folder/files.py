"""Files that are being written, by one thread at a time: every block is hashed and written in one step."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from common.store.folder.disk import Disk, begin_writing_out
from common.store.folder.errors import GONE, translated
from common.store.folder.layout import new_id
from common.store.folder.locks import is_range_free, range_locked
from common.store.interface import Digest, Lease, UploadMissing
from common.store.limits import MIB
from common.store.room import MEASURE_EVERY, Room

# A large file is written out while it grows, in pieces of this size.
WRITE_OUT_EVERY = 8 * MIB
MOST_BLOCKS = 1024
"""One system call takes so many blocks (IOV_MAX)."""


class FileWriter(ABC):
    """Writes blocks one after the other. `finish` or `drop` ends it; the other then does nothing."""

    def __init__(self, disk: Disk, room: Room, digest: Digest | None, lease: Lease | None, certain: int) -> None:
        """`certain`: the number of bytes that will come at least."""
        self._disk, self._room, self._digest, self._lease, self._certain = disk, room, digest, lease, certain
        self._fd: int | None = None
        self._start = 0
        """The offset in the file at which the writing began."""
        self._size = 0
        self._measured = 0
        self._written_out = 0
        self._is_over = False
        self._turn = threading.Lock()

    def write(self, blocks: Sequence[bytes]) -> None:
        """Hash and write blocks, `MOST_BLOCKS` at most."""
        with self._turn, translated():
            self._write(blocks)

    def finish(self, blocks: Sequence[bytes]) -> None:
        """Write the last blocks; when this returns, the content is safe and in its place."""
        with self._turn, translated():
            self._write(blocks)
            self._finish(self._opened())
            self._close()

    def drop(self) -> None:
        """Leave nothing that counts. Waits for a write that is under way."""
        with self._turn, translated():
            was_begun = self._fd is not None
            self._close()
            if was_begun:
                self._remove()

    def _write(self, blocks: Sequence[bytes]) -> None:
        assert not self._is_over, "it has ended"
        fd = self._opened()
        if self._digest:
            for block in blocks:
                self._digest(block)
        self._write_at(fd, blocks)
        if self._size - self._measured >= MEASURE_EVERY:
            # The bytes that are under way are not on the disk yet, so only the rest is asked for.
            self._room.check(max(self._certain - self._size, 0))
            self._measured = self._size
        if self._disk.synced and self._size - self._written_out >= WRITE_OUT_EVERY:
            begin_writing_out(fd, self._start + self._written_out, self._size - self._written_out)
            self._written_out = self._size

    def _write_at(self, fd: int, blocks: Sequence[bytes]) -> None:
        self._size += write_all(fd, blocks, self._start + self._size)

    def _opened(self) -> int:
        if self._fd is None:
            self._fd = self._open()
        return self._fd

    def _close(self) -> None:
        self._is_over = True
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @abstractmethod
    def _open(self) -> int:
        """Open the file for writing and return its descriptor."""

    @abstractmethod
    def _finish(self, fd: int) -> None:
        """Make sure that the content is safe and in its place."""

    @abstractmethod
    def _remove(self) -> None:
        """Remove what was written, if it would count for anything."""


class ObjectWriter(FileWriter):
    """Writes a whole object to a file of its own, which is then renamed into its place."""

    def __init__(
        self, disk: Disk, room: Room, key: str, digest: Digest | None, lease: Lease | None, certain: int
    ) -> None:
        super().__init__(disk, room, digest, lease, certain)
        self._key = key
        self._path = disk.layout.being_written(key, new_id())

    def _open(self) -> int:
        return self._disk.create(self._path)

    def _finish(self, fd: int) -> None:
        if self._disk.synced:
            os.fdatasync(fd)
        self._disk.publish(self._path, self._key, self._lease.check if self._lease else None)

    def _remove(self) -> None:
        self._disk.remove(self._path)


class PartWriter(FileWriter):
    """Writes one part at its offset in the file of the whole object.

    No byte is written unless the writer's right holds in that moment: the range is locked, then the right is checked,
    then a block is written. A writer that was stopped longer than its right lasted finds that out before it writes
    again, and one that was stopped while it wrote keeps the lock from its successor.
    """

    def __init__(
        self,
        disk: Disk,
        room: Room,
        key: str,
        upload_id: str,
        offset: int,
        size: int,
        digest: Digest | None,
        lease: Lease | None,
    ) -> None:
        super().__init__(disk, room, digest, lease, size)
        self._path = disk.layout.being_written(key, upload_id)
        self._start, self._whole = offset, size

    def begin(self) -> bool:
        """Open the file; False while another writer is in the middle of the part. Raises `UploadMissing`."""
        with self._turn, translated():
            return is_range_free(self._opened(), self._start, self._whole)

    def _open(self) -> int:
        try:
            return self._disk.open(self._path, os.O_WRONLY)
        except GONE:
            self._disk.check()
            raise UploadMissing from None

    def _write_at(self, fd: int, blocks: Sequence[bytes]) -> None:
        with range_locked(fd, self._start, self._whole):
            if self._lease:
                self._lease.check()
            super()._write_at(fd, blocks)

    def _finish(self, fd: int) -> None:
        if self._disk.synced:
            os.fdatasync(fd)

    def _remove(self) -> None:
        """Nothing: the range counts for nothing until it is recorded, and then it has been written again."""


def write_all(fd: int, blocks: Sequence[bytes], offset: int) -> int:
    """Write blocks at an offset, also when the system takes only some of them at a time; the number of bytes."""
    size = sum(map(len, blocks))
    written = os.pwritev(fd, blocks, offset) if blocks else 0
    if written == size:
        return size
    rest = memoryview(b"".join(blocks))
    while written < size:
        written += os.pwrite(fd, rest[written:], offset + written)
    return size


def read_each(fd: int, start: int, size: int, block_size: int, use: Callable[[memoryview], object]) -> int:
    """Give `use` the blocks of a range, in one buffer that is used again; the number of bytes that there were."""
    buffer = memoryview(bytearray(min(block_size, size)))
    done = 0
    while done < size:
        count = os.preadv(fd, [buffer[: size - done]], start + done)
        if not count:
            break
        use(buffer[:count])
        done += count
    return done
