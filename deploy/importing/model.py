"""Shares as other systems hold them, and where their contents are."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from common.expiry import Expiry
from share_service.shares.model import ShareKind

MIB = 1024 * 1024


class Unreadable(Exception):
    """The other system cannot be read. The message says why."""


class ContentLost(Exception):
    """The content of a share is not where the other system says, or has another size."""


def printable(line: str) -> str:
    """A line of a report. Strangers chose parts of it, which must be no order to a terminal, and no second line."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A share of the other system that has not ended."""

    origin: str
    kind: ShareKind
    code: str
    name: str
    size: int
    text: str | None
    """The text; None: it is a file."""
    path: str
    """The place of a file in the other system's store."""
    expiry: Expiry
    created_at: datetime
    used_count: int


class Contents(Protocol):
    """The files of the other system."""

    def read(self, path: str) -> AsyncIterator[bytes]:
        """The content of a file in blocks. Raises `ContentLost`."""
        ...

    async def close(self) -> None: ...


class Source(Protocol):
    """Another system."""

    @property
    def contents(self) -> Contents: ...

    @property
    def ended(self) -> int:
        """The number of shares that `shares` left out because they had ended."""
        ...

    def shares(self) -> Iterator[Foreign]:
        """The shares that have not ended."""
        ...


class LocalFiles:
    """Files below a folder. A path that leads out of it names nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def read(self, path: str) -> AsyncIterator[bytes]:
        found = (self._root / path.lstrip("/")).resolve()
        if not found.is_relative_to(self._root):
            raise ContentLost(f"{path} is outside of {self._root}")
        try:
            with found.open("rb") as file:
                while block := file.read(MIB):
                    yield block
        except OSError as error:
            raise ContentLost(f"{found}: {error.strerror}") from None

    async def close(self) -> None:
        """Nothing is open."""
