"""What a mirror driver is, whatever it speaks, and how it says that it failed.

No message of these errors holds an option, a URL or what a library said: any of them may carry a credential.
"""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.errors import DomainError, InvalidInput


class OptionsInvalid(InvalidInput):
    """The options of this mirror are not valid."""

    code = "mirror_options_invalid"


class MirrorError(DomainError):
    """A mirror did not do what was asked."""

    code = "mirror_error"


class MirrorDown(MirrorError):
    """The mirror is not answering."""

    code = "mirror_down"


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a replica is: the path this system chose, and the URL the mirror gave for it, where it gives one."""

    path: str
    """Server-made: `a-z`, `0-9` and `/` alone."""
    url: str | None = None


class UrlReader(Protocol):
    """Reads URLs that came from strangers, at public addresses alone."""

    def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        """Content from byte `start`, `length` bytes or to the end. Raises `ReplicaLost`, `MirrorRefused`, `MirrorDown`.

        A server that does not honour ranges is read from its first byte, and what comes before `start` is dropped.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator of this system lets mirrors do."""

    folders: tuple[Path, ...] = ()
    """Where folders may be mirrors; nowhere when empty."""
    stall_seconds: float = 60
    """A mirror with which nothing moves for so long is down."""
    urls: UrlReader | None = None
    """Reads what an HTTP store keeps elsewhere; without it, only what it keeps on its own origin is read."""


class Driver(Protocol):
    """How one mirror is spoken to. It tries nothing twice: that is for its caller, which knows how often it failed.

    One path is written by one caller at a time.
    """

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        """Put exactly `size` bytes at `path`, in place of whatever is there; the URL when the mirror names one.

        Raises what `blocks` raises, `MirrorDown`, `MirrorFull`, `MirrorRefused`, `ReplicaTooLarge`; and `BodyLength`
        when the source ends early or late. Nothing that could be taken for the whole is then at `path`.
        """
        ...

    def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Content from byte `start`, `length` bytes or to the end; nothing when it ends before `start`.

        Raises `ReplicaLost` when nothing is there, `MirrorDown`, `MirrorRefused`.
        """
        ...

    async def delete(self, place: Place) -> None:
        """Remove it. What is not there is as good as removed. Raises `MirrorDown`, `MirrorRefused`."""
        ...

    async def check(self) -> None:
        """Raise `MirrorDown` or `MirrorRefused` unless the mirror answers and takes our credentials."""
        ...

    async def close(self) -> None:
        """End its connections. Never raises."""
        ...
