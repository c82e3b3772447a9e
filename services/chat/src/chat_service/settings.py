"""The settings of the chat service and of its worker."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from chat_service.bounds import Bounds
from chat_service.filters import Filter
from common.settings import (
    DatabaseSettings,
    GatewaySettings,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    ValkeySettings,
)

Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]


class FilterSetting(BaseModel):
    """A rule for texts: where `pattern` (a Python regular expression) is found, refuse the text or put `with` there."""

    model_config = {"frozen": True, "extra": "forbid"}

    pattern: Annotated[str, Field(min_length=1)]
    action: Literal["refuse", "replace"]
    replacement: Annotated[str, Field(alias="with")] = ""

    def filter(self) -> Filter:
        return Filter.compile(self.pattern, self.action, self.replacement)


class ProcessSettings(DatabaseSettings, ValkeySettings, ServiceIdentitySettings):
    """The settings that the service and its worker share."""

    share_url: str
    """URL of the share service."""


class ChatSettings(ProcessSettings, GatewaySettings, PublicUrlSettings):
    """The settings of the service. Sizes count bytes of UTF-8."""

    room_lifetime_seconds: Positive = 1800
    """Seconds that a message lives, unless the room's owner chooses otherwise."""
    room_lifetime_max_seconds: Positive = 604_800
    """The longest lifetime that a room's owner may choose, in seconds."""
    room_capacity: Positive = 100
    """Messages that a room keeps, unless its owner chooses otherwise."""
    room_capacity_max: Positive = 1000
    """The largest number of messages that a room's owner may choose."""
    room_members: Positive = 10_000
    """Members allowed in one room."""
    message_bytes: Annotated[int, Field(ge=1, le=1024 * 1024)] = 16_384
    """The largest message in a room, in bytes, at most 1048576; a WebSocket carries at most 256 KiB of JSON."""
    inbox_message_bytes: Annotated[int, Field(ge=1, le=1024 * 1024)] = 16_384
    """The largest direct message, in bytes, at most 1048576."""
    inbox_messages: Positive = 10_000
    """Direct messages that are kept of one sender."""
    inbox_unanswered: Positive = 30
    """Direct messages an hour that an account may send to people who have never written to it."""
    public_rooms: Annotated[int, Field(ge=0, le=2**31 - 2)] = 5
    """Public rooms that may exist at once."""
    public_rooms_per_account: Positive = 2
    """Public rooms that one account may have at once."""
    rooms_per_account: Positive = 100
    """Rooms that one account may own at once."""
    account_messages_per_minute: Positive = 600
    """Messages and edits a minute that an account may send to rooms; a tenth of them may come at once."""
    room_messages_per_minute: Positive = 6000
    """Messages and edits a minute that all members of a room together may send; a tenth of them may come at once."""
    account_message_bytes: Positive = 4 * 1024**2
    """Bytes of an account's messages that are kept in all rooms together. Then it has to wait, or to delete some."""
    room_message_bytes: Positive = 16 * 1024**2
    """Bytes of messages that a room keeps; the oldest go when there are more."""
    live_connections_per_account: Positive = 50
    """WebSockets and event streams that one account may have open at once at each process of the service."""
    live_connections_per_address: Positive = 1000
    """The same for each client address."""
    live_connections: Positive = 3000
    """The same for all clients together; more need more memory for the gateway, 130 MiB for each thousand."""
    message_filters: tuple[FilterSetting, ...] = ()
    """Rules for the texts of messages, in this order, as a JSON list of `{"pattern", "action", "with"}`: a regular
    expression, `"refuse"` or `"replace"`, and the replacement."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.room_lifetime_seconds > self.room_lifetime_max_seconds:
            raise ValueError("ROOM_LIFETIME_SECONDS is more than ROOM_LIFETIME_MAX_SECONDS")
        if self.room_capacity > self.room_capacity_max:
            raise ValueError("ROOM_CAPACITY is more than ROOM_CAPACITY_MAX")
        self.filters()
        return self

    def filters(self) -> list[Filter]:
        """The rules, compiled. Raises `ValueError` for a pattern that is no regular expression."""
        return [setting.filter() for setting in self.message_filters]

    def bounds(self) -> Bounds:
        return Bounds(
            lifetime_seconds=self.room_lifetime_seconds,
            lifetime_max_seconds=self.room_lifetime_max_seconds,
            capacity=self.room_capacity,
            capacity_max=self.room_capacity_max,
            message_bytes=self.message_bytes,
            inbox_message_bytes=self.inbox_message_bytes,
            inbox_messages=self.inbox_messages,
            inbox_unanswered=self.inbox_unanswered,
            public_rooms=self.public_rooms,
            public_rooms_per_account=self.public_rooms_per_account,
            rooms_per_account=self.rooms_per_account,
            room_members=self.room_members,
            account_messages_per_minute=self.account_messages_per_minute,
            room_messages_per_minute=self.room_messages_per_minute,
            account_message_bytes=self.account_message_bytes,
            room_message_bytes=self.room_message_bytes,
        )


class WorkerSettings(ProcessSettings, QueueSettings):
    """The settings of the worker."""
