"""Locks that the kernel releases when their process dies."""

import fcntl
import struct
import time
from collections.abc import Generator
from contextlib import contextmanager

from common.store.interface import PartBusy

# struct flock: l_type, l_whence, l_start, l_len, l_pid, padded to its size.
_FLOCK = struct.Struct("hhqqi4x")
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.01


def is_range_free(fd: int, start: int, size: int) -> bool:
    """Whether no other descriptor of an open file holds the range at this moment."""
    is_free = _try_range(fd, fcntl.F_WRLCK, start, size)
    if is_free:
        _try_range(fd, fcntl.F_UNLCK, start, size)
    return is_free


@contextmanager
def range_locked(fd: int, start: int, size: int) -> Generator[None]:
    """Hold a range of an open file against every other descriptor of it, in this process or another.

    Raises `PartBusy` when another holds it longer than `PATIENCE_SECONDS`.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while not _try_range(fd, fcntl.F_WRLCK, start, size):
        if time.monotonic() >= until:
            raise PartBusy
        time.sleep(LOOK_SECONDS)
    try:
        yield
    finally:
        _try_range(fd, fcntl.F_UNLCK, start, size)


def _try_range(fd: int, kind: int, start: int, size: int) -> bool:
    try:
        # A lock of length 0 would reach to the end of all files.
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, 0, start, max(size, 1), 0))
    except BlockingIOError:
        return False
    return True


def lock_folder(fd: int) -> None:
    """Hold an open folder until it is closed. Raises `PartBusy` when another holds it too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise PartBusy from None
            time.sleep(LOOK_SECONDS)
        else:
            return
