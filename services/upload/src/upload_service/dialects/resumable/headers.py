"""The draft's headers of requests: structured fields (RFC 9651), of which a wrong one counts as missing."""

import base64
import binascii
import re

from fastapi import Request

from common.errors import InvalidInput
from common.http.dispositions import sent_name
from common.store import DigestClaim
from upload_service.dialects.growing.checksums import DIGEST_ALGORITHMS, Checksum

# An item, whose parameters mean nothing here. Sizes have at most 15 digits.
_BOOLEAN = re.compile(r"\?([01]) *(;.*)?", re.ASCII)
_NUMBER = re.compile(r"([0-9]{1,15}) *(;.*)?", re.ASCII)
_DIGEST = re.compile(r"([a-z0-9-]+)=:([A-Za-z0-9+/=]*):", re.ASCII)


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


def content_digest(request: Request) -> Checksum | None:
    """The digest that the body of this request is said to have. Raises `InvalidInput`."""
    digests = _digests(request, "content-digest")
    return next((Checksum(DIGEST_ALGORITHMS[name], digest) for name, digest in digests.items()), None)


def whole_digest(request: Request) -> tuple[DigestClaim, ...]:
    """The digest that the whole upload is said to have: SHA-256, which is computed of every file.

    Raises `InvalidInput`.
    """
    digest = _digests(request, "repr-digest").get("sha-256")
    return (DigestClaim("sha-256", digest),) if digest else ()


def wants_digest(request: Request) -> bool:
    """Whether the client asks for the digest of the whole upload."""
    return "sha-256" in request.headers.get("want-repr-digest", "")


def _digests(request: Request, name: str) -> dict[str, bytes]:
    """The digests of a header (RFC 9530) in algorithms that are known here. Others are ignored, as it says."""
    found: dict[str, bytes] = {}
    for member in filter(None, (member.strip() for member in request.headers.get(name, "").split(","))):
        algorithm = member.partition("=")[0]
        if algorithm not in DIGEST_ALGORITHMS:
            continue
        match = _DIGEST.fullmatch(member)
        try:
            digest = base64.b64decode(match[2], validate=True) if match else b""
        except binascii.Error:
            digest = b""
        if len(digest) != len(DIGEST_ALGORITHMS[algorithm]().digest()):
            raise InvalidInput(f"{name} has no digest of {algorithm}")
        found[algorithm] = digest
    return found
