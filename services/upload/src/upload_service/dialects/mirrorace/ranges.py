"""MirrorAce: the offset of a chunk (section 4 of its contract). No two clients mean the same by `Content-Range`.

Of `bytes <start>-<end>/<total>` only the total is reliable. The end is inclusive, exclusive or overstated. The start is
exact in the service's own example and in the .NET client; `mirror-up`, which leaves out the space, sends one that is
too high by one for each chunk before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from common.dialects.mirrorace import Refused

GAP = "The chunk does not follow what has been uploaded"

_RANGE = re.compile(r"bytes(\s*)([0-9]{1,18})\s*-\s*-?[0-9]{1,18}\s*/\s*([0-9]{1,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The reliable content of a chunk's `Content-Range`. `start` and `total` in bytes."""

    start: int
    total: int
    drifts: bool = False
    """It is written in the way of the one client whose starts are too high."""

    @staticmethod
    def parse(text: str) -> "ContentRange":
        """Raises `Refused` for text that is no range, and for a range that starts after the end of the file."""
        match = _RANGE.fullmatch(text.strip())
        if match is None:
            raise Refused("Invalid Content-Range")
        space, start, total = match.groups()
        if int(start) > int(total):
            raise Refused("Content-Range begins after the end of the file")
        return ContentRange(int(start), int(total), drifts=not space)


def offset_of(asked: ContentRange, boundaries: Sequence[int]) -> int:
    """The offset to write a chunk at that has bytes. Raises `Refused` when it would leave a gap.

    `boundaries`: the offsets at which the stored chunks begin, ascending, and last the one where they end. A chunk that
    begins before that end is sent again, because its answer did not arrive; it replaces everything from there on.
    """
    start, end, stored = asked.start, boundaries[-1], len(boundaries) - 1
    # A chunk with bytes cannot start at the end of the file, unless its start is known to be too high.
    is_behind = asked.drifts and start == end == asked.total
    if start in boundaries and not is_behind:
        return start
    if start > end:
        if start - end > stored:
            raise Refused(GAP)
        return end
    return _before_drift(start, boundaries) if asked.drifts else start


def _before_drift(start: int, boundaries: Sequence[int]) -> int:
    """The offset at which a chunk was first sent, if `start` exceeds it by at most one for each chunk before it."""
    index = max(index for index, boundary in enumerate(boundaries) if boundary < start)
    return boundaries[index] if start - boundaries[index] <= index else start
