"""tus: the headers of requests. Sizes and offsets in bytes."""

import base64
import binascii
import re
from uuid import UUID

from fastapi import Request

from common.errors import DomainError, InvalidInput, NotFound
from common.http.bodies import media_type
from common.ids import parse_id
from upload_service.dialects.growing.checksums import TUS_ALGORITHMS, Checksum
from upload_service.dialects.growing.creating import PIECE

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"
# More digits than the size of any object.
_NUMBER = re.compile("[0-9]{1,18}", re.ASCII)


class VersionRefused(DomainError):
    """Requests need the header Tus-Resumable: 1.0.0."""

    code = "tus_version"


class WrongContentType(DomainError):
    """The body must have the Content-Type application/offset+octet-stream."""

    code = "content_type"


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


def concatenation(request: Request) -> list[UUID] | str | None:
    """The value of `Upload-Concat`: `PIECE`, or the uploads that become this one. None without the header.

    Raises `InvalidInput`, and `NotFound` for an address that is none of ours.
    """
    text = request.headers.get("upload-concat")
    if text is None or text == PIECE:
        return text
    kind, _, urls = text.partition(";")
    named = [parse_id(url.rstrip("/").rpartition("/")[2]) for url in urls.split()]
    found = [upload_id for upload_id in named if upload_id]
    if kind != "final" or not named or len(set(found)) != len(found):
        raise InvalidInput("Upload-Concat is partial, or final; and the addresses of different uploads")
    if len(found) != len(named):
        raise NotFound
    return found


def checksum(request: Request) -> Checksum | None:
    """The digest that the body is said to have, if any. Raises `InvalidInput`."""
    text = request.headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    begin = TUS_ALGORITHMS.get(algorithm)
    if begin is None:
        raise InvalidInput(f"the algorithms of Upload-Checksum are {', '.join(TUS_ALGORITHMS)}")
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("Upload-Checksum is not Base64") from None
    if len(digest) != len(begin().digest()):
        raise InvalidInput("Upload-Checksum has not the length of its algorithm")
    return Checksum(begin, digest)
