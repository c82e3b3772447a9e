"""The draft's headers of requests: structured fields (RFC 9651), of which a wrong one counts as missing."""

import re

from fastapi import Request

from common.http.dispositions import sent_name

# An item, whose parameters mean nothing here. Sizes have at most 15 digits.
_BOOLEAN = re.compile(r"\?([01]) *(;.*)?", re.ASCII)
_NUMBER = re.compile(r"([0-9]{1,15}) *(;.*)?", re.ASCII)


def boolean(request: Request, name: str) -> bool | None:
    """The value of a header that is true or false."""
    found = _BOOLEAN.fullmatch(request.headers.get(name, "").strip())
    return found[1] == "1" if found else None


def number(request: Request, name: str) -> int | None:
    """The value of a header that is a number of bytes."""
    found = _NUMBER.fullmatch(request.headers.get(name, "").strip())
    return int(found[1]) if found else None


def file_name(request: Request) -> str | None:
    """The name of the file in `Content-Disposition`."""
    return sent_name(request.headers.get("content-disposition", ""))


def wants_digest(request: Request) -> bool:
    """Whether the client asks for the digest of the whole upload."""
    return "sha-256" in request.headers.get("want-repr-digest", "")
