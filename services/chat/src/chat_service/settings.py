"""The settings of the chat service and of its worker."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from chat_service.filters import Filter
from chat_service.model import Bounds
from common.settings import (
    DatabaseSettings,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    ValkeySettings,
)

Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]


class FilterSetting(BaseModel):
    """What is done to texts that `pattern` (a Python regular expression) is found in: refuse, or replace by `with`."""

    model_config = {"frozen": True, "extra": "forbid"}

    pattern: Annotated[str, Field(min_length=1)]
    action: Literal["refuse", "replace"]
    replacement: Annotated[str, Field(alias="with")] = ""

    def filter(self) -> Filter:
        return Filter.compile(self.pattern, self.action, self.replacement)


class ChatSettings(DatabaseSettings, ValkeySettings, ServiceIdentitySettings, PublicUrlSettings):
    """What the service needs. Times in seconds, sizes in bytes of UTF-8."""

    share_url: str
    room_lifetime_seconds: Positive = 1800
    """How long messages live in a room that says nothing else."""
    room_lifetime_max_seconds: Positive = 604_800
    room_capacity: Positive = 100
    room_capacity_max: Positive = 1000
    room_members: Positive = 10_000
    """How many may be in one room."""
    message_bytes: Annotated[int, Field(ge=1, le=1024 * 1024)] = 16_384
    inbox_message_bytes: Annotated[int, Field(ge=1, le=1024 * 1024)] = 16_384
    inbox_messages: Positive = 10_000
    """How many direct messages of one sender are kept."""
    public_rooms: Annotated[int, Field(ge=0, le=2**31 - 2)] = 5
    """How many public rooms there may be at once."""
    message_filters: tuple[FilterSetting, ...] = ()
    """What is done to texts before they are kept, in this order; given as JSON."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.room_lifetime_seconds > self.room_lifetime_max_seconds:
            raise ValueError("ROOM_LIFETIME_SECONDS is more than ROOM_LIFETIME_MAX_SECONDS")
        if self.room_capacity > self.room_capacity_max:
            raise ValueError("ROOM_CAPACITY is more than ROOM_CAPACITY_MAX")
        self.filters()
        return self

    def filters(self) -> list[Filter]:
        """The rules. Raises `ValueError` for a pattern that is none."""
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
            public_rooms=self.public_rooms,
            room_members=self.room_members,
        )


class WorkerSettings(DatabaseSettings, ValkeySettings, QueueSettings, ServiceIdentitySettings):
    """What the sweeps need."""

    share_url: str
