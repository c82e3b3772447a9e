"""The answers of the server as typed values. `parse` reads its JSON; keys that are secrets are never shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from waystation.errors import BadAnswer

Json = Mapping[str, Any]
Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Item:
    """A file or a text of a share. `size` in bytes; `sha256` in hex, None until it is verified."""

    id: str
    name: str
    size: int
    state: str
    sha256: str | None = None
    text: str | None = None
    received: int = 0
    upload: str | None = field(default=None, repr=False)
    """The ticket with which its content is sent."""
    upload_id: str | None = field(default=None, repr=False)
    """The upload with which its content was begun."""

    @staticmethod
    def parse(found: Json) -> "Item":
        return Item(
            id=str(found["id"]),
            name=str(found["name"]),
            size=int(found["size"]),
            state=str(found["state"]),
            sha256=found.get("sha256"),
            text=found.get("text"),
            received=int(found.get("received") or 0),
            upload=found.get("upload"),
            upload_id=found.get("upload_id"),
        )


@dataclass(frozen=True, slots=True)
class Share:
    """A share as its sender sees it."""

    id: str | None
    code: str
    url: str | None
    expires_at: datetime | None = None
    downloads_left: int | None = None
    has_password: bool = False
    items: tuple[Item, ...] = ()
    key: str | None = field(default=None, repr=False)
    """With it, its sender changes and ends the share without an account."""

    @staticmethod
    def parse(found: Json) -> "Share":
        return Share(
            id=str(found["id"]),
            code=str(found["code"]),
            url=found.get("url"),
            expires_at=moment(found.get("expires_at")),
            downloads_left=found.get("downloads_left"),
            has_password=bool(found.get("has_password")),
            items=tuple(Item.parse(item) for item in found.get("items", ())),
            key=found.get("key"),
        )


@dataclass(frozen=True, slots=True)
class Drop:
    """A drop-off: a code by which anybody sends files to an account. Sizes in bytes; None: no limit.

    Only its owner sees `url`, `share_limit` and `received`.
    """

    code: str
    title: str
    greeting: str | None = None
    size_limit: int | None = None
    item_limit: int | None = None
    types: tuple[str, ...] = ()
    expires_at: datetime | None = None
    is_open: bool = True
    url: str | None = None
    share_limit: int | None = None
    received: int = 0

    @staticmethod
    def parse(found: Json) -> "Drop":
        return Drop(
            code=str(found["code"]),
            title=str(found["title"]),
            greeting=found.get("greeting"),
            size_limit=found.get("size_limit"),
            item_limit=found.get("item_limit"),
            types=tuple(str(rule) for rule in found.get("types", ())),
            expires_at=moment(found.get("expires_at")),
            is_open=bool(found.get("is_open", True)),
            url=found.get("url"),
            share_limit=found.get("share_limit"),
            received=int(found.get("received") or 0),
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """A share as its receiver sees it."""

    code: str
    items: tuple[Item, ...]
    title: str | None = None
    message: str | None = None
    expires_at: datetime | None = None
    downloads_left: int | None = None

    @staticmethod
    def parse(found: Json) -> "Offer":
        return Offer(
            code=str(found["code"]),
            items=tuple(Item.parse(item) for item in found["items"]),
            title=found.get("title"),
            message=found.get("message"),
            expires_at=moment(found.get("expires_at")),
            downloads_left=found.get("downloads_left"),
        )


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of an account."""

    id: str
    name: str
    size: int
    sha256: str | None
    state: str
    created_at: datetime | None
    expires_at: datetime | None

    @staticmethod
    def parse(found: Json) -> "OwnFile":
        return OwnFile(
            id=str(found["id"]),
            name=str(found["name"]),
            size=int(found["size"]),
            sha256=found.get("sha256"),
            state=str(found["state"]),
            created_at=moment(found.get("created_at")),
            expires_at=moment(found.get("expires_at")),
        )


@dataclass(frozen=True, slots=True)
class OwnShare:
    """A share of an account. `form`: code, link or page."""

    id: str
    form: str
    code: str
    url: str | None
    name: str
    size: int
    state: str
    downloads: int
    downloads_left: int | None
    expires_at: datetime | None

    @staticmethod
    def parse(found: Json) -> "OwnShare":
        return OwnShare(
            id=str(found["id"]),
            form=str(found["form"]),
            code=str(found["code"]),
            url=found.get("url"),
            name=str(found["name"]),
            size=int(found["size"]),
            state=str(found["state"]),
            downloads=int(found.get("downloads") or 0),
            downloads_left=found.get("downloads_left"),
            expires_at=moment(found.get("expires_at")),
        )


@dataclass(frozen=True, slots=True)
class Room:
    """A room in a list."""

    id: int
    name: str
    is_private: bool
    joined: bool

    @staticmethod
    def parse(found: Json) -> "Room":
        return Room(int(found["id"]), str(found["name"]), bool(found["is_private"]), bool(found["joined"]))


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a room; `file_url` of the file that it carries."""

    id: str
    name: str
    text: str
    created_at: datetime | None
    file_name: str | None = None
    file_url: str | None = None

    @staticmethod
    def parse(found: Json) -> "Message":
        file: Json = found.get("file") or {}
        return Message(
            id=str(found["id"]),
            name=str(found["name"]),
            text=str(found["text"]),
            created_at=moment(found.get("created_at")),
            file_name=file.get("name"),
            file_url=file.get("url"),
        )


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror that the account may use."""

    id: int
    name: str
    kind: str
    is_default: bool
    is_well: bool

    @staticmethod
    def parse(found: Json) -> "Mirror":
        return Mirror(
            int(found["id"]),
            str(found["name"]),
            str(found["kind"]),
            bool(found["is_default"]),
            bool(found["is_well"]),
        )


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of a file on a mirror."""

    mirror_id: int
    mirror: str
    state: str
    bytes_done: int
    url: str | None
    error: str | None

    @staticmethod
    def parse(found: Json) -> "Copy":
        return Copy(
            int(found["mirror_id"]),
            str(found["mirror"]),
            str(found["state"]),
            int(found["bytes_done"]),
            found.get("url"),
            found.get("error"),
        )


@dataclass(frozen=True, slots=True)
class Fetch:
    """A file that the server fetches by its URL."""

    id: str
    url: str
    state: str
    name: str | None
    size: int | None
    bytes_done: int
    error: str | None
    detail: str | None
    file_id: str | None
    code: str | None
    share_url: str | None

    @property
    def is_settled(self) -> bool:
        return self.state in ("done", "failed", "canceled")

    @staticmethod
    def parse(found: Json) -> "Fetch":
        return Fetch(
            id=str(found["id"]),
            url=str(found["url"]),
            state=str(found["state"]),
            name=found.get("name"),
            size=found.get("size"),
            bytes_done=int(found.get("bytes_done") or 0),
            error=found.get("error"),
            detail=found.get("detail"),
            file_id=found.get("file_id"),
            code=found.get("code"),
            share_url=found.get("share_url"),
        )


def parsed(parse: Callable[[Json], Parsed], found: Any) -> Parsed:
    """The value that `parse` makes of an answer. Raises `BadAnswer`."""
    try:
        return parse(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadAnswer from None


def moment(text: str | None) -> datetime | None:
    """A moment as the server writes it."""
    return None if text is None else datetime.fromisoformat(text)
