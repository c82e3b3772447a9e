"""Messages and events of rooms, and what can be wrong with them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from common.errors import Conflict, Forbidden, NotFound, Unavailable

# Two numbers that fit into 64 bits, as Valkey writes them.
_EVENT_ID = re.compile(r"(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})")


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


class EventType(StrEnum):
    """What can happen in a room. Typing, presence and reset are of the moment: they have no id, or nobody else's."""

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
    """What Valkey is told of a room with each request."""

    id: int
    version: int
    """The version of the room and its members that the caller judged by."""
    lifetime: timedelta
    """How long a message lives."""
    capacity: int
    """How many messages live at most."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is to be posted."""

    author: UUID
    name: str
    """The author's, at this moment."""
    text: str
    reply_to: str | None = None
    file: Mapping[str, Any] | None = None
    """What clients show of a file: its name, size, type and link."""


@dataclass(frozen=True, slots=True)
class Message:
    """A living message."""

    id: str
    """`<milliseconds>-<number>`, by Valkey's clock; later messages have greater ids, number by number."""
    author: UUID
    name: str
    text: str
    created_at: datetime
    edited: bool
    reply_to: str | None
    file: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """The message as clients see it, in lists and in events alike."""
        return {
            "id": self.id,
            "author": str(self.author),
            "name": self.name,
            "text": self.text,
            "created_at": moment_of(self.id),
            "edited": self.edited,
            "reply_to": self.reply_to,
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The living messages of a room, and which moment that was."""

    messages: list[Message]
    """Oldest first."""
    version: int | None
    last_event: str | None


@dataclass(frozen=True, slots=True)
class Pulse:
    """What tells whether something known of a room is still so; None: Valkey knows nothing."""

    version: int | None
    last_event: str | None
    now: datetime
    """Valkey's clock, which message ids come from."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a room."""

    type: EventType
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def body(self) -> bytes:
        """Its JSON, which has no id yet."""
        return encode({"type": self.type, **self.fields})


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event as it is handed to those who listen."""

    id: str | None
    """None: of the moment, nothing to resume after."""
    room_id: int
    version: int
    """The least version of the room by which it may be decided who hears this."""
    type: str
    json: bytes
    expires_at: int | None = None
    """Milliseconds since 1970 by Valkey's clock, after which nobody may hear of it."""


def encode(value: Any) -> bytes:
    """Compact JSON. What is no Unicode text becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def draft_body(draft: Draft) -> bytes:
    """What is kept of a message."""
    return encode(
        {
            "type": EventType.MESSAGE,
            "author": str(draft.author),
            "name": draft.name,
            "text": draft.text,
            "edited": False,
            "reply_to": draft.reply_to,
            "file": draft.file,
        }
    )


def parse_message(message_id: str, body: bytes, edited_text: bytes | None) -> Message:
    """The message that was kept as `body`, with its text of now."""
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
    """The JSON of an event, from what was kept of it."""
    return b'{"id":"%b","created_at":"%b",%b' % (event_id.encode(), moment_of(event_id).encode(), body[1:])


def is_event_id(text: str) -> bool:
    """Whether `text` has the form of an id."""
    return _EVENT_ID.fullmatch(text) is not None


def position(event_id: str) -> tuple[int, int]:
    """What ids are ordered by."""
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number)


def created_at(event_id: str) -> datetime:
    """When it happened."""
    return datetime.fromtimestamp(position(event_id)[0] / 1000, UTC)


def moment_of(event_id: str) -> str:
    """When it happened, as JSON says it (RFC 3339, milliseconds)."""
    return created_at(event_id).isoformat(timespec="milliseconds").replace("+00:00", "Z")
