"""Messages and events of rooms in Valkey: every write is one script, so that it is one step.

Of a room there is

- `room:{id}`: a hash. `s`: the version of the room and its members; whoever wants to write must know it. `m`: the id of
  the last event.
- `room:{id}:messages`: a stream of the living messages (and, until the next post, of expired ones, never shown).
- `room:{id}:edits`: a hash of the texts of edited messages.
- `room:{id}:log`: a stream of all events, for those who come back. It names messages and does not repeat them.
- `room:{id}:present` and `room:{id}:names`: who is connected by which process, and who that is.

and of all rooms together `rooms:live`, a short stream that every process reads. An event has one id in all of them. All
keys of a room end by themselves when nothing happens in it any more.
"""

from chat_service.streams.model import (
    ChatUnavailable,
    Draft,
    Event,
    EventType,
    LiveEvent,
    Message,
    MessageNotFound,
    NotYourMessage,
    Pulse,
    RoomTerms,
    Snapshot,
    StaleRoom,
    is_event_id,
)
from chat_service.streams.presence import Presence
from chat_service.streams.reader import Batch, Continuity, Entry, Reader
from chat_service.streams.streams import Missed, Streams

__all__ = [
    "Batch",
    "ChatUnavailable",
    "Continuity",
    "Draft",
    "Entry",
    "Event",
    "EventType",
    "LiveEvent",
    "Message",
    "MessageNotFound",
    "Missed",
    "NotYourMessage",
    "Presence",
    "Pulse",
    "Reader",
    "RoomTerms",
    "Snapshot",
    "StaleRoom",
    "Streams",
    "is_event_id",
]
