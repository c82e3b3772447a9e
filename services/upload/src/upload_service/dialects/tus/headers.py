"""tus: the headers of requests. Sizes and offsets in bytes."""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from fastapi import Request

from common.errors import DomainError, InvalidInput, NotFound
from common.http.bodies import media_type
from common.ids import parse_id

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"
METADATA_LIMIT = 8192
SECRET_KEYS = ("password", "item")
"""The keys of the metadata whose values are not answered."""
# More digits than the size of any object.
_NUMBER = re.compile("[0-9]{1,18}", re.ASCII)
_KEY = re.compile(r"[!-+\--~]+", re.ASCII)


class VersionRefused(DomainError):
    """Requests need the header Tus-Resumable: 1.0.0."""

    code = "tus_version"


class WrongContentType(DomainError):
    """The body must have the Content-Type application/offset+octet-stream."""

    code = "content_type"


class _Crc32:
    """CRC-32 in the shape of a hash of `hashlib`."""

    def __init__(self) -> None:
        self._sum = 0

    def update(self, block: bytes, /) -> None:
        self._sum = zlib.crc32(block, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


class Hash(Protocol):
    def update(self, block: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


def _hashlib(name: str) -> Callable[[], Hash]:
    return lambda: hashlib.new(name, usedforsecurity=False)


ALGORITHMS: dict[str, Callable[[], Hash]] = {
    **{name: _hashlib(name) for name in ("sha1", "sha256", "md5")},
    "crc32": _Crc32,
}


@dataclass(frozen=True, slots=True)
class Checksum:
    """The digest that the body of a request must have."""

    algorithm: str
    digest: bytes

    def begin(self) -> Hash:
        """A new computation of it."""
        return ALGORITHMS[self.algorithm]()


def check_version(request: Request) -> None:
    """Raise `VersionRefused` unless the request speaks this version."""
    if request.headers.get("tus-resumable") != VERSION:
        raise VersionRefused


def has_content(request: Request) -> bool:
    """Whether the body is content of the upload."""
    return media_type(request) == CONTENT_TYPE


def number(request: Request, name: str) -> int | None:
    """The value of a header that is a number; None without the header. Raises `InvalidInput`."""
    text = request.headers.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(f"{name} is not a number of bytes")
    return int(text)


def length(request: Request) -> int | None:
    """The length of a new upload; None: it is told later. Raises `InvalidInput`."""
    size, deferred = number(request, "Upload-Length"), request.headers.get("upload-defer-length")
    if deferred not in (None, "1"):
        raise InvalidInput("Upload-Defer-Length can only be 1")
    if (size is None) == (deferred is None):
        raise InvalidInput("an upload needs either Upload-Length or Upload-Defer-Length")
    return size


PARTIAL = "partial"


def concatenation(request: Request) -> list[UUID] | str | None:
    """The value of `Upload-Concat`: `PARTIAL`, or the uploads that become this one. None without the header.

    Raises `InvalidInput`, and `NotFound` for an address that is none of ours.
    """
    text = request.headers.get("upload-concat")
    if text is None or text == PARTIAL:
        return text
    kind, _, urls = text.partition(";")
    named = [parse_id(url.rstrip("/").rpartition("/")[2]) for url in urls.split()]
    found = [upload_id for upload_id in named if upload_id]
    if kind != "final" or not named or len(set(found)) != len(found):
        raise InvalidInput("Upload-Concat is partial, or final; and the addresses of different uploads")
    if len(found) != len(named):
        raise NotFound
    return found


def metadata(request: Request) -> dict[str, str]:
    """The pairs of `Upload-Metadata`. Raises `InvalidInput`."""
    text = request.headers.get("upload-metadata", "")
    if len(text) > METADATA_LIMIT:
        raise InvalidInput(f"Upload-Metadata has at most {METADATA_LIMIT} bytes")
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        key, _, encoded = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise InvalidInput("each key of Upload-Metadata is printable ASCII, and given once")
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise InvalidInput("the values of Upload-Metadata are UTF-8 in Base64") from None
    return found


def kept_metadata(request: Request) -> str:
    """The metadata as HEAD answers it: as it was sent, without secrets."""
    pairs = (pair.strip() for pair in request.headers.get("upload-metadata", "").split(","))
    return ",".join(pair for pair in pairs if pair.partition(" ")[0] not in ("", *SECRET_KEYS))


def checksum(request: Request) -> Checksum | None:
    """The digest that the body is said to have, if any. Raises `InvalidInput`."""
    text = request.headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidInput(f"the algorithms of Upload-Checksum are {', '.join(ALGORITHMS)}")
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("Upload-Checksum is not Base64") from None
    if len(digest) != len(ALGORITHMS[algorithm]().digest()):
        raise InvalidInput("Upload-Checksum has not the length of its algorithm")
    return Checksum(algorithm, digest)
