"""Messages and events of rooms, and the errors about them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from common import clock
from common.errors import Conflict, Forbidden, NotFound, RateLimited, StorageFull, Unavailable
from common.lookalikes.scripts import mixed_scripts

# The beginning of a stored message.
_MESSAGE = b'{"type":"message",'
# Two numbers that fit into 64 bits, as Valkey writes them.
EVENT_ID = "(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})"
_EVENT_ID = re.compile(EVENT_ID)


class ChatUnavailable(Unavailable):
    """The store of the messages is not answering."""


class StaleRoom(Conflict):
    """The room has changed since it was read."""

    code = "stale_room"


class MessageNotFound(NotFound):
    """There is no such message."""

    code = "message_not_found"


class NotYourMessage(Forbidden):
    """Somebody else wrote this message."""

    code = "not_your_message"


class TooManyMessages(RateLimited):
    """You have sent too many messages in a short time."""


class RoomTooBusy(RateLimited):
    """Too many messages come to this room at the moment."""

    code = "room_too_busy"


class TooMuchKept(Conflict):
    """Your messages in rooms are as large as is allowed: wait until some have expired, or delete some."""

    code = "too_much_kept"


class MessagesFull(StorageFull):
    """There is no room for messages at the moment; reading and everything else goes on."""

    code = "messages_full"


class EventType(StrEnum):
    """Types of events. Typing, presence and reset concern the moment: nobody can resume after one."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETE = "delete"
    JOINED = "joined"
    LEFT = "left"
    REMOVED = "removed"
    MUTED = "muted"
    ROOM = "room"
    CLOSED = "closed"
    TYPING = "typing"
    PRESENCE = "presence"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class RoomTerms:
    """The facts about a room that go to Valkey with each request."""

    id: int
    version: int
    """The version of the room and its members that the caller relied on."""
    lifetime: timedelta
    """The lifetime of each message."""
    capacity: int
    """The number of messages kept at the same time."""


@dataclass(frozen=True, slots=True)
class PostingLimits:
    """The limits on messages and edits in rooms. Of a rate, a tenth of a minute's events may come at once."""

    account_per_minute: int = 1_000_000
    room_per_minute: int = 1_000_000
    """Events of all members of a room together."""
    account_bytes: int = 2**40
    """The bytes of an account's messages that are kept in all rooms together."""
    room_bytes: int = 2**40
    """The bytes of messages kept in a room; the oldest go when there are more."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to post."""

    author: UUID
    name: str
    """The author's name at this moment."""
    text: str
    reply_to: str | None = None
    file: Mapping[str, object] | None = None
    """A file as clients show it: its name, size, type and link."""

    def body(self) -> bytes:
        """The JSON that Valkey keeps of the message; its id is known only once it is posted."""
        return encode(
            {
                "type": EventType.MESSAGE,
                "author": str(self.author),
                "name": self.name,
                "mixed_scripts": mixed_scripts(self.name),
                "text": self.text,
                "edited": False,
                "reply_to": self.reply_to,
                "file": self.file,
            }
        )

    def posted(self, message_id: str) -> "Message":
        """The message that was made of it, as it would be read."""
        return Message(
            id=message_id,
            author=self.author,
            name=self.name,
            text=self.text,
            created_at=created_at(message_id),
            edited=False,
            reply_to=self.reply_to,
            file=self.file,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """A message that has not expired."""

    id: str
    """`<milliseconds>-<number>` by Valkey's clock. Ids are ordered by their first number, then by their second."""
    author: UUID
    name: str
    text: str
    created_at: datetime
    edited: bool
    reply_to: str | None
    file: Mapping[str, object] | None

    def to_json(self) -> dict[str, Any]:
        """The message as clients see it, both in lists and in events."""
        return {
            "id": self.id,
            "author": str(self.author),
            "name": self.name,
            "mixed_scripts": list(mixed_scripts(self.name)),
            "text": self.text,
            "created_at": moment_of(self.id),
            "edited": self.edited,
            "reply_to": self.reply_to,
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as Valkey keeps it."""

    id: str
    body: bytes
    edited_text: bytes | None

    def message(self) -> Message:
        return parse_message(self.id, self.body, self.edited_text)

    def json(self) -> bytes:
        """The message as clients see it. Unless it was edited, nothing has to be read and written again."""
        if self.edited_text is not None or not self.body.startswith(_MESSAGE):
            return encode(self.message().to_json())
        head = b'{"id":"%b","created_at":"%b",' % (self.id.encode(), moment_of(self.id).encode())
        return head + self.body[len(_MESSAGE) :]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The messages of a room at one moment."""

    messages: list[StoredMessage]
    """Oldest first. Of an addition, only the later ones."""
    first: str | None
    """The oldest message of all; None: there is none."""
    version: int | None
    last_event: str | None
    is_addition: bool = False
    """Whether only the messages after a known event were returned, before which none has changed."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of messages in a room, and when the last of them was posted; None: there is none."""

    messages: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pulse:
    """The facts that tell whether knowledge about a room is current. None: Valkey knows nothing about the room."""

    version: int | None
    last_event: str | None
    now: datetime
    """The time by Valkey's clock, which also makes the ids of messages."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a room."""

    type: EventType
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def body(self) -> bytes:
        """Its JSON, without an id."""
        return encode({"type": self.type, **self.fields})


@dataclass(frozen=True, slots=True)
class MissedEvent:
    """An event that a client missed, as it is sent now: a message, for example, with its edited text."""

    id: str
    json: bytes


def encode(value: Any) -> bytes:
    """Compact JSON. Half a surrogate pair, which UTF-8 cannot express, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def parse_message(message_id: str, body: bytes, edited_text: bytes | None) -> Message:
    """The message that is stored as `body`; `edited_text` replaces its first text."""
    values = cast("dict[str, Any]", json.loads(body))
    return Message(
        id=message_id,
        author=UUID(values["author"]),
        name=values["name"],
        text=values["text"] if edited_text is None else edited_text.decode(),
        created_at=created_at(message_id),
        edited=edited_text is not None,
        reply_to=values["reply_to"],
        file=values["file"],
    )


def with_id(event_id: str, body: bytes) -> bytes:
    """The JSON of an event, given its stored JSON without an id."""
    return b'{"id":"%b","created_at":"%b",%b' % (event_id.encode(), moment_of(event_id).encode(), body[1:])


def is_event_id(text: str) -> bool:
    """Whether `text` has the form of an event's id."""
    return _EVENT_ID.fullmatch(text) is not None


def position(event_id: str) -> tuple[int, int]:
    """The key that orders ids."""
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number)


def created_at(event_id: str) -> datetime:
    """The time of an event."""
    return datetime.fromtimestamp(position(event_id)[0] / 1000, UTC)


def moment_of(event_id: str) -> str:
    """The time of an event in JSON (RFC 3339, with milliseconds)."""
    return clock.in_json(created_at(event_id))
