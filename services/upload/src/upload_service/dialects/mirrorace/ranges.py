"""MirrorAce: where a chunk belongs (section 4 of its contract). No two clients mean the same by `Content-Range`.

Of `bytes <start>-<end>/<total>` only the total can be relied on. The end is inclusive, exclusive or overstated. The
start is exact in the service's own example and in the .NET client; that of `mirror-up`, which leaves out the space, is
one too high for each chunk before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from common.dialects.mirrorace import Refused

GAP = "The chunk does not follow what has been uploaded"

_RANGE = re.compile(r"bytes(\s*)([0-9]{1,18})\s*-\s*-?[0-9]{1,18}\s*/\s*([0-9]{1,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """What a chunk's `Content-Range` says. `start` and `total` in bytes."""

    start: int
    total: int
    drifts: bool = False
    """Whether it is written as only the client writes it whose starts are too high."""

    @staticmethod
    def parse(text: str) -> "ContentRange":
        """Raises `Refused` for what is no range, or one that begins beyond its end."""
        match = _RANGE.fullmatch(text.strip())
        if match is None:
            raise Refused("Invalid Content-Range")
        space, start, total = match.groups()
        if int(start) > int(total):
            raise Refused("Content-Range begins after the end of the file")
        return ContentRange(int(start), int(total), drifts=not space)


def place(asked: ContentRange, boundaries: Sequence[int]) -> int:
    """The offset at which a chunk that has bytes is to be written. Raises `Refused` when it leaves a gap.

    `boundaries`: where the chunks begin that are stored, ascending, and last where all of them end. A chunk that begins
    before that end is one that is sent again, because its answer did not arrive, and what follows it is with it.
    """
    start, end, stored = asked.start, boundaries[-1], len(boundaries) - 1
    # What begins at the end of the file cannot be meant so, unless it is known that its start is too high.
    is_behind = asked.drifts and start == end == asked.total
    if start in boundaries and not is_behind:
        return start
    if start > end:
        if start - end > stored:
            raise Refused(GAP)
        return end
    return _before_drift(start, boundaries) if asked.drifts else start


def _before_drift(start: int, boundaries: Sequence[int]) -> int:
    """Where a chunk began when it was sent first, if `start` is that offset and one more for each chunk before it."""
    index = max(index for index, boundary in enumerate(boundaries) if boundary < start)
    return boundaries[index] if start - boundaries[index] <= index else start
