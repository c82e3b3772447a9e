"""The bytes that a request asks for, and how much of a copy they are."""

import re
from dataclasses import dataclass

from common.ranges import ByteRange, Unsatisfiable, parse_range

HEAD_LIMIT = 64 * 1024
"""The most bytes of a file's head, which is its first sixteenth."""
PROBE_LIMIT = 2
"""The most bytes of a probe: clients ask for one or two to learn the size, and whether ranges work."""

_STRONG_TAG = re.compile(r'"[^"]*"')


def head_of(size: int) -> int:
    """The length of the head of a file: at least one byte, unless the file is empty."""
    return min(size, HEAD_LIMIT, max(1, size // 16))


@dataclass(frozen=True, slots=True)
class Ask:
    """The bytes that a GET asks for."""

    size: int
    """The size of the content."""
    range: ByteRange | None = None
    """None: the whole content, because it was asked for or because the answer may be the whole."""
    is_conditional: bool = False
    """Whether the range depends on an entity tag (`If-Range`)."""

    @property
    def length(self) -> int:
        """The number of bytes."""
        return self.size if self.range is None else self.range.length

    @property
    def is_empty(self) -> bool:
        """Whether the range is beyond the end, so that the answer is an error without any content."""
        return self.range is not None and self.range.length == 0

    @property
    def is_probe(self) -> bool:
        """Whether it asks for a byte or two at the start of a file of which they are at most an eighth."""
        found = self.range
        return found is not None and found.start == 0 and 0 < found.length <= min(PROBE_LIMIT, self.size // 8)

    @property
    def is_from_start(self) -> bool:
        """Whether it includes the first byte."""
        return self.range is None or (self.range.start == 0 and not self.is_empty)

    @property
    def head_length(self) -> int:
        """The number of bytes that belong to the head of the file."""
        head = head_of(self.size)
        return head if self.range is None else max(0, min(self.range.end, head) - self.range.start)


def ask_of(ranges: str | None, if_range: str | None, size: int, *, is_counted: bool) -> Ask:
    """The bytes asked for by the headers `Range` and `If-Range`, out of `size`.

    `is_counted` tells whether the share has a limited number of uses. Only then does the service decide which range is
    served; otherwise a range with `If-Range`, which the store may answer with the whole, is taken for the whole.
    """
    if if_range is not None and not (is_counted and _STRONG_TAG.fullmatch(if_range.strip())):
        return Ask(size)
    try:
        found = parse_range(ranges, size)
    except Unsatisfiable:
        found = ByteRange(size, size)
    return Ask(size, found, is_conditional=found is not None and if_range is not None)
