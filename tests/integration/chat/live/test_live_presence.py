"""The events that are about listeners: who is there, who types, who may stay; and what many of them cost others."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from chat_service.live import Close, ConnectionLimits, Ended, TooManyConnections, channel
from chat_service.live.counting import RoomSizes
from chat_service.streams import Event, EventType
from tests.integration.chat.live.processes import Ear, Process, Rooms, live_entry, person, process


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


async def test_a_listener_of_a_room_of_many_is_told_the_names_when_the_room_is_one_of_few_in_the_next_frame(
    here: Process, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"NAMED": 2, "CALM_SECONDS_PER_LISTENER": 1e9, "CALM_SECONDS": 1e9}.items():
        monkeypatch.setattr(channel, name, value)
    ada, *others = (person(str(number)) for number in range(20))
    room = await rooms.make(ada, *others)
    await here.listen(room, ada)
    present: list[Ear] = []
    while not present or present[-1].heard[0]["count"] <= 2:
        present.append(await here.listen(room, others[len(present)]))
    *leaving, last = present
    for ear in leaving:
        await here.hang_up(ear)
    await rooms.post(room.id, "now")
    told = await last.next("presence")
    assert (told["complete"], told["count"]) == (True, 2)
    assert {each["account_id"] for each in told["online"]} == {
        str(each.account_id) for each in (ada, last.subscription.listener.identity)
    }


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
