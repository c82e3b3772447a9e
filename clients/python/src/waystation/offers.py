"""Looking at what lies under a code, and where its content is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from waystation.connection import Connection, Headers
from waystation.errors import BadAnswer
from waystation.hashing import repr_digest
from waystation.models import Item, Offer, parsed
from waystation.terms import password_header


@dataclass(frozen=True, slots=True)
class Place:
    """The address of one content."""

    path: str
    headers: Headers = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """A content: its size in bytes, its entity tag, and its SHA-256."""

    size: int
    tag: str
    sha256: bytes | None

    def notes(self) -> dict[str, Any]:
        """The facts as they are written down."""
        return {"size": self.size, "tag": self.tag, "sha256": self.sha256.hex() if self.sha256 else None}

    @staticmethod
    def noted(notes: Mapping[str, Any]) -> "Facts":
        sha256 = notes["sha256"]
        return Facts(int(notes["size"]), str(notes["tag"]), bytes.fromhex(sha256) if sha256 else None)


async def look(connection: Connection, code: str, password: str | None) -> Offer:
    """The share under a code. Raises `UnknownCode`, `PasswordNeeded`, `PasswordWrong`."""
    found = await connection.json("GET", f"/v1/codes/{quote(code, safe='')}", headers=password_header(password))
    return parsed(Offer.parse, found)


def place_of(code: str, item: Item, password: str | None) -> Place:
    """The address of an item."""
    path = f"/v1/codes/{quote(code, safe='')}/items/{quote(item.id, safe='')}"
    return Place(path, headers=password_header(password))


async def facts_of(connection: Connection, place: Place) -> Facts:
    """The facts about a content; waits until it can be fetched. Takes no use."""
    answer = await connection.request("HEAD", place.path, headers=place.headers)
    tag, size = answer.headers.get("etag"), answer.headers.get("content-length", "")
    if tag is None or not size.isdecimal():
        raise BadAnswer
    return Facts(int(size), tag, repr_digest(answer.headers.get("repr-digest")))
