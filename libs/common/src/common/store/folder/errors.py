"""Translates errors of the file system into those of the store."""

import errno
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from common.errors import StorageFull
from common.store.interface import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Paths that are no file of ours any more: it was removed, or something else was put in its place.
GONE = (FileNotFoundError, NotADirectoryError)


@contextmanager
def translated() -> Generator[None]:
    """Raise `StorageFull` or `StoreUnavailable` for an error of the file system."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise StoreUnavailable(f"the store's folder: {error.strerror}") from error


def translating(work: Callable[P, T]) -> Callable[P, T]:
    """`work` with its errors `translated`."""

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with translated():
            return work(*args, **kwargs)

    return run
