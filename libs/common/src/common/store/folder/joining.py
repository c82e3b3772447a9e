"""Joins objects into a new one: the file system copies the bytes, by reference where it can."""

import errno
import os
import threading
from collections.abc import Sequence

from common.store.digest import ContentHasher, PieceCheck
from common.store.folder.disk import Disk, begin_writing_out
from common.store.folder.errors import GONE
from common.store.folder.files import write_all
from common.store.folder.layout import new_id
from common.store.interface import Lease, PartMismatch, Piece
from common.store.limits import MIB

STEP = 32 * MIB
READ_BLOCK = MIB
# File systems that cannot copy by themselves, or not between these two files.
_CANNOT = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.EPERM)


class Joiner:
    """One object that is joined, step by step, in threads."""

    def __init__(
        self, disk: Disk, key: str, pieces: Sequence[Piece], hasher: ContentHasher, lease: Lease | None
    ) -> None:
        self._disk, self._key, self._pieces, self._whole, self._lease = disk, key, pieces, hasher, lease
        self._path = disk.layout.being_written(key, new_id())
        self._target: int | None = None
        self._size = 0
        self._piece = 0
        """The index of the piece that is copied."""
        self._source: int | None = None
        self._check = PieceCheck(hasher, None)
        """Of the piece that is copied."""
        self._can_copy = True
        self._is_published = False
        self._turn = threading.Lock()

    def advance(self) -> bool:
        """Copy and hash some more; True when all is done, synced and in its place."""
        with self._turn:
            return self._advance()

    def close(self) -> None:
        """End it. Nothing stays unless it was done."""
        with self._turn:
            self._close_source()
            if self._target is not None:
                os.close(self._target)
                self._target = None
                if not self._is_published:
                    self._disk.remove(self._path)

    def _advance(self) -> bool:
        if self._target is None:
            self._target = self._disk.create(self._path)
        left = STEP
        while left > 0 and self._piece < len(self._pieces):
            left -= max(self._copy_some(self._target, self._pieces[self._piece], left), 1)
        if self._piece < len(self._pieces):
            return False
        if self._disk.synced:
            os.fdatasync(self._target)
        self._disk.publish(self._path, self._key, self._lease.check if self._lease else None)
        self._is_published = True
        return True

    def _copy_some(self, target: int, piece: Piece, most: int) -> int:
        """Copy the rest of a piece, or `most` bytes of it. Raises `ObjectMissing`, `PartMismatch`."""
        source = self._source_of(piece)
        start = self._check.size
        count = min(most, piece.size - start)
        copied = self._copied_by_the_system(source, target, start, count)
        done = 0
        while done < count:
            block = os.pread(source, min(READ_BLOCK, count - done), start + done)
            if not block:
                raise PartMismatch
            self._whole.update(block)
            self._check.update(block)
            if done + len(block) > copied:
                write_all(target, [block], self._size + done)
            done += len(block)
        if self._disk.synced:
            begin_writing_out(target, self._size, done)
        self._size += done
        if self._check.size == piece.size:
            if not self._check.is_right(piece.size):
                raise PartMismatch
            self._close_source()
            self._piece += 1
        return done

    def _copied_by_the_system(self, source: int, target: int, start: int, count: int) -> int:
        """Copy a range without reading it; the number of bytes from its beginning that were."""
        done = 0
        while self._can_copy and done < count:
            try:
                copied = os.copy_file_range(source, target, count - done, start + done, self._size + done)
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
                self._can_copy = False
                return done
            if not copied:
                return done
            done += copied
        return done

    def _source_of(self, piece: Piece) -> int:
        if self._source is None:
            try:
                self._source = self._disk.open(self._disk.layout.object(piece.key))
            except GONE:
                raise self._disk.missing() from None
            self._check = PieceCheck(self._whole, piece.sha256)
        return self._source

    def _close_source(self) -> None:
        if self._source is not None:
            os.close(self._source)
            self._source = None
