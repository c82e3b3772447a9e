"""Mirage, read from its database `db.sqlite`: accounts, rooms, who is in them, and direct messages.

Messages of rooms were in the memory of its server. Posts, votes and followers have no place here.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auth_service.accounts.importing import ForeignAccount
from deploy.importing import sqlite
from deploy.importing.model import Unreadable

NAME = "mirage"
DATABASE = "db.sqlite"
NEEDED = {
    "users": {"username", "email", "password"},
    "rooms": {"id", "name", "is_private", "password_hash"},
    "room_members": {"room_id", "username"},
    "inbox_messages": {"id", "sender", "recipient", "message"},
}
"""The tables and columns without which a database is none of Mirage's."""


@dataclass(frozen=True, slots=True)
class FoundMember:
    """A name in the list of a room's members."""

    origin: bytes
    username: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class FoundRoom:
    """A room, with everybody who ever joined it; the creator is the first."""

    origin: bytes
    name: str
    is_private: bool
    password_digest: str
    created_at: datetime
    members: list[FoundMember]


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A direct message between two names."""

    origin: bytes
    sender: str
    recipient: str
    text: str
    created_at: datetime


class Mirage:
    """The database of one Mirage, which may run meanwhile."""

    def __init__(self, path: Path) -> None:
        """`path`: the database, or the folder that it is in. Raises `Unreadable`."""
        self._path = path / DATABASE if path.is_dir() else path
        if not self._path.is_file():
            raise Unreadable(f"there is no {DATABASE} in {path}" if path.is_dir() else f"there is no {path}")
        try:
            with closing(sqlite.opened(self._path)) as database:
                for table, needed in NEEDED.items():
                    if missing := needed - sqlite.columns_of(database, table):
                        raise Unreadable(f"{self._path} is not Mirage's: no {table}.{min(missing)} in it")
        except sqlite3.Error as error:
            raise Unreadable(f"{self._path}: {error}") from None

    def accounts(self) -> Iterator[ForeignAccount]:
        columns = ("username", "email", "password", "avatar_url", "description", "created_at")
        for row in sqlite.rows(self._path, "users", columns):
            name, made = _text(row["username"]), _text(row["created_at"])
            profile = {field: _text(row[field]) for field in ("avatar_url", "description")}
            origin = _origin("account", name, made)
            yield ForeignAccount(origin, name, _text(row["email"]), _text(row["password"]), profile, _moment(made))

    def rooms(self) -> Iterator[FoundRoom]:
        members: dict[str, dict[str, str]] = {}
        for row in sqlite.rows(self._path, "room_members", ("room_id", "username", "joined_at")):
            # Its server lists a member once for each time that they joined.
            members.setdefault(_text(row["room_id"]), {}).setdefault(_text(row["username"]), _text(row["joined_at"]))
        columns = ("id", "name", "is_private", "password_hash", "created_at")
        for row in sqlite.rows(self._path, "rooms", columns):
            number, name, made = _text(row["id"]), _text(row["name"]), _text(row["created_at"])
            # Its times are whole seconds, and members are ordered by them here.
            found = [
                FoundMember(
                    _origin("member", number, name, made, username),
                    username,
                    _moment(joined) + timedelta(microseconds=position),
                )
                for position, (username, joined) in enumerate(members.get(number, {}).items())
            ]
            is_private = _text(row["is_private"]) not in ("", "0")
            origin, digest = _origin("room", number, name, made), _text(row["password_hash"])
            yield FoundRoom(origin, name, is_private, digest, _moment(made), found)

    def messages(self) -> Iterator[FoundMessage]:
        columns = ("id", "sender", "recipient", "message", "created_at")
        for row in sqlite.rows(self._path, "inbox_messages", columns):
            number, sender, recipient, text, made = (_text(row[column]) for column in columns)
            origin = _origin("message", number, sender, recipient, text, made)
            yield FoundMessage(origin, sender, recipient, text, _moment(made))


def _origin(kind: str, *parts: str) -> bytes:
    """A digest of what identifies something there. Two Mirages have the same numbers, but hardly the same moments."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in (NAME, kind, *parts)).encode()).digest()


def _text(value: object) -> str:
    """A value as a text. A column of SQLite may hold anything."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def _moment(text: str) -> datetime:
    """A time as its database writes it, in UTC; now, if it is none or still to come."""
    now = datetime.now(UTC)
    try:
        return min(datetime.fromisoformat(text).replace(tzinfo=UTC), now)
    except ValueError:
        return now
