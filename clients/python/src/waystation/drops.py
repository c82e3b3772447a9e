"""Drop-offs: codes by which anybody sends files to an account."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from waystation.account import pages
from waystation.connection import Connection
from waystation.models import Drop, parsed
from waystation.terms import Expiry

PATH = "/v1/drops"


@dataclass(frozen=True, slots=True)
class DropTerms:
    """The limits of a drop-off: of each delivery, and of their number. Sizes in bytes; None: none of its own."""

    greeting: str | None = None
    size_limit: int | None = None
    item_limit: int | None = None
    share_limit: int | None = None
    types: tuple[str, ...] = ()
    expiry: Expiry | None = None
    code: str | None = None
    """A code of one's own choice."""
    in_words: bool = False

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "greeting": self.greeting,
            "size_limit": self.size_limit,
            "item_limit": self.item_limit,
            "share_limit": self.share_limit,
            "types": list(self.types) or None,
            "expires_at": self.expiry.moment().isoformat() if self.expiry else None,
            "code": self.code,
            "code_style": "words" if self.in_words else None,
        }
        return {name: value for name, value in found.items() if value is not None}


def path_of(code: str) -> str:
    return f"{PATH}/{quote(code, safe='')}"


async def create(connection: Connection, title: str, terms: DropTerms) -> Drop:
    # Not tried again: a second attempt would make a second drop-off.
    answer = await connection.once("POST", PATH, json={"title": title, **terms.json()})
    return parsed(Drop.parse, answer.json())


async def drops(connection: Connection) -> list[Drop]:
    return [parsed(Drop.parse, found) async for found in pages(connection, PATH, "drops")]


async def look(connection: Connection, code: str) -> Drop:
    return parsed(Drop.parse, await connection.json("GET", path_of(code)))


async def end(connection: Connection, code: str) -> None:
    await connection.request("DELETE", path_of(code))
