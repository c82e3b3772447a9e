"""Messages and events of rooms in a real Valkey."""

import asyncio
import json
import random
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from chat_service.messages.api.messages import LIST
from chat_service.streams import (
    ChatUnavailable,
    Draft,
    Event,
    EventType,
    MessageLists,
    MessageNotFound,
    NotYourMessage,
    Rendering,
    RoomTerms,
    StaleRoom,
    StoredMessage,
    Streams,
)

AUTHOR = uuid4()
CLOSED = "redis://127.0.0.1:1/0"


@pytest.fixture
async def streams(valkey_url: str) -> AsyncGenerator[Streams]:
    made = Streams(valkey_url)
    yield made
    await made.close()


@pytest.fixture
async def room(streams: Streams) -> AsyncGenerator[RoomTerms]:
    """A room that Valkey knows, with a capacity of five messages."""
    terms = RoomTerms(secrets.randbits(48), version=1, lifetime=timedelta(minutes=30), capacity=5)
    await streams.set_version(terms.id, terms.version)
    yield terms
    await streams.clear(terms.id)


def draft(text: str = "hello", author: UUID = AUTHOR, **more: Any) -> Draft:
    return Draft(author=author, name="Ada", text=text, **more)


async def texts(streams: Streams, room: RoomTerms) -> list[str]:
    return [message.text for message in await streams.messages(room)]


async def is_expired(streams: Streams, message_id: str, lifetime: timedelta) -> bool:
    now = (await streams.pulse(0)).now
    return now.timestamp() * 1000 - int(message_id.partition("-")[0]) >= lifetime.total_seconds() * 1000


async def missed_events(streams: Streams, room: RoomTerms, after: str) -> list[dict[str, Any]]:
    missed = await streams.since(room, after)
    assert missed.is_whole
    return [json.loads(event.json) for event in missed.events]


async def test_messages_are_read_as_they_were_posted_oldest_first(streams: Streams, room: RoomTerms) -> None:
    file = {"name": "ä.txt", "size": 3, "type": "text/plain", "url": "https://example.org/x"}
    first = await streams.post(room, draft('a "text"\n\x00 <b>𝄞</b>'))
    second = await streams.post(room, draft("another", reply_to=first.id, file=file))
    assert await streams.messages(room) == [first, second]
    assert (first.author, first.name, first.text) == (AUTHOR, "Ada", 'a "text"\n\x00 <b>𝄞</b>')
    assert (second.reply_to, second.file, second.edited) == (first.id, file, False)
    assert second.created_at >= first.created_at


async def test_a_full_room_forgets_its_oldest_message(streams: Streams, room: RoomTerms) -> None:
    for number in range(8):
        await streams.post(room, draft(str(number)))
    assert await texts(streams, room) == ["3", "4", "5", "6", "7"]
    assert await streams.redis.xlen(f"room:{room.id}:messages") == 5
    assert await texts(streams, replace(room, capacity=2)) == ["6", "7"]


async def test_a_message_is_gone_when_its_lifetime_is_over(streams: Streams, room: RoomTerms) -> None:
    brief = replace(room, lifetime=timedelta(milliseconds=150))
    message = await streams.post(brief, draft())
    while await streams.messages(brief):
        pass
    assert await is_expired(streams, message.id, brief.lifetime)
    for attempt in (streams.edit(brief, message.id, AUTHOR, "x"), streams.delete(brief, message.id, AUTHOR)):
        with pytest.raises(MessageNotFound):
            await attempt


async def test_a_shortened_lifetime_holds_at_once(streams: Streams, room: RoomTerms) -> None:
    message = await streams.post(room, draft())
    brief = replace(room, lifetime=timedelta(milliseconds=1))
    while not await is_expired(streams, message.id, brief.lifetime):
        pass
    assert await streams.messages(brief) == []


async def test_a_longer_lifetime_keeps_the_messages_for_longer(streams: Streams, room: RoomTerms) -> None:
    await streams.post(replace(room, lifetime=timedelta(seconds=100)), draft())
    await streams.trim(replace(room, lifetime=timedelta(seconds=3000)))
    assert await streams.redis.pttl(f"room:{room.id}:messages") > 2_000_000


async def test_all_keys_of_a_room_expire_by_themselves(streams: Streams, room: RoomTerms) -> None:
    message = await streams.post(room, draft())
    await streams.edit(room, message.id, AUTHOR, "other")
    keys = [f"room:{room.id}{part}" for part in ("", ":messages", ":edits", ":log")]
    left = [await streams.redis.pttl(key) for key in keys]
    assert all(0 < milliseconds <= 86_400_000 for milliseconds in left), left
    await streams.clear(room.id)
    assert await streams.redis.exists(*keys) == 0
    assert await streams.version(room.id) == (None, None)


async def test_authors_change_their_own_messages_only(streams: Streams, room: RoomTerms) -> None:
    message, stranger = await streams.post(room, draft("first")), uuid4()
    changed = await streams.edit(room, message.id, AUTHOR, "second")
    assert (changed.id, changed.text, changed.edited) == (message.id, "second", True)
    assert await streams.messages(room) == [changed]
    with pytest.raises(NotYourMessage):
        await streams.edit(room, message.id, stranger, "third")
    with pytest.raises(NotYourMessage):
        await streams.delete(room, message.id, stranger)
    await streams.delete(room, message.id, AUTHOR)
    assert await streams.messages(room) == []


async def test_a_moderator_deletes_any_message(streams: Streams, room: RoomTerms) -> None:
    message = await streams.post(room, draft())
    await streams.delete(room, message.id, None)
    assert await streams.messages(room) == []


@pytest.mark.parametrize("message_id", ["1-1", "", "x", "1", "-", "+", "1-1-1", "99999999999999999999-1", "1-1\n"])
async def test_a_message_that_is_not_there_is_not_found(streams: Streams, room: RoomTerms, message_id: str) -> None:
    with pytest.raises(MessageNotFound):
        await streams.edit(room, message_id, AUTHOR, "x")
    with pytest.raises(MessageNotFound):
        await streams.delete(room, message_id, None)


async def test_texts_of_forgotten_messages_are_not_kept(streams: Streams, room: RoomTerms) -> None:
    for number in range(30):
        message = await streams.post(room, draft(str(number)))
        await streams.edit(room, message.id, AUTHOR, f"{number}, edited")
    assert await streams.redis.hlen(f"room:{room.id}:edits") <= room.capacity + 1
    assert await texts(streams, room) == [f"{number}, edited" for number in range(25, 30)]


Write = Callable[[Streams, RoomTerms, str], Coroutine[Any, Any, object]]
WRITES: dict[str, Write] = {
    "post": lambda streams, room, _: streams.post(room, draft()),
    "edit": lambda streams, room, message_id: streams.edit(room, message_id, AUTHOR, "x"),
    "delete": lambda streams, room, message_id: streams.delete(room, message_id, AUTHOR),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_by_an_older_version_of_the_room_is_refused(
    streams: Streams, room: RoomTerms, write: Write
) -> None:
    message = await streams.post(room, draft("first"))
    await streams.set_version(room.id, 2)
    with pytest.raises(StaleRoom):
        await write(streams, room, message.id)
    assert await texts(streams, room) == ["first"]
    await write(streams, replace(room, version=2), message.id)


async def test_nothing_is_written_to_a_room_that_valkey_does_not_know(streams: Streams, room: RoomTerms) -> None:
    await streams.clear(room.id)
    with pytest.raises(StaleRoom):
        await streams.post(room, draft())


async def test_a_version_never_goes_back_by_itself(streams: Streams, room: RoomTerms) -> None:
    await streams.set_version(room.id, 10)
    await streams.set_version(room.id, 9)
    assert await streams.version(room.id) == (10, None)
    await streams.announce(replace(room, version=11), Event(EventType.ROOM))
    await streams.announce(room, Event(EventType.ROOM))
    assert (await streams.version(room.id))[0] == 11
    await streams.restore_version(room.id, 9)
    assert (await streams.version(room.id))[0] == 9


async def body(lists: MessageLists, streams: Streams, room: RoomTerms) -> bytes:
    return await lists.body(room, await streams.pulse(room.id), LIST)


async def test_a_list_that_was_rendered_before_is_as_a_new_one_whatever_happened(
    streams: Streams, room: RoomTerms
) -> None:
    chance, lists = random.Random(7), MessageLists(streams)
    for number in range(150):
        found = [each.id for each in await streams.messages(room)]
        match chance.choice(["post", "post", "post", "edit", "delete", "announce", "trim", "nothing"]):
            case "post":
                for _ in range(chance.randint(1, 4)):
                    await streams.post(room, draft(f"{number} 𝄞"))
            case "edit" if found:
                await streams.edit(room, chance.choice(found), AUTHOR, f"edited {number}")
            case "delete" if found:
                await streams.delete(room, chance.choice(found), None)
            case "announce":
                await streams.announce(room, Event(EventType.ROOM))
            case "trim":
                room = replace(room, capacity=chance.randint(1, 8), version=room.version + 1)
                await streams.set_version(room.id, room.version)
                await streams.trim(room)
            case _:
                pass
        known = await body(lists, streams, room)
        assert known == await body(MessageLists(streams), streams, room)
        assert json.loads(known)["messages"] == [each.to_json() for each in await streams.messages(room)]


async def test_a_message_is_rendered_once_as_long_as_it_stays(streams: Streams, room: RoomTerms) -> None:
    rendered: list[str] = []

    def render(_: int, stored: StoredMessage) -> bytes:
        rendered.append(stored.message().text)
        return b"1"

    lists, counting = MessageLists(streams), Rendering(b"[", render, b"]")
    for number in range(8):
        await streams.post(room, draft(str(number)))
        found = await lists.body(room, await streams.pulse(room.id), counting)
        assert json.loads(found) == [1] * min(number + 1, room.capacity)
    assert rendered == [str(number) for number in range(8)]


async def test_a_rendered_message_expires(streams: Streams, room: RoomTerms) -> None:
    lists, brief = MessageLists(streams), replace(room, lifetime=timedelta(milliseconds=300))
    first = await streams.post(brief, draft("first"))
    await body(lists, streams, brief)
    while not await is_expired(streams, first.id, brief.lifetime):
        pass
    await streams.post(brief, draft("second"))
    assert [each["text"] for each in json.loads(await body(lists, streams, brief))["messages"]] == ["second"]


async def test_the_last_event_tells_whether_something_changed(streams: Streams, room: RoomTerms) -> None:
    seen: list[str | None] = []

    async def note() -> None:
        snapshot = await streams.snapshot(room)
        assert await streams.version(room.id) == (snapshot.version, snapshot.last_event) == (1, snapshot.last_event)
        seen.append(snapshot.last_event)

    await note()
    message = await streams.post(room, draft())
    await note()
    assert seen[-1] == message.id
    await streams.edit(room, message.id, AUTHOR, "x")
    await note()
    await streams.delete(room, message.id, AUTHOR)
    await note()
    await streams.announce(room, Event(EventType.ROOM))
    await note()
    assert len(set(seen)) == len(seen)


async def test_a_returning_client_gets_the_events_that_it_missed(streams: Streams, room: RoomTerms) -> None:
    seen = await streams.post(room, draft("seen"))
    message = await streams.post(room, draft("new"))
    await streams.edit(room, message.id, AUTHOR, "newer")
    await streams.delete(room, seen.id, AUTHOR)
    await streams.announce(room, Event(EventType.JOINED, {"account_id": "x", "name": "Ada"}))
    events = await missed_events(streams, room, seen.id)
    assert [event["type"] for event in events] == ["message", "edit", "delete", "joined"]
    assert (events[0]["id"], events[0]["text"], events[0]["edited"]) == (message.id, "newer", True)
    assert (events[1]["message_id"], events[1]["text"]) == (message.id, "newer")
    assert (events[2]["message_id"], events[3]["name"]) == (seen.id, "Ada")
    assert await missed_events(streams, room, events[1]["id"]) == events[2:]
    assert await missed_events(streams, room, events[3]["id"]) == []


async def test_a_returning_client_gets_no_messages_that_are_gone(streams: Streams, room: RoomTerms) -> None:
    seen = await streams.post(room, draft("seen"))
    gone = await streams.post(room, draft("gone"))
    await streams.edit(room, gone.id, AUTHOR, "gone too")
    await streams.delete(room, gone.id, AUTHOR)
    kept = await streams.post(room, draft("kept"))
    assert "gone" not in json.dumps(events := await missed_events(streams, room, seen.id))
    assert [event["type"] for event in events] == ["delete", "message"]
    brief = replace(room, lifetime=timedelta(milliseconds=1))
    while not await is_expired(streams, kept.id, brief.lifetime):
        pass
    assert [event["type"] for event in await missed_events(streams, brief, seen.id)] == ["delete"]


async def test_a_client_that_missed_more_than_is_logged_is_told_so(streams: Streams, room: RoomTerms) -> None:
    first = await streams.post(room, draft())
    for _ in range(400):
        await streams.post(room, draft())
    missed = await streams.since(room, first.id)
    assert (missed.is_whole, missed.events) == (False, [])
    assert missed.last_event == (await streams.version(room.id))[1]


async def test_an_event_of_another_time_is_not_resumed_after(streams: Streams, room: RoomTerms) -> None:
    assert not (await streams.since(room, "1-1")).is_whole
    await streams.post(room, draft())
    assert not (await streams.since(room, "0-0")).is_whole
    assert not (await streams.since(room, "99999999999999-0")).is_whole


async def test_an_event_has_one_id_everywhere(streams: Streams, room: RoomTerms, valkey_url: str) -> None:
    before: Any = await streams.redis.xrevrange("rooms:live", count=1)
    after = before[0][0].decode() if before else "0-0"
    posted = await asyncio.gather(*(streams.post(room, draft(str(number))) for number in range(5)))
    redis: Any = Redis.from_url(valkey_url)
    ids = sorted(message.id.encode() for message in posted)
    live = await redis.xrange("rooms:live", f"({after}")
    mine = [entry_id for entry_id, fields in live if fields[b"r"] == str(room.id).encode()]
    logged = [entry_id for entry_id, _ in await redis.xrange(f"room:{room.id}:log")]
    kept = [entry_id for entry_id, _ in await redis.xrange(f"room:{room.id}:messages")]
    await redis.aclose()
    assert mine == logged == kept
    assert sorted(kept) == ids


async def test_without_valkey_everything_says_so(room: RoomTerms) -> None:
    streams = Streams(CLOSED)
    attempts: list[Coroutine[Any, Any, object]] = [
        streams.post(room, draft()),
        streams.edit(room, "1-1", AUTHOR, "x"),
        streams.delete(room, "1-1", None),
        streams.messages(room),
        streams.since(room, "1-1"),
        streams.announce(room, Event(EventType.ROOM)),
        streams.version(room.id),
        streams.set_version(room.id, 2),
        streams.clear(room.id),
        streams.ready(),
    ]
    for attempt in attempts:
        with pytest.raises(ChatUnavailable):
            await attempt
    await streams.close()
