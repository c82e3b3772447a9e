"""The digests that a request declares (RFC 9530): of its own body, and of the whole upload."""

import base64
import binascii
import re

from fastapi import Request

from common.errors import InvalidInput
from common.store import DigestClaim
from upload_service.dialects.growing.checksums import DIGEST_ALGORITHMS, Checksum

_DIGEST = re.compile(r"([a-z0-9-]+)=:([A-Za-z0-9+/=]*):", re.ASCII)


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


def _digests(request: Request, name: str) -> dict[str, bytes]:
    """The digests of a header in algorithms that are known here. Others are ignored, as the RFC says."""
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
