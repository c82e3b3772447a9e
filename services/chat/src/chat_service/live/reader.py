"""Reading the events of all rooms: one blocking read of `rooms:live` for each process."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, cast

from redis.exceptions import RedisError

from chat_service.streams.model import ChatUnavailable, position
from chat_service.streams.streams import COUNT_KEY, LIVE_KEY
from common.valkey import Pipe

BLOCK_SECONDS = 5
ANSWER_SECONDS = 3
BATCH = 500
BEGINNING = "0-0"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in some room."""

    id: str
    room_id: int
    version: int
    kind: str
    body: bytes
    expires_at: int | None
    """Milliseconds since 1970 by Valkey's clock."""
    number: int
    """Its place among all events: one more than that of the event before."""


class Continuity(Enum):
    """The place of a batch after the one before it."""

    WHOLE = auto()
    GAP = auto()
    """Some entries in between are only in the rooms' logs."""
    LOST = auto()
    """Valkey has lost entries that it had returned before."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The events since the last batch; empty when there were none for a while."""

    entries: list[Entry]
    continuity: Continuity = Continuity.WHOLE


class Reader:
    """The position of one process in `rooms:live`. After `ChatUnavailable`, its methods can be called again."""

    def __init__(self, valkey_url: str) -> None:
        self._pipe = Pipe(valkey_url, BLOCK_SECONDS + ANSWER_SECONDS)
        self._last = BEGINNING
        self._number: int | None = None
        """The number of the last event; None: not known."""
        self._is_cut = False

    async def open(self) -> None:
        """Begin with the next event."""
        # Asked for in this order, the number is never that of a later event than `_newest`, which may be forgotten.
        number = await self._count()
        self._last = await self._newest()
        self._number = number if self._last == BEGINNING else None
        self._is_cut = False

    async def read(self) -> Batch:
        """Wait a few seconds for events, and return all of them."""
        if self._is_cut and position(newest := await self._newest()) < position(self._last):
            self._last, self._number, self._is_cut = newest, None, False
            return Batch([], Continuity.LOST)
        self._is_cut = True
        try:
            wanted = ("COUNT", BATCH, "BLOCK", BLOCK_SECONDS * 1000, "STREAMS", LIVE_KEY, self._last)
            answer: Any = await self._pipe.call("XREAD", *wanted)
        except RedisError as error:
            raise ChatUnavailable from error
        self._is_cut = False
        found = cast("list[tuple[bytes, list[bytes]]]", answer[0][1] if answer else [])
        entries = [_entry(*each) for each in found]
        if not entries:
            return Batch([])
        is_gap = self._number is not None and entries[0].number != self._number + 1
        self._last, self._number = entries[-1].id, entries[-1].number
        return Batch(entries, Continuity.GAP if is_gap else Continuity.WHOLE)

    async def close(self) -> None:
        await self._pipe.close()

    async def _newest(self) -> str:
        try:
            found = await self._pipe.call("XREVRANGE", LIVE_KEY, "+", "-", "COUNT", 1)
        except RedisError as error:
            raise ChatUnavailable from error
        return cast("bytes", found[0][0]).decode() if found else BEGINNING

    async def _count(self) -> int:
        try:
            return int(await self._pipe.call("GET", COUNT_KEY) or 0)
        except RedisError as error:
            raise ChatUnavailable from error


def _entry(entry_id: bytes, values: list[bytes]) -> Entry:
    """An event from the names of its fields, each followed by its value."""
    fields = dict(zip(values[::2], values[1::2], strict=True))
    expires = fields[b"x"]
    return Entry(
        id=entry_id.decode(),
        room_id=int(fields[b"r"]),
        version=int(fields[b"s"]),
        kind=fields[b"k"].decode(),
        body=fields[b"b"],
        expires_at=int(expires) if expires else None,
        # Processes of an earlier version, which may still run beside this one, number nothing.
        number=int(fields.get(b"n", 0)),
    )
