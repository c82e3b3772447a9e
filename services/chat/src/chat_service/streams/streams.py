"""Reading and writing the messages and events of rooms. Every method raises `ChatUnavailable` when Valkey is down."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chat_service.streams import scripts
from chat_service.streams.model import (
    ChatUnavailable,
    Draft,
    Event,
    EventType,
    Message,
    MessageNotFound,
    MissedEvent,
    NotYourMessage,
    PostingLimits,
    Pulse,
    RoomTerms,
    RoomTooBusy,
    Snapshot,
    StaleRoom,
    StoredMessage,
    Tally,
    TooManyMessages,
    TooMuchKept,
    encode,
    is_event_id,
    parse_message,
    with_id,
)
from chat_service.streams.space import Space
from common.repeatable import IdempotencyKeyReused, Repeatable
from common.valkey import Pipe, Script, client_options

LIVE_KEY = "rooms:live"
COUNT_KEY = f"{LIVE_KEY}:count"
DUE_KEY = "rooms:due"
TIMEOUT_SECONDS = 3
CONNECTIONS = 32
SCRIPTS = (
    *("post", "sent", "edit", "delete", "announce", "whisper"),
    *("messages", "since", "pulse", "tally", "unread", "set_version", "restore_version", "trim", "clear", "expire"),
)
SHARED = ("shared", "accounting", "repeats")


@dataclass(frozen=True, slots=True)
class Missed:
    """The events that a client missed."""

    is_whole: bool
    """False: more was missed than Valkey remembers. `events` is empty, and the client has to read the room again."""
    version: int | None
    last_event: str | None
    events: list[MissedEvent]


class Streams:
    """The messages and events of all rooms."""

    def __init__(self, valkey_url: str, limits: PostingLimits | None = None) -> None:
        """Without `limits`, everything may be posted."""
        self._limits = limits or PostingLimits()
        # A command whose answer was lost may have been executed, so the client library never repeats one. Callers wait
        # for a free connection.
        pool = BlockingConnectionPool.from_url(
            valkey_url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            **client_options(),
        )
        self.redis = Redis.from_pool(pool)
        self._scripts = {name: Script(text) for name, text in scripts.load(SCRIPTS, SHARED).items()}
        self._pipe = Pipe(valkey_url)
        self.space = Space(self._pipe)

    async def post(self, room: RoomTerms, draft: Draft, repeatable: Repeatable | None = None) -> Message:
        """Add a message, and remove those that are expired or above the room's capacity.

        Of a `repeatable` send that was sent before, the message is returned that it made. Raises `StaleRoom`,
        `TooManyMessages`, `RoomTooBusy`, `TooMuchKept`, `MessagesFull`, `IdempotencyKeyReused`.
        """
        self.space.demand()
        limits = self._limits
        answer = await self._run(
            *("post", room.id, *_terms(room), draft.author.hex, draft.body()),
            *(limits.account_per_minute, limits.room_per_minute, limits.account_bytes, limits.room_bytes),
            *_repeated(repeatable),
        )
        return _sent(_accepted(answer)) or draft.posted(answer[1].decode())

    async def sent(self, room: RoomTerms, repeatable: Repeatable) -> Message | None:
        """The message that this send has made lately; None if there is none, or it is gone.

        Raises `IdempotencyKeyReused`.
        """
        answer = await self._run("sent", room.id, _milliseconds(room.lifetime), *_repeated(repeatable))
        try:
            return _sent(_accepted(answer))
        except MessageNotFound:
            return None

    async def edit(self, room: RoomTerms, message_id: str, author: UUID, text: str) -> Message:
        """Change the text of a message by `author`.

        Raises `MessageNotFound`, `NotYourMessage`, and the errors of `post`.
        """
        self.space.demand()
        kept = text.encode(errors="replace")
        event = Event(EventType.EDIT, {"message_id": message_id, "text": text}).body()
        limits = self._limits
        answer = await self._about_message(
            *("edit", room, message_id, author.hex, kept, event),
            *(limits.account_per_minute, limits.room_per_minute, limits.account_bytes),
        )
        return parse_message(message_id, answer[1], kept)

    async def delete(self, room: RoomTerms, message_id: str, author: UUID | None) -> None:
        """Remove a message by `author`, or by anybody when that is None.

        Raises `StaleRoom`, `MessageNotFound`, `NotYourMessage`.
        """
        event = Event(EventType.DELETE, {"message_id": message_id}).body()
        await self._about_message("delete", room, message_id, author.hex if author else "", event)

    async def messages(self, room: RoomTerms) -> list[Message]:
        """The messages of a room, oldest first."""
        return [stored.message() for stored in (await self.snapshot(room)).messages]

    async def snapshot(self, room: RoomTerms, known: str | None = None) -> Snapshot:
        """The messages of a room, with its version and last event at the same moment.

        `known`: an event whose messages the caller has; if only others were added since, only those are returned.
        """
        values = (_milliseconds(room.lifetime), room.capacity, known or "")
        version, last_event, first, state, *rest = await self._run("messages", room.id, *values)
        found = [StoredMessage(rest[n].decode(), rest[n + 1], rest[n + 2]) for n in range(0, len(rest), 3)]
        return Snapshot(
            found[::-1], first.decode() or None, _number(version), _text(last_event), is_addition=state == b"added"
        )

    async def since(self, room: RoomTerms, after: str) -> Missed:
        """The events after `after` whose messages have not expired."""
        state, version, last_event, *rest = await self._run("since", room.id, _milliseconds(room.lifetime), after)
        events = [_missed_event(rest[n : n + 5]) for n in range(0, len(rest), 5)]
        return Missed(state == b"whole", _number(version), _text(last_event), events)

    async def announce(self, room: RoomTerms, event: Event) -> str:
        """Send and log an event about the room or its members; `room` as it is now. Returns the event's id."""
        found = await self._run("announce", room.id, *_terms(room), event.type.value, event.body())
        return found.decode()

    async def whisper(self, room: RoomTerms, event: Event, lasts: timedelta) -> None:
        """Send an event to current listeners without logging it. Nothing is sent when `room` is stale."""
        values = (room.id, room.version, event.type.value, event.body(), _milliseconds(lasts))
        await self._run("whisper", room.id, *values)

    async def version(self, room_id: int) -> tuple[int | None, str | None]:
        """The room's version and its last event; None where Valkey knows nothing."""
        pulse = await self.pulse(room_id)
        return pulse.version, pulse.last_event

    async def pulse(self, room_id: int) -> Pulse:
        """The room's version, its last event and Valkey's clock."""
        version, last_event, now = await self._run("pulse", room_id)
        return Pulse(_number(version), _text(last_event), datetime.fromtimestamp(int(now) / 1000, UTC))

    async def tally(self, room_id: int) -> Tally:
        """The number of messages in a room, and when the last of them was posted."""
        messages, last = await self._run("tally", room_id)
        moment = int(last.partition(b"-")[0]) / 1000 if last else None
        return Tally(messages, None if moment is None else datetime.fromtimestamp(moment, UTC))

    async def unread(self, room_id: int, lifetime: timedelta, seen: str, reader: UUID, among: int) -> int:
        """How many messages of others than `reader` came after the event `seen` (empty: all), `among` the newest."""
        return await self._run("unread", room_id, _milliseconds(lifetime), seen, reader.hex, among)

    async def set_version(self, room_id: int, version: int) -> None:
        """Record the room's version, unless a later one is recorded.

        A change of a room records its version inside the transaction, right before the commit.
        """
        await self._run("set_version", room_id, version)

    async def restore_version(self, room_id: int, version: int) -> None:
        """Record the room's version even if a later one is recorded, whose change was then never committed.

        Only the holder of the lock on the room's row can know that: no other change is between recording its version
        and its commit.
        """
        await self._run("restore_version", room_id, version)

    async def trim(self, room: RoomTerms) -> None:
        """Remove the messages that have expired by these terms, before longer terms bring them back."""
        await self._run("trim", room.id, *_terms(room))

    async def clear(self, room_id: int) -> None:
        """Delete everything about a room."""
        await self._run("clear", room_id, room_id)
        try:
            await self.redis.unlink(*presence_keys(room_id))
        except RedisError as error:
            raise ChatUnavailable from error

    async def due(self, limit: int) -> list[int]:
        """Up to `limit` rooms in which messages have expired that are not removed yet."""
        try:
            seconds, microseconds = await self._pipe.call("TIME")
            now = int(seconds) * 1000 + int(microseconds) // 1000
            found: list[bytes] = await self._pipe.call("ZRANGE", DUE_KEY, "-inf", now, "BYSCORE", "LIMIT", 0, limit)
        except RedisError as error:
            raise ChatUnavailable from error
        return [int(room_id) for room_id in found]

    async def expire(self, room_id: int) -> None:
        """Remove the messages of a room that have expired."""
        await self._run("expire", room_id, room_id)

    async def ready(self) -> None:
        """Raise `ChatUnavailable` unless Valkey answers."""
        try:
            await self.redis.ping()  # pyright: ignore[reportGeneralTypeIssues]
        except RedisError as error:
            raise ChatUnavailable from error

    async def close(self) -> None:
        await self._pipe.close()
        await self.redis.aclose()

    async def _about_message(
        self, script: str, room: RoomTerms, message_id: str, *values: str | bytes | int
    ) -> list[bytes]:
        if not is_event_id(message_id):
            raise MessageNotFound
        return _accepted(await self._run(script, room.id, *_terms(room), message_id, *values))

    async def _run(self, script: str, room_id: int, *values: str | bytes | int) -> Any:
        try:
            return await self._pipe.run(self._scripts[script], room_keys(room_id), *values)
        except RedisError as error:
            raise ChatUnavailable from error


def room_keys(room_id: int) -> list[str]:
    """The keys that every script about a room is given."""
    room = f"room:{room_id}"
    return [room, f"{room}:messages", f"{room}:edits", f"{room}:log", LIVE_KEY]


def presence_keys(room_id: int) -> list[str]:
    """The keys of a room that hold the connected accounts."""
    return [f"room:{room_id}:present", f"room:{room_id}:names"]


def _terms(room: RoomTerms) -> tuple[int, int, int, int]:
    return room.id, room.version, _milliseconds(room.lifetime), room.capacity


def _accepted(answer: list[bytes]) -> list[bytes]:
    """The answer of a script that writes. Raises the error that it names."""
    match answer[0]:
        case b"ok":
            return answer
        case b"stale":
            raise StaleRoom
        case b"missing":
            raise MessageNotFound
        case b"foreign":
            raise NotYourMessage
        case b"account_rate":
            raise TooManyMessages(retry_after=timedelta(milliseconds=int(answer[1])))
        case b"reused":
            raise IdempotencyKeyReused
        case b"room_rate":
            raise RoomTooBusy(retry_after=timedelta(milliseconds=int(answer[1])))
        case _:
            raise TooMuchKept


def _repeated(repeatable: Repeatable | None) -> tuple[str, str]:
    return (repeatable.origin, repeatable.digest.hex()) if repeatable else ("", "")


def _sent(answer: list[Any]) -> Message | None:
    """The message of a repeated send; None if it is a new one, or the message is gone."""
    if len(answer) < 3 or answer[2] is None:
        return None
    return parse_message(answer[1].decode(), answer[2], answer[3])


def _milliseconds(lifetime: timedelta) -> int:
    return lifetime // timedelta(milliseconds=1)


def _missed_event(entry: list[bytes | None]) -> MissedEvent:
    raw_id, raw_kind, body, reference, edited = entry
    event_id, kind = cast("bytes", raw_id).decode(), cast("bytes", raw_kind).decode()
    body = body or b""
    about = cast("bytes", reference).decode() or event_id
    if kind == EventType.MESSAGE and edited is not None:
        values = parse_message(event_id, body, edited).to_json()
        made = encode({**values, "type": kind})
    elif kind == EventType.EDIT:
        text = cast("bytes", edited).decode()
        made = with_id(event_id, Event(EventType.EDIT, {"message_id": about, "text": text}).body())
    else:
        made = with_id(event_id, body)
    return MissedEvent(event_id, made)


def _number(value: bytes | None) -> int | None:
    return None if value is None else int(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
