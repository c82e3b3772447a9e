"""The messages and events of rooms in Valkey. Every write is one script, so it happens completely or not at all.

A room has these keys:

- `room:{id}`: a hash. `s` is the version of the room and its members, which every write has to match; `m` is the id of
  the last event, `l` the lifetime of messages at the last post; `t` and `y` are explained in `accounting.lua`.
- `room:{id}:messages`: a stream of the messages. Expired ones are never returned; the next post or a sweep
  removes them.
- `room:{id}:edits`: a hash of the texts of edited messages.
- `room:{id}:log`: a stream of all events, for clients that come back. It refers to messages without repeating them.
- `room:{id}:present` and `room:{id}:names`: the accounts that are connected, by process, and their names.

Each account that posts has `account:{id}:posted`: how fast and how much it posted lately (`accounting.lua`).

All rooms share `rooms:live`, a stream of the last three seconds that every process reads; its events are numbered by
`rooms:live:count`. An event has the same id in all of these streams. `rooms:due` says when a room's first message ends.
A room's keys expire by themselves when nothing happens in it any more.
"""

from chat_service.streams.lists import MessageLists, Rendering
from chat_service.streams.model import (
    ChatUnavailable,
    Draft,
    Event,
    EventType,
    Message,
    MessageNotFound,
    MessagesFull,
    MissedEvent,
    NotYourMessage,
    PostingLimits,
    Pulse,
    RoomTerms,
    Snapshot,
    StaleRoom,
    StoredMessage,
    is_event_id,
)
from chat_service.streams.streams import Missed, Streams

__all__ = [
    "ChatUnavailable",
    "Draft",
    "Event",
    "EventType",
    "Message",
    "MessageLists",
    "MessageNotFound",
    "MessagesFull",
    "Missed",
    "MissedEvent",
    "NotYourMessage",
    "PostingLimits",
    "Pulse",
    "Rendering",
    "RoomTerms",
    "Snapshot",
    "StaleRoom",
    "StoredMessage",
    "Streams",
    "is_event_id",
]
