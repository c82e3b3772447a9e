"""The parts of a download that do not depend on HTTP: the place of the content, file names and digests."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME_LIMIT = 255
"""The most bytes (UTF-8) of a file name in a download."""


@dataclass(frozen=True, slots=True)
class StoredAt:
    """The places where the gateway finds an object."""

    path: str
    """The path in the store, for the method of the client's request."""
    fallback: str | None = None
    """The path in the upload service to use if the store fails; None if no mirror has the content."""
    is_made: bool = False
    """The store does not have it: the upload service makes it while it is sent, so its digest is not known."""

    @staticmethod
    def of(answer: Mapping[str, Any]) -> "StoredAt":
        """Read the places from the upload service's answer to another service."""
        return StoredAt(str(answer["store_path"]), answer.get("fallback_path"))


NOWHERE = StoredAt("")
"""The place of content that is not in the store."""


def shortened(name: str, limit: int = NAME_LIMIT) -> str:
    """`name` cut to `limit` bytes of UTF-8, keeping its extension, so that file systems and header limits accept it."""
    if len(name.encode()) <= limit:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > limit // 4:
        stem, dot, extension = name, "", ""
    kept = stem.encode()[: limit - len((dot + extension).encode())].decode(errors="ignore")
    return kept + dot + extension


def repr_digest(sha256: bytes) -> str:
    """The value of `Repr-Digest` (RFC 9530) for a SHA-256 digest of 32 bytes."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def entity_tag(sha256: bytes) -> str:
    """The strong entity tag (RFC 9110) of a content with this digest."""
    return f'"{sha256.hex()}"'
