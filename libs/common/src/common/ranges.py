"""The `Range` header (RFC 9110, section 14.2). Only single ranges of bytes are supported; others are ignored."""

import re
from dataclasses import dataclass

RANGE_LIMIT = 16
"""The most ranges in one header."""

_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,19})-(\d{0,19})|-(\d{1,19}))", re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to `end`, which is not included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


class Unsatisfiable(ValueError):
    """The range begins beyond the end of the content."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The range that the header requests from content of `size` bytes.

    Returns None, which stands for the whole content, if there is no header, a malformed one or several ranges. Raises
    `Unsatisfiable`.
    """
    match = _match(header)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        if not (int(suffix) and size):
            raise Unsatisfiable
        return ByteRange(max(0, size - int(suffix)), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return ByteRange(int(first), min(size, int(last) + 1) if last else size)


def range_count(header: str | None) -> int:
    """The number of ranges in the header; 0 without a header."""
    return 0 if header is None else header.count(",") + 1


def _match(header: str | None) -> re.Match[str] | None:
    return _ONE_RANGE.fullmatch(header.strip()) if header else None
