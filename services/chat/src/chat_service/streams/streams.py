"""What can be done with the messages of a room. Every method raises `ChatUnavailable` when Valkey does not answer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from chat_service.streams import scripts
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
    created_at,
    draft_body,
    encode,
    is_event_id,
    parse_message,
    with_id,
)
from common.valkey import Pipe, client_options

TIMEOUT_SECONDS = 3
CONNECTIONS = 32
SCRIPTS = (
    *("post", "edit", "delete", "announce", "whisper"),
    *("messages", "since", "pulse", "set_version", "restore_version", "trim"),
)


@dataclass(frozen=True, slots=True)
class Missed:
    """What happened since an event that somebody saw."""

    is_whole: bool
    """False: more than is remembered; `events` is empty, and the room is to be read anew."""
    version: int | None
    last_event: str | None
    events: list[LiveEvent]


class Streams:
    """The messages and events of all rooms."""

    def __init__(self, valkey_url: str) -> None:
        # What may have happened must not be done twice: nothing is sent again by itself. Who finds no free connection
        # waits for one.
        pool = BlockingConnectionPool.from_url(
            valkey_url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            **client_options(),
        )
        self.redis = Redis.from_pool(pool)
        self._scripts = scripts.load(self.redis, SCRIPTS, ["shared"])
        self._pipe = Pipe(valkey_url)

    async def post(self, room: RoomTerms, draft: Draft) -> Message:
        """Add a message, and take away those that have no place any more. Raises `StaleRoom`."""
        body = draft_body(draft)
        found = await self._run("post", room.id, *_terms(room), draft.author.hex, body)
        if found is None:
            raise StaleRoom
        return parse_message(found.decode(), body, None)

    async def edit(self, room: RoomTerms, message_id: str, author: UUID, text: str) -> Message:
        """Give a message of `author` another text. Raises `StaleRoom`, `MessageNotFound`, `NotYourMessage`."""
        kept = text.encode(errors="replace")
        event = Event(EventType.EDIT, {"message_id": message_id, "text": text}).body()
        answer = await self._about_message("edit", room, message_id, author.hex, kept, event)
        return parse_message(message_id, answer[1], kept)

    async def delete(self, room: RoomTerms, message_id: str, author: UUID | None) -> None:
        """Remove a message; `author` None: whoever wrote it.

        Raises `StaleRoom`, `MessageNotFound`, `NotYourMessage`.
        """
        event = Event(EventType.DELETE, {"message_id": message_id}).body()
        await self._about_message("delete", room, message_id, author.hex if author else "", event)

    async def messages(self, room: RoomTerms) -> list[Message]:
        """The living messages, oldest first."""
        return (await self.snapshot(room)).messages

    async def snapshot(self, room: RoomTerms) -> Snapshot:
        """The living messages, with the version and the last event of that moment."""
        version, last_event, *rest = await self._run("messages", room.id, _milliseconds(room.lifetime), room.capacity)
        found = [parse_message(rest[n].decode(), rest[n + 1], rest[n + 2]) for n in range(0, len(rest), 3)]
        return Snapshot(found[::-1], _number(version), _text(last_event))

    async def since(self, room: RoomTerms, after: str) -> Missed:
        """What happened after the event `after`: everything that is still alive, or the news that it is too much."""
        state, version, last_event, *rest = await self._run("since", room.id, _milliseconds(room.lifetime), after)
        events = [_told_again(room, rest[n : n + 5]) for n in range(0, len(rest), 5)]
        return Missed(state == b"whole", _number(version), _text(last_event), events)

    async def announce(self, room: RoomTerms, event: Event) -> str:
        """Tell of something that happened to the room or its members; `room` as it is now. Returns the event's id."""
        found = await self._run("announce", room.id, *_terms(room), event.type.value, event.body())
        return found.decode()

    async def whisper(self, room: RoomTerms, event: Event, lasts: timedelta) -> None:
        """Tell those who listen now of something that nobody needs to know later; not at all where `room` is stale."""
        values = (room.id, room.version, event.type.value, event.body(), _milliseconds(lasts))
        await self._run("whisper", room.id, *values)

    async def version(self, room_id: int) -> tuple[int | None, str | None]:
        """The room's version and its last event; None: nothing is known."""
        pulse = await self.pulse(room_id)
        return pulse.version, pulse.last_event

    async def pulse(self, room_id: int) -> Pulse:
        """The room's version, its last event and Valkey's clock."""
        version, last_event, now = await self._run("pulse", room_id)
        return Pulse(_number(version), _text(last_event), datetime.fromtimestamp(int(now) / 1000, UTC))

    async def set_version(self, room_id: int, version: int) -> None:
        """Say that the room has this version, unless a later one is known.

        Who changes a room says so within the transaction, right before its commit; who reads one of which Valkey knows
        nothing says what was read.
        """
        await self._run("set_version", room_id, version)

    async def restore_version(self, room_id: int, version: int) -> None:
        """Say that the room has this version, even when a later one is known: that change was not committed.

        Only who holds the lock of the room's row can know that: nobody else is between saying and committing then.
        """
        await self._run("restore_version", room_id, version)

    async def trim(self, room: RoomTerms) -> None:
        """Remove the messages that have no place by these terms, before others hold that would bring them back."""
        await self._run("trim", room.id, *_terms(room))

    async def clear(self, room_id: int) -> None:
        """Forget everything about a room."""
        try:
            await self.redis.unlink(*scripts.keys(room_id)[:-1], *scripts.presence_keys(room_id))
        except RedisError as error:
            raise ChatUnavailable from error

    async def ready(self) -> None:
        """Raise `ChatUnavailable` unless Valkey answers."""
        try:
            await self.redis.ping()  # pyright: ignore[reportGeneralTypeIssues]
        except RedisError as error:
            raise ChatUnavailable from error

    async def close(self) -> None:
        await self._pipe.close()
        await self.redis.aclose()

    async def _about_message(self, script: str, room: RoomTerms, message_id: str, *values: str | bytes) -> list[bytes]:
        if not is_event_id(message_id):
            raise MessageNotFound
        answer = await self._run(script, room.id, *_terms(room), message_id, *values)
        match answer[0]:
            case b"stale":
                raise StaleRoom
            case b"missing":
                raise MessageNotFound
            case b"foreign":
                raise NotYourMessage
            case _:
                return answer

    async def _run(self, script: str, room_id: int, *values: str | bytes | int) -> Any:
        wanted, keys = self._scripts[script], scripts.keys(room_id)
        try:
            try:
                return await self._pipe.call("EVALSHA", wanted.sha, len(keys), *keys, *values)
            except ResponseError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
                # The server has not seen it, or has forgotten it: then it has done nothing.
                return await self._pipe.call("EVAL", cast("str", wanted.script), len(keys), *keys, *values)
        except RedisError as error:
            raise ChatUnavailable from error


def _terms(room: RoomTerms) -> tuple[int, int, int, int]:
    return room.id, room.version, _milliseconds(room.lifetime), room.capacity


def _milliseconds(lifetime: timedelta) -> int:
    return lifetime // timedelta(milliseconds=1)


def _told_again(room: RoomTerms, entry: list[bytes | None]) -> LiveEvent:
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
    expires = created_at(about) + room.lifetime if kind in (EventType.MESSAGE, EventType.EDIT) else None
    ends = None if expires is None else int(expires.timestamp() * 1000)
    return LiveEvent(event_id, room.id, room.version, kind, made, ends)


def _number(value: bytes | None) -> int | None:
    return None if value is None else int(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
