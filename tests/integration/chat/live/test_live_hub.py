"""The events that listeners receive, in order and once, in one process and in two, on a real Valkey."""

import asyncio

import pytest

from chat_service.live import QUEUE, Close, Ended
from chat_service.streams import Event, EventType
from tests.integration.chat.live.processes import Process, Rooms, person


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
