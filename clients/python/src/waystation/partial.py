"""A file that is being received: it lies beside its target under a hidden name, until it is whole and verified.

It is fetched in pieces, which may arrive in any order. How much of each has arrived is written down after the bytes
are, so a process that dies loses at most a second of its work.
"""

import errno
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from waystation.errors import NoRoom, Unusable
from waystation.hashing import Running
from waystation.names import numbered
from waystation.offers import Facts

PIECE = 8 * 1024 * 1024
MOST_PIECES = 1000
SAVE_SECONDS = 1.0
RESERVE = 1024 * 1024
"""Bytes that are left free on the disk."""
BLOCK = 1024 * 1024
_NAMES = 10_000


class Partial:
    """The partial file of one content."""

    def __init__(
        self, target: Path, facts: Facts, *, mark: str, notes: dict[str, Any], save: Callable[[], None]
    ) -> None:
        """`mark`: in the name of the partial file; `notes`: what is known of it, and `save` writes them down."""
        self.target, self.facts = target, facts
        self._notes, self._save_notes = notes, save
        self.path = target.with_name(f".{target.name[:60]}.{mark}.part")
        self.piece = max(PIECE, -(-facts.size // MOST_PIECES))
        self.count = -(-facts.size // self.piece)
        self._saved = 0.0
        self._running = Running()
        self._handle = -1
        self.got: list[int] = []
        """The bytes of each piece that are there."""

    def open(self) -> None:
        """Open the file, and find out what is there already. Raises `NoRoom`, `Unusable`."""
        known, same = dict(self._notes), {**self.facts.notes(), "piece": self.piece}
        resumes = {name: known.get(name) for name in same} == same and self.path.is_file()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        with self._told():
            if not resumes:
                self.path.unlink(missing_ok=True)
            self._handle = os.open(self.path, flags | (0 if resumes else os.O_EXCL), 0o666)
            self.got = [int(got) for got in known["got"]] if resumes else [0] * self.count
            self._check_room()
        self._notes.clear()
        self._notes.update(same, got=self.got)
        self._save()

    def close(self) -> None:
        if self._handle >= 0:
            with suppress(OSError):
                self._save()
            os.close(self._handle)
            self._handle = -1

    def length(self, index: int) -> int:
        return min(self.piece, self.facts.size - index * self.piece)

    @property
    def done(self) -> int:
        return sum(self.got)

    def write(self, index: int, block: bytes | bytearray) -> None:
        """Add a block to a piece. Raises `NoRoom`."""
        with self._told():
            at, view = index * self.piece + self.got[index], memoryview(block)
            while view:
                written = os.pwrite(self._handle, view, at)
                at, view = at + written, view[written:]
        is_first = self.got[index] == 0
        self.got[index] += len(block)
        if is_first or time.monotonic() - self._saved > SAVE_SECONDS:
            self._save()

    def hash_whole_pieces(self) -> bytes | None:
        """Hash the whole pieces that follow those that are hashed; the digest, once that is everything."""
        while self._running.at < self.facts.size:
            index = self._running.at // self.piece
            if self.got[index] < self.length(index):
                return None
            end = index * self.piece + self.length(index)
            while self._running.at < end:
                block = os.pread(self._handle, min(BLOCK, end - self._running.at), self._running.at)
                if not block:
                    raise Unusable(f"{self.path}: became shorter")
                self._running.feed(self._running.at, block)
        return self._running.digest()

    def keep(self, *, overwrite: bool) -> Path:
        """Give the whole file its name, or if that is taken another one like it; returns its path."""
        with self._told():
            self.close()
            if overwrite and not self.target.is_dir():
                self.path.replace(self.target)
                kept = self.target
            else:
                kept = self._link()
        return kept

    def drop(self) -> None:
        """Leave nothing of it."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _link(self) -> Path:
        for number in range(1, _NAMES):
            path = self.target if number == 1 else self.target.with_name(numbered(self.target.name, number))
            try:
                os.link(self.path, path)
            except FileExistsError:
                continue
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                    raise
                # A file system without hard links: reserve the name, then take it.
                try:
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o666))
                except FileExistsError:
                    continue
                self.path.replace(path)
                return path
            self.path.unlink()
            return path
        raise Unusable(f"{self.target}: there are too many files of this name")

    def _save(self) -> None:
        self._saved = time.monotonic()
        self._save_notes()

    def _check_room(self) -> None:
        found = os.fstatvfs(self._handle)
        missing = self.facts.size - self.done + RESERVE - found.f_bavail * found.f_frsize
        if missing > 0:
            raise NoRoom(f"The disk has no room for {self.target.name}: {missing} bytes are missing.")

    @contextmanager
    def _told(self) -> Generator[None]:
        """Say what is wrong with the disk or the folder."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise NoRoom from None
            raise Unusable(f"{self.target.parent}: {error.strerror}") from None
