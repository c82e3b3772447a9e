"""The interface of all mirror drivers, and the errors that they raise.

The messages of these errors never quote an option, a URL or a library's message, since any of them may hold a
credential.
"""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from common.errors import DomainError, InvalidInput


class OptionsInvalid(InvalidInput):
    """The options of this mirror are not valid."""

    code = "mirror_options_invalid"


class MirrorError(DomainError):
    """The mirror failed to do what it was asked."""

    code = "mirror_error"


class MirrorDown(MirrorError):
    """The mirror is not answering."""

    code = "mirror_down"

    def __init__(self, message: str | None = None, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """The time for which the mirror asks to be left alone, if it names one."""


class ReplicaBrokenOff(MirrorDown):
    """The mirror broke off in the middle of this replica."""

    code = "replica_broken_off"


class MirrorFull(MirrorError):
    """The mirror has no room left."""

    code = "mirror_full"


class MirrorRefused(MirrorError):
    """The mirror refuses: its credentials, its permissions or its options are wrong."""

    code = "mirror_refused"


class ReplicaLost(MirrorError):
    """The mirror does not have this replica."""

    code = "replica_lost"


class ReplicaTooLarge(MirrorError):
    """The mirror cannot hold content of this size."""

    code = "replica_too_large"


class ReplicaEmpty(ReplicaTooLarge):
    """The mirror cannot hold empty content."""

    code = "replica_empty"


@dataclass(frozen=True, slots=True)
class Place:
    """The location of a replica: the path that this system chose, and the URL that the mirror gave for it, if any."""

    path: str
    """Made by this system of `a-z`, `0-9` and `/` only."""
    url: str | None = None


class UrlReader(Protocol):
    """Reads URLs that came from strangers, at public addresses only."""

    def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        """Content from byte `start`, `length` bytes or to the end. Raises `ReplicaLost`, `MirrorRefused`, `MirrorDown`.

        A server that does not honour ranges is read from its first byte, and the bytes before `start` are dropped.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits that the operator of this system sets for all mirrors."""

    folders: tuple[Path, ...] = ()
    """Mirrors may be folders below these; none may be when empty."""
    stall_seconds: float = 60
    """A mirror is down when nothing moves for this long."""
    urls: UrlReader | None = None
    """Reads what an HTTP store keeps at other origins; without it, only its own origin is read."""


class Driver(Protocol):
    """The way to one mirror. It never retries: that is for its caller, which knows how often it has failed.

    Only one caller at a time writes a path. A root that is missing is made by the first write where the kind has
    folders that can be made, and is not missed by `check`; only a local folder must exist, as it may be a disk that is
    not mounted.
    """

    @property
    def can_delete(self) -> bool:
        """Whether `delete` removes what was written, and does not only forget it."""
        ...

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        """Put exactly `size` bytes at `path`, replacing what is there; returns the URL if the mirror names one.

        Raises what `blocks` raises, `MirrorDown`, `MirrorFull`, `MirrorRefused`, `ReplicaTooLarge`; and `BodyLength`
        when the source ends early or late. In these cases nothing that could be taken for the whole is at `path`.
        """
        ...

    def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The content from byte `start`, `length` bytes or to the end; nothing if it ends before `start`.

        Raises `ReplicaLost` when nothing is there, `MirrorDown`, `MirrorRefused`; and `ReplicaBrokenOff` where the
        driver can tell that the mirror had begun to send it.
        """
        ...

    async def delete(self, place: Place) -> None:
        """Remove it; succeeds too when nothing is there. Raises `MirrorDown`, `MirrorRefused`."""
        ...

    async def remove_left(self, before: datetime) -> int:
        """Remove what killed writes and probes left, if nobody has changed it since `before`; the number of files.

        One call looks at `MOST_LISTED` entries of a folder. Raises `MirrorDown`, `MirrorRefused`.
        """
        ...

    async def check(self) -> None:
        """Raise `MirrorDown` or `MirrorRefused` unless the mirror answers and takes our credentials."""
        ...

    async def close(self) -> None:
        """Close its connections. Never raises."""
        ...
