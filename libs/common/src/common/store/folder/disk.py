"""The folder on the disk: it is made, files are put into their place in it, and what is said to be there is synced."""

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

from common.store.folder.errors import GONE
from common.store.folder.layout import Layout, place_of
from common.store.folder.locks import lock_folder
from common.store.interface import ObjectMissing, StoreUnavailable

FORMAT = b"waystation folder store 1\n"
FOLDER_MODE = 0o700
_SYNC_FILE_RANGE_WRITE = 2
_LOST_AND_FOUND, _NEW_FORMAT = "lost+found", "format~"


class Disk:
    """A folder store's files. Every method is for threads, and raises `OSError`."""

    def __init__(self, root: Path, *, synced: bool) -> None:
        self.layout = Layout(root)
        self.synced = synced
        self._known = bytearray(65536)
        """For each folder of objects whether it is known to be there, also after a power failure."""

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
        for folder in (layout.objects, layout.unfinished):
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

        `check` raises an error to prevent that; from the check to the end no other writer with a check comes between.
        """
        place = place_of(key)
        folder = self._folder(place[:2], place[3:5])
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if check:
                lock_folder(held)
                check()
            path.rename(self.layout.object(key))
            if self.synced:
                os.fsync(held)
        finally:
            os.close(held)

    def _folder(self, first: str, second: str) -> Path:
        """A folder of objects, made if need be. It is synced once by each process: another may just have made it."""
        outer = self.layout.objects / first
        folder = outer / second
        number = int(first + second, 16)
        if not self._known[number] or not folder.is_dir():
            # The folder of all objects must be there: an unmounted disk is not filled.
            outer.mkdir(FOLDER_MODE, exist_ok=True)
            folder.mkdir(FOLDER_MODE, exist_ok=True)
            self.sync(outer)
            self.sync(self.layout.objects)
            self._known[number] = True
        return folder

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
