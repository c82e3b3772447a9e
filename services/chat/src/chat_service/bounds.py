"""The limits that the administrator sets, and the one that the database sets."""

from dataclasses import dataclass, replace

from common.policy import Policy

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
    inbox_unanswered: int = 30
    """The number of direct messages an hour to people who never wrote to the sender."""
    public_rooms: int = 5
    """The number of public rooms open at the same time."""
    public_rooms_per_account: int = 2
    rooms_per_account: int = 100
    """The number of open rooms that an account may own."""
    room_members: int = 10_000
    account_messages_per_minute: int = 600
    room_messages_per_minute: int = 6000
    account_message_bytes: int = 4 * 1024**2
    """The bytes of an account's messages that are kept in all rooms together."""
    room_message_bytes: int = 16 * 1024**2

    def under(self, policy: Policy) -> "Bounds":
        """These limits, with those that the policy sets. A room that chooses nothing keeps to them as well."""
        set_there: dict[str, int | None] = {
            "lifetime_max_seconds": policy.room_lifetime_max_seconds,
            "capacity_max": policy.room_capacity_max,
            "room_members": policy.room_members,
            "public_rooms": policy.public_rooms,
            "public_rooms_per_account": policy.public_rooms_per_account,
            "rooms_per_account": policy.rooms_per_account,
        }
        found = replace(self, **{name: value for name, value in set_there.items() if value is not None})
        return replace(
            found,
            lifetime_seconds=min(found.lifetime_seconds, found.lifetime_max_seconds),
            capacity=min(found.capacity, found.capacity_max),
        )
