"""A folder of the server's own files, which an administrator may share and delete.

Names are one step deep. Files are opened below the folder itself and never through links, so nothing leads out of it.
"""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from common.errors import InvalidInput, NotFound

FILES_AT_MOST = 10_000


class NameLeavesFolder(InvalidInput):
    """This is not the name of a file in the folder."""

    code = "name_leaves_folder"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file in the folder. `size` in bytes."""

    name: str
    changed_at: datetime
    size: int


class LocalFolder:
    """The folder. Its methods block."""

    def __init__(self, path: Path | None) -> None:
        """None: there is no folder, and so no file."""
        self._path = path

    def files(self) -> list[LocalFile]:
        """The files that can be shared, by name; 10,000 at most."""
        if self._path is None:
            return []
        found: list[LocalFile] = []
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    if len(found) == FILES_AT_MOST:
                        break
                    if entry.is_file(follow_symlinks=False) and _is_text(entry.name):
                        found.append(_file(entry.name, entry.stat(follow_symlinks=False)))
        except FileNotFoundError:
            return []
        return sorted(found, key=lambda file: file.name)

    def open(self, name: str) -> tuple[BinaryIO, int]:
        """The file, opened for reading, and its size. Raises `NameLeavesFolder`, `NotFound`."""
        with self._folder(name) as folder:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise NameLeavesFolder
        return os.fdopen(handle, "rb", buffering=0), status.st_size

    def delete(self, name: str) -> None:
        """Delete the file. Raises `NameLeavesFolder`, `NotFound`."""
        with self._folder(name) as folder:
            if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                raise NameLeavesFolder
            os.unlink(name, dir_fd=folder)

    @contextmanager
    def _folder(self, name: str) -> Generator[int]:
        """The folder, opened, for a call with a file of this name."""
        if name in ("", ".", "..") or not _is_text(name) or any(mark in name for mark in "/\\\0"):
            raise NameLeavesFolder
        if self._path is None:
            raise NotFound
        try:
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                yield folder
            finally:
                os.close(folder)
        except OSError as error:
            # A link, or a name that no file has.
            leaves = error.errno in (errno.ELOOP, errno.ENAMETOOLONG)
            raise (NameLeavesFolder if leaves else NotFound) from None


def _file(name: str, status: os.stat_result) -> LocalFile:
    return LocalFile(name, datetime.fromtimestamp(status.st_ctime, UTC), status.st_size)


def _is_text(name: str) -> bool:
    """Whether the name can be written as text at all."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
