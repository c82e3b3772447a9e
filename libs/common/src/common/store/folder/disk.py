"""The folder on the disk: it is made, files are put into their place in it, and what is said to be there is synced."""

import ctypes
import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from common.store.folder.errors import GONE
from common.store.folder.layout import Layout, new_id, read_unfinished
from common.store.folder.locks import lock_folder
from common.store.interface import ObjectMissing, StoreUnavailable, Unfinished

FORMAT = b"waystation folder store 1\n"
FOLDER_MODE = 0o700
FOLDERS = 256 * 256
_SYNC_FILE_RANGE_WRITE = 2
_LOST_AND_FOUND, _NEW_FORMAT = "lost+found", "format~"


class Disk:
    """A folder store's files. Every method is for threads, and raises `OSError`."""

    def __init__(self, root: Path, *, synced: bool) -> None:
        self.layout = Layout(root)
        self.synced = synced
        self._is_synced = bytearray(FOLDERS + 256)
        """For each folder of objects, and each of the 256 above them, whether its name survives a power failure."""

    def prepare(self) -> None:
        """Make the folder, unless it is made. Raises `StoreUnavailable` when something else is in its place."""
        layout = self.layout
        layout.root.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        if not layout.format.exists():
            names = {path.name for path in layout.root.iterdir() if not path.name.startswith(_NEW_FORMAT)}
            if names - {_LOST_AND_FOUND}:
                raise StoreUnavailable(f"{layout.root} holds something else than a folder store")
            layout.root.chmod(FOLDER_MODE)
            new = layout.root / f"{_NEW_FORMAT}{os.getpid()}"
            new.write_bytes(FORMAT)
            self.sync(new)
            new.rename(layout.format)
        self.check()
        for folder in (layout.objects, layout.unfinished, layout.damaged):
            folder.mkdir(FOLDER_MODE, exist_ok=True)
        self.sync(layout.root)

    def check(self) -> None:
        """Raise `StoreUnavailable` unless the folder is there and of a version that this code knows."""
        try:
            found = self.layout.format.read_bytes()
        except GONE:
            raise StoreUnavailable(f"{self.layout.root} holds no store: is its disk mounted?") from None
        if found != FORMAT:
            raise StoreUnavailable(f"{self.layout.root} is of another version: {found[:80]!r}")

    def missing(self) -> ObjectMissing:
        """The error for a file that is not there. Raises `StoreUnavailable` when the whole folder is not."""
        self.check()
        return ObjectMissing()

    def create(self, path: Path) -> int:
        """Create a file for writing and return its descriptor."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, 0o600)

    def open(self, path: Path, flags: int = os.O_RDONLY) -> int:
        """Open a file that exists. A link is none: something else was put in the place of a file of ours."""
        try:
            return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FileNotFoundError(errno.ENOENT, "not a file", str(path)) from None
            raise

    def publish(self, path: Path, key: str, check: Callable[[], None] | None = None) -> None:
        """Put a synced file into its place as an object.

        `check` raises an error to prevent that; from the check to the end no other writer comes between.
        """
        place = self.layout.object(key)
        held = self._opened_folder(place.parent)
        try:
            lock_folder(held)
            if check:
                check()
            path.rename(place)
            if self.synced:
                os.fsync(held)
        finally:
            os.close(held)
        if self.synced:
            self._sync_above(place.parent)

    def _opened_folder(self, folder: Path) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        with suppress(FileNotFoundError):
            return os.open(folder, flags)
        # The folder of all objects must be there: a disk that is not mounted is not filled.
        folder.parent.mkdir(FOLDER_MODE, exist_ok=True)
        folder.mkdir(FOLDER_MODE, exist_ok=True)
        return os.open(folder, flags)

    def _sync_above(self, folder: Path) -> None:
        """Sync the names of a folder of objects. Each process does it once: another may just have made the folder."""
        number, above = int(folder.parent.name + folder.name, 16), FOLDERS + int(folder.parent.name, 16)
        if not self._is_synced[number]:
            self.sync(folder.parent)
            if not self._is_synced[above]:
                self.sync(self.layout.objects)
                self._is_synced[above] = True
            self._is_synced[number] = True

    def put_aside(self, key: str, size: int) -> None:
        """Move an object out of the way unless it has this size."""
        path = self.layout.object(key)
        held = self._opened_folder(path.parent)
        try:
            lock_folder(held)
            # It may have been restored or removed meanwhile.
            with suppress(FileNotFoundError):
                if path.lstat().st_size != size:
                    path.rename(self.layout.damaged / f"{path.name}~{new_id()}")
        finally:
            os.close(held)

    def unfinished(self, age: timedelta) -> list[Unfinished]:
        """The files that were not written to for `age` and have not come to their place."""
        before = time.time() - age.total_seconds()
        found: list[Unfinished] = []
        with os.scandir(self.layout.unfinished) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if (upload := read_unfinished(entry.name)) and entry.stat(follow_symlinks=False).st_mtime < before:
                        found.append(upload)
        return found

    def sync(self, path: Path) -> None:
        """Write a file or folder to the disk, if this store is synced."""
        if not self.synced:
            return
        fd = self.open(path)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        try:
            path.unlink()
        except GONE:
            self.check()


def _sync_file_range() -> Callable[[int, int, int, int], int] | None:
    try:
        function = ctypes.CDLL(None).sync_file_range
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return function


_start = _sync_file_range()


def begin_writing_out(fd: int, start: int, size: int) -> None:
    """Let the system begin to write a range to the disk, so that the sync at the end is short. It may do nothing."""
    if _start:
        _start(fd, start, size, _SYNC_FILE_RANGE_WRITE)
