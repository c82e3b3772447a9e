"""The events that listeners receive, in one process and in two, on a real Valkey."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from chat_service.live import QUEUE, Close, ConnectionLimits, Ended, TooManyConnections, channel
from chat_service.live.counting import RoomSizes
from chat_service.streams import Event, EventType, Streams
from tests.integration.chat.live.processes import Ear, Process, Rooms, live_entry, person, process


@pytest.fixture
async def rooms(valkey_url: str) -> AsyncGenerator[Rooms]:
    streams = Streams(valkey_url)
    made = Rooms(streams)
    yield made
    for room_id in made.views:
        await streams.clear(room_id)
    await streams.close()


@pytest.fixture
async def here(valkey_url: str, rooms: Rooms) -> AsyncGenerator[Process]:
    async with process(valkey_url, rooms) as made:
        yield made


@pytest.fixture
async def there(valkey_url: str, rooms: Rooms) -> AsyncGenerator[Process]:
    """A second process."""
    async with process(valkey_url, rooms) as made:
        yield made


async def test_all_listeners_receive_all_events_in_order(here: Process, there: Process, rooms: Rooms) -> None:
    ada, bob = person("Ada"), person("Bob")
    room, other = await rooms.make(ada, bob), await rooms.make(ada, bob)
    ears = [await here.listen(room, ada), await there.listen(room, bob)]
    for number in range(5):
        await rooms.post(room.id, str(number))
        await rooms.post(other.id, "elsewhere")
    message = await rooms.post(room.id, "last")
    await rooms.streams.edit(room, message.id, message.author, "edited")
    await rooms.streams.delete(room, message.id, None)
    for ear in ears:
        await ear.next("delete")
        received = [event for event in ear.heard if event["type"] != "presence"]
        assert [event["type"] for event in received] == ["message"] * 6 + ["edit", "delete"]
        assert ear.texts == ["0", "1", "2", "3", "4", "last"]
        assert received[5] == {**message.to_json(), "type": "message"}
        assert (received[6]["message_id"], received[6]["text"]) == (message.id, "edited")
        assert received[7]["message_id"] == message.id


async def test_frames_to_one_listener_are_brought_together(here: Process, rooms: Rooms) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    await asyncio.gather(*(rooms.post(room.id, str(number)) for number in range(60)))
    before = ear.frames
    while len(ear.texts) < 60:
        await ear.next("message")
    assert ear.frames - before < 20
    assert sorted(map(int, ear.texts)) == list(range(60))


async def test_a_listener_that_returns_to_another_process_misses_nothing(
    here: Process, there: Process, rooms: Rooms
) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    await rooms.post(room.id, "heard")
    await ear.until("heard")
    await here.hang_up(ear)
    gone = await rooms.post(room.id, "gone")
    await rooms.post(room.id, "missed")
    await rooms.streams.delete(room, gone.id, None)

    posting = [asyncio.create_task(rooms.post(room.id, str(number))) for number in range(20)]
    back = await there.listen(room, ada, after=ear.last_id)
    await asyncio.gather(*posting)
    await rooms.post(room.id, "last")
    texts = await back.until("last")
    assert texts[0] == "missed"
    assert sorted(texts[1:-1], key=int) == [str(number) for number in range(20)]
    ids = [event["id"] for event in back.heard if "id" in event]
    assert len(ids) == len(set(ids))


async def test_reconnecting_again_and_again_misses_and_repeats_nothing(
    here: Process, there: Process, rooms: Rooms
) -> None:
    ada = person()
    room = await rooms.make(ada, capacity=1000)
    ear = await here.listen(room, ada)
    await rooms.post(room.id, "first")
    await ear.until("first")
    heard, after = ["first"], ear.last_id

    async def talk() -> None:
        for number in range(300):
            await rooms.post(room.id, str(number))

    talking = asyncio.create_task(talk())
    for turn in range(200):
        ear = await (there if turn % 2 else here).listen(room, ada, after)
        if turn % 3 == 0 and not talking.done():
            await ear.next("message")
        heard += ear.texts
        after = ear.last_id if any(event.get("id") for event in ear.heard) else after
        await (there if turn % 2 else here).hang_up(ear)
        if talking.done() and heard[-1] == "299":
            break
    assert heard == ["first", *map(str, range(300))]


async def test_a_listener_that_missed_too_much_is_told_to_read_the_room_again(here: Process, rooms: Rooms) -> None:
    ada = person()
    room = await rooms.make(ada, capacity=5)
    first = last = await rooms.post(room.id, "first")
    for _ in range(400):
        last = await rooms.post(room.id, "more")
    ear = await here.listen(room, ada, after=first.id)
    assert (ear.heard[0]["type"], ear.heard[0]["id"]) == ("reset", last.id)
    await rooms.post(room.id, "next")
    assert await ear.until("next") == ["next"]


async def test_a_listener_that_does_not_read_is_disconnected_and_slows_nobody(here: Process, rooms: Rooms) -> None:
    ada, bob = person("Ada"), person("Bob")
    room = await rooms.make(ada, bob)
    reading, silent = await here.listen(room, ada), await here.listen(room, bob)
    task = asyncio.create_task(reading.until(str(QUEUE + 99)))
    for number in range(QUEUE + 100):
        await rooms.post(room.id, str(number))
    assert await task == [str(number) for number in range(QUEUE + 100)]
    assert await silent.end() == Close.TOO_SLOW
    assert not reading.subscription.ended.done()


async def test_a_burst_disconnects_no_listener_that_reads(here: Process, rooms: Rooms) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    task = asyncio.create_task(ear.until("last"))
    for _ in range(4):
        await asyncio.gather(*(rooms.post(room.id, "one of many") for _ in range(400)))
    await rooms.post(room.id, "last")
    assert len(await task) == 1601


async def test_a_removed_member_receives_nothing_more(here: Process, there: Process, rooms: Rooms) -> None:
    ada, bob = person("Ada"), person("Bob")
    room = await rooms.make(ada, bob)
    staying, leaving, elsewhere = [
        await here.listen(room, ada),
        await here.listen(room, bob),
        await there.listen(room, bob),
    ]
    await rooms.post(room.id, "before")
    for ear in (staying, leaving, elsewhere):
        await ear.until("before")
    await rooms.remove(room.id, bob)
    await rooms.post(room.id, "after")
    await staying.until("after")
    for ear in (leaving, elsewhere):
        assert await ear.end() == Close.FORBIDDEN
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ear.subscription.frame()
        assert ear.texts == ["before"]
    with pytest.raises(Ended) as refused:
        await there.listen(room, bob, after=leaving.last_id)
    assert refused.value.end.code == Close.FORBIDDEN


async def test_a_removed_member_receives_nothing_more_even_when_the_news_is_late(here: Process, rooms: Rooms) -> None:
    ada, bob = person("Ada"), person("Bob")
    room = await rooms.make(ada, bob)
    staying, leaving = await here.listen(room, ada), await here.listen(room, bob)
    await rooms.remove(room.id, bob, is_told=False)
    await rooms.post(room.id, "after")
    await staying.until("after")
    assert await leaving.end() == Close.FORBIDDEN
    assert leaving.texts == []


async def test_a_removal_that_was_not_announced_is_found(here: Process, rooms: Rooms) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    await rooms.remove(room.id, ada, is_told=False)
    assert await ear.end() == Close.FORBIDDEN


async def test_while_a_room_cannot_be_read_nobody_receives_its_events(here: Process, rooms: Rooms) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    await rooms.change(room.id)
    rooms.is_down = True
    await rooms.post(room.id, "unheard")
    assert await ear.end() == Close.TRY_LATER
    assert ear.texts == []


async def test_a_room_that_is_closed_says_so(here: Process, rooms: Rooms) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    closed = await rooms.change(room.id)
    del rooms.views[room.id]
    await rooms.streams.announce(closed, Event(EventType.CLOSED))
    assert await ear.end() == Close.NOT_FOUND
    last_words = ear.subscription.ended.result().last_words
    assert last_words is not None
    assert b'"type":"closed"' in last_words
    with pytest.raises(Ended) as refused:
        await here.listen(room, ada)
    assert refused.value.end.code == Close.NOT_FOUND


async def test_many_rooms_are_heard_by_one_reader(here: Process, rooms: Rooms) -> None:
    ada = person()
    made = [await rooms.make(ada) for _ in range(50)]
    ears = [await here.listen(room, ada) for room in made]
    for number, room in enumerate(made):
        await rooms.post(room.id, str(number))
    for number, ear in enumerate(ears):
        assert await ear.until(str(number)) == [str(number)]
    clients = await rooms.streams.redis.client_list(_type="normal")
    assert sum(client["cmd"] == "xread" for client in clients) == 1


async def test_a_room_of_many_tells_how_many_are_there_and_no_names(
    here: Process, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "NAMED", 5)
    ada, *others = (person(str(number)) for number in range(7))
    room = await rooms.make(ada, *others)
    ear = await here.listen(room, ada)

    async def heard(count: int) -> dict[str, Any]:
        """The last of the events about presence, once so many are there."""
        told = ear.heard[-1]
        while told["count"] != count:
            told = await ear.next("presence")
        return told

    present = [await here.listen(room, other) for other in others[:4]]
    assert not (await heard(5))["complete"]
    present += [await here.listen(room, other) for other in others[4:]]
    many = await heard(7)
    assert (many["online"], many["offline"]) == ([], [])
    # The list that was told so far is over.
    assert next(event["complete"] for event in ear.heard if event.get("count", 0) > 5)
    later = (await here.listen(room, others[0])).heard[0]
    assert (later["complete"], later["count"], later["online"]) == (True, 7, [])
    for gone in present[2:]:
        await here.hang_up(gone)
    few = await heard(3)
    assert few["complete"]
    assert {each["name"] for each in few["online"]} == {"0", "1", "2"}


async def test_events_that_may_wait_come_with_the_next_that_may_not(
    here: Process, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "CALM_SECONDS_PER_LISTENER", 1e9)
    monkeypatch.setattr(channel, "CALM_SECONDS", 1e9)
    ada, bob, cid = person("Ada"), person("Bob"), person("Cid")
    room = await rooms.make(ada, bob)
    ear = await here.listen(room, ada)
    await here.listen(room, bob)
    for newcomer in (cid, person("Dan")):
        joined = Event(EventType.JOINED, {"account_id": str(newcomer.account_id), "name": newcomer.name})
        await rooms.change(room.id, joined, members=rooms.views[room.id].members | {newcomer.account_id})
    await rooms.post(room.id, "hello")
    before = ear.frames
    await ear.until("hello")
    assert ear.frames == before + 1
    assert [event["type"] for event in ear.heard[1:]] == ["joined", "joined", "message", "presence"]


async def test_presence_is_sent_once_however_many_connections(here: Process, there: Process, rooms: Rooms) -> None:
    ada, bob = person("Ada"), person("Bob")
    room = await rooms.make(ada, bob)
    ear = await here.listen(room, ada)
    roster = ear.heard[-1]
    assert (roster["complete"], [each["name"] for each in roster["online"]]) == (True, ["Ada"])
    first, second = await here.listen(room, bob), await there.listen(room, bob)
    assert {each["name"] for each in second.heard[-1]["online"]} == {"Ada", "Bob"}

    async def heard_of_bob() -> dict[str, object]:
        while True:
            event = await ear.next("presence")
            if any(each["account_id"] == str(bob.account_id) for each in event["online"] + event["offline"]):
                return event

    assert [each["name"] for each in (await heard_of_bob())["online"]] == ["Bob"]  # pyright: ignore
    await here.hang_up(first)
    await rooms.post(room.id, "one of two is gone")
    await ear.until("one of two is gone")
    await there.hang_up(second)
    gone = await heard_of_bob()
    assert (gone["online"], gone["offline"]) == ([], [{"account_id": str(bob.account_id)}])


async def test_typing_is_sent_and_not_logged(here: Process, rooms: Rooms) -> None:
    ada, bob = person("Ada"), person("Bob")
    room = await rooms.make(ada, bob)
    typing, ear = await here.listen(room, ada), await here.listen(room, bob)
    seen = await rooms.post(room.id, "seen")
    await here.live.hub.typing(typing.subscription)
    event = await ear.next("typing")
    assert event == {"type": "typing", "account_id": str(ada.account_id), "name": "Ada"}
    assert (await rooms.streams.since(room, seen.id)).events == []
    await rooms.change(room.id, muted=frozenset({ada.account_id}))
    await rooms.streams.announce(rooms.views[room.id].terms, Event(EventType.MUTED))
    await ear.next("muted")
    await here.live.hub.typing(typing.subscription)
    await rooms.post(room.id, "after")
    await ear.until("after")
    assert [each["type"] for each in ear.heard].count("typing") == 1


async def test_a_listener_that_was_signed_out_is_disconnected(here: Process, rooms: Rooms) -> None:
    ada, bob = person("Ada"), person("Bob")
    room = await rooms.make(ada, bob)
    staying, leaving = await here.listen(room, ada), await here.listen(room, bob)
    del here.people[leaving.subscription.listener.credential]
    await here.live.hub.check_credentials()
    assert await leaving.end() == Close.UNAUTHENTICATED
    assert not staying.subscription.ended.done()


async def test_a_listener_that_is_sent_away_returns_without_missing_anything(
    here: Process, there: Process, rooms: Rooms
) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    await rooms.post(room.id, "heard")
    await ear.until("heard")
    here.live.hub.stop()
    assert await ear.end() == Close.GOING_AWAY
    await rooms.post(room.id, "missed")
    with pytest.raises(Ended):
        await here.listen(room, ada)
    assert (await there.listen(room, ada, after=ear.last_id)).texts == ["missed"]


async def test_an_expired_message_is_not_sent_late(
    here: Process, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = person()
    room = await rooms.make(ada, lifetime=timedelta(milliseconds=100))
    ear = await here.listen(room, ada)
    await rooms.change(room.id)
    reading = asyncio.Event()

    async def slow(room_id: int, version: int | None) -> object:
        await reading.wait()
        return await rooms.read(room_id, version)

    monkeypatch.setattr(here.live.hub, "_read_room", slow)
    message = await rooms.post(room.id, "too late")
    while (await rooms.streams.pulse(room.id)).now < message.created_at + timedelta(milliseconds=150):
        pass
    reading.set()
    monkeypatch.undo()
    await rooms.post(room.id, "in time")
    assert await ear.until("in time") == ["in time"]


def test_a_small_room_does_not_wait_for_the_listeners_of_a_large_one() -> None:
    sizes = RoomSizes()
    for size in (1, 2, 3000):
        sizes.change(0, size)
    assert [sizes.weight(size) for size in (1, 2, 3000)] == [3, 5, 3003]
    # Rooms of one size share the time, so that all frames together take no more of it.
    for _ in range(9):
        sizes.change(0, 3000)
    assert sizes.weight(3000) == 30_003
    assert sizes.weight(2) == 23
    sizes.change(3000, 0)
    sizes.change(2, 1)
    assert sizes.weight(3000) == 27_002


async def test_a_flood_in_one_room_is_handed_out_after_the_events_of_others(here: Process, rooms: Rooms) -> None:
    ada = person("Ada")
    flooded, quiet = await rooms.make(ada), await rooms.make(ada)
    loud, ear = await here.listen(flooded, ada), await here.listen(quiet, ada)
    order: list[str] = []

    async def hear(name: str, listener: Ear, text: str) -> None:
        await listener.until(text)
        order.append(name)

    tasks = [asyncio.create_task(hear("loud", loud, "199")), asyncio.create_task(hear("quiet", ear, "here"))]
    # All of it is read at once.
    first = await rooms.streams.redis.incrby("rooms:live:count", 201) - 200
    async with rooms.streams.redis.pipeline(transaction=True) as pipeline:
        for number in range(200):
            pipeline.xadd("rooms:live", live_entry(flooded, str(number), first + number))
        pipeline.xadd("rooms:live", live_entry(quiet, "here", first + 200))
        await pipeline.execute()
    await asyncio.gather(*tasks)
    assert order == ["quiet", "loud"]


async def test_sockets_are_counted_by_account_and_address_and_in_all(valkey_url: str, rooms: Rooms) -> None:
    people = [person(str(number)) for number in range(5)]
    room = await rooms.make(*people)
    async with process(valkey_url, rooms, ConnectionLimits(per_account=2, per_address=3, in_all=5)) as here:
        ears = [await here.listen(room, people[0], address="a") for _ in range(2)]
        with pytest.raises(TooManyConnections):
            await here.listen(room, people[0], address="b")
        await here.listen(room, people[1], address="a")
        with pytest.raises(TooManyConnections):
            await here.listen(room, people[2], address="a")
        await here.listen(room, people[2], address="b")
        await here.listen(room, people[3], address="c")
        with pytest.raises(TooManyConnections):
            await here.listen(room, people[4], address="d")
        await here.hang_up(ears[0])
        await here.listen(room, people[0], address="d")
