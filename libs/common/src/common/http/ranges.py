"""Which part of a download a `Range` header asks for (RFC 9110, section 14.2), as far as counting needs to know.

The object store answers the header itself; here it is only read to tell a new download from the resume of an old one.
"""

import re

RANGE_LIMIT = 16

_ONE_RANGE = re.compile(r"bytes=(\d{1,19})-\d*|bytes=-(\d{1,19})", re.ASCII)


def range_count(header: str | None) -> int:
    """How many ranges the header lists; 0 without one."""
    return 0 if header is None else header.count(",") + 1


def starts_at_zero(header: str | None, size: int) -> bool:
    """Whether the first byte of a representation of `size` bytes is asked for.

    True for all that is not clearly one range further in: no header, a malformed one, several ranges.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return True
    first, suffix = match.groups()
    return int(first) == 0 if suffix is None else int(suffix) >= size
