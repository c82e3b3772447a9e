"""The plan of an archive: what is at which of its bytes.

An archive is a row of pieces: each entry's header and content, then the central directory with a record of each entry,
and the end. The lengths of all of them follow from the names and sizes alone. Headers and records also have the CRC-32
of the content, which is needed only when they are made.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Literal

from common.archive import records
from common.archive.names import unique_names

SUMS_NAME = "SHA256SUMS"
"""The last entry: the digests of all others, as `sha256sum -c` reads them."""
FORMAT = b"1"
"""Changes whenever the same members become other bytes, so that no client joins ranges of both."""

PieceKind = Literal["header", "content", "record", "end"]


@dataclass(frozen=True, slots=True)
class Member:
    """A content that an archive is to have."""

    name: str
    size: int
    """In bytes."""
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes from `start` to `stop` of one piece of an archive; `index`: its entry."""

    kind: PieceKind
    index: int
    start: int
    stop: int


class Archive:
    """A zip file of some members, in their order, and of their digests."""

    def __init__(self, members: Sequence[Member], modified: datetime) -> None:
        """`modified`: the time that all entries have."""
        self._modified = modified
        self.names = [*unique_names((member.name for member in members), [SUMS_NAME]), SUMS_NAME]
        """Of all entries, in their order."""
        self.sums = "".join(
            f"{member.sha256.hex()}  {name}\n" for member, name in zip(members, self.names, strict=False)
        ).encode()
        """The content of the last entry."""
        sizes = [*(member.size for member in members), len(self.sums)]
        self._entries: list[records.Entry] = []
        at = 0
        for name, size in zip(self.names, sizes, strict=True):
            entry = records.Entry(name.encode(), size, at)
            self._entries.append(entry)
            at += entry.header_length + size
        self._directory = at
        self._records = [at, *accumulate((entry.record_length for entry in self._entries), initial=at)][1:]
        self._end = records.end(len(self._entries), at, self._records[-1] - at)
        self.size = self._records[-1] + len(self._end)
        """In bytes."""

    @property
    def last(self) -> int:
        """The index of the entry that has the digests."""
        return len(self._entries) - 1

    @property
    def tag(self) -> bytes:
        """A digest that only the same bytes have: 32 bytes."""
        hashed = hashlib.sha256(FORMAT + self._modified.isoformat().encode())
        for entry in self._entries:
            hashed.update(b"\0%d\0" % entry.size + entry.name)
        hashed.update(self.sums)
        return hashed.digest()

    def pieces(self, start: int, stop: int) -> Iterator[Piece]:
        """The pieces that the bytes from `start` to `stop` consist of, in order. None is empty."""
        first = max(bisect_right(self._entries, start, key=_offset) - 1, 0)
        for index in range(first, len(self._entries)) if start < self._directory else ():
            entry = self._entries[index]
            if entry.offset >= stop:
                return
            content = entry.offset + entry.header_length
            yield from _cut("header", index, entry.offset, content, start, stop)
            yield from _cut("content", index, content, content + entry.size, start, stop)
        first = max(bisect_right(self._records, start) - 1, 0)
        for index in range(first, len(self._entries)):
            if self._records[index] >= stop:
                return
            yield from _cut("record", index, self._records[index], self._records[index + 1], start, stop)
        yield from _cut("end", 0, self._records[-1], self.size, start, stop)

    def made(self, piece: Piece, crc: int) -> bytes:
        """The bytes of a piece that is no content; `crc`: the CRC-32 of its entry's content, which an end has not."""
        making: dict[PieceKind, Callable[[], bytes]] = {
            "header": lambda: self._entries[piece.index].header(crc, self._modified),
            "record": lambda: self._entries[piece.index].record(crc, self._modified),
            "end": lambda: self._end,
        }
        return making[piece.kind]()[piece.start : piece.stop]


def _offset(entry: records.Entry) -> int:
    return entry.offset


def _cut(kind: PieceKind, index: int, at: int, ends: int, start: int, stop: int) -> Iterator[Piece]:
    """The bytes between `start` and `stop` of a piece that reaches from `at` to `ends`, if anything does."""
    first, last = max(at, start), min(ends, stop)
    if first < last:
        yield Piece(kind, index, first - at, last - at)
