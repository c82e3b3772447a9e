"""The limits that the administrator sets, and the one that the database sets."""

from dataclasses import dataclass

ID_MAX = 2**63 - 1
"""The greatest id of a row: a `bigint`, which PostgreSQL compares with nothing greater."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The administrator's limits. Times in seconds, sizes in bytes of UTF-8."""

    lifetime_seconds: int = 1800
    """The lifetime of messages in rooms that set none."""
    lifetime_max_seconds: int = 604_800
    capacity: int = 100
    """The number of messages kept in rooms that set none."""
    capacity_max: int = 1000
    message_bytes: int = 16_384
    inbox_message_bytes: int = 16_384
    inbox_messages: int = 10_000
    """The number of direct messages kept of one sender."""
    public_rooms: int = 5
    """The number of public rooms open at the same time."""
    room_members: int = 10_000
