"""Listeners while Valkey dies, loses data or is ahead, and while a process dies."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from chat_service.live import Tickets
from chat_service.live.presence import Presence
from chat_service.live.reader import BATCH, Batch, Continuity, Reader
from chat_service.live.tickets import Ticket
from chat_service.streams import ChatUnavailable, Message, Streams
from deploy.local import binaries, ports
from deploy.local.valkey import CONFIGURATION
from tests.integration.chat.live.processes import Process, Rooms, person, process

PASSWORD = "secret"


class Valkey:
    """A Valkey of the test's own, configured as in the embedded stack, which can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (self._port,) = ports.choose(1)
        configuration = CONFIGURATION.format(host="127.0.0.1", port=self._port, password=PASSWORD)
        (folder / "valkey.conf").write_text(configuration)
        self.start()

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        command = [binaries.valkey_server(), "valkey.conf"]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        with Redis.from_url(self.url) as client:
            while True:
                with suppress(RedisError):
                    client.ping()
                    return

    def stop(self, number: int = signal.SIGKILL) -> None:
        os.kill(self._process.pid, number)
        self._process.wait()

    def forget(self) -> None:
        """Kill it, and start it again without its data."""
        self.stop()
        shutil.rmtree(self._folder / "appendonlydir")
        self.start()

    def flush(self) -> None:
        with Redis.from_url(self.url) as client:
            client.flushall()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    made = Valkey(tmp_path)
    yield made
    made.stop()


@pytest.fixture
async def rooms(valkey: Valkey) -> AsyncGenerator[Rooms]:
    streams = Streams(valkey.url)
    yield Rooms(streams)
    await streams.close()


@pytest.fixture
async def here(valkey: Valkey, rooms: Rooms) -> AsyncGenerator[Process]:
    async with process(valkey.url, rooms) as made:
        yield made


@pytest.fixture
async def there(valkey: Valkey, rooms: Rooms) -> AsyncGenerator[Process]:
    async with process(valkey.url, rooms) as made:
        yield made


async def post(rooms: Rooms, room_id: int, text: str) -> Message:
    """Post until Valkey answers again."""
    while True:
        with suppress(ChatUnavailable):
            return await rooms.post(room_id, text)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_after_valkey_was_restarted_all_that_was_acknowledged_is_there(
    valkey: Valkey, rooms: Rooms, number: int
) -> None:
    room = await rooms.make(person(), capacity=1_000_000)
    acknowledged: list[str] = []

    async def talk() -> None:
        with suppress(ChatUnavailable):
            while True:
                acknowledged.append((await rooms.post(room.id, "x")).id)

    talking = [asyncio.create_task(talk()) for _ in range(4)]
    while len(acknowledged) < 300:
        await asyncio.sleep(0)
    await asyncio.to_thread(valkey.stop, number)
    await asyncio.gather(*talking)
    await asyncio.to_thread(valkey.start)
    kept = [message.id for message in await rooms.streams.messages(room)]
    assert set(acknowledged) <= set(kept)
    assert (await rooms.streams.version(room.id))[0] == 1


async def test_connections_outlast_valkey_and_receive_nothing_twice(
    valkey: Valkey, here: Process, rooms: Rooms
) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    await rooms.post(room.id, "before")
    await ear.until("before")
    for number in range(2):
        await asyncio.to_thread(valkey.stop)
        with pytest.raises(ChatUnavailable):
            await here.listen(room, ada)
        await asyncio.to_thread(valkey.start)
        await post(rooms, room.id, f"after {number}")
        await ear.until(f"after {number}")
    assert ear.texts == ["before", "after 0", "after 1"]
    assert not ear.subscription.ended.done()


@pytest.mark.parametrize("lose", [Valkey.forget, Valkey.flush], ids=["died", "flushed"])
async def test_when_valkey_lost_everything_listeners_are_told_to_read_again(
    valkey: Valkey, here: Process, rooms: Rooms, lose: Callable[[Valkey], None]
) -> None:
    ada = person()
    room = await rooms.make(ada)
    ear = await here.listen(room, ada)
    await rooms.post(room.id, "before")
    await ear.until("before")
    await asyncio.to_thread(lose, valkey)
    await ear.next("reset")
    await rooms.streams.set_version(room.id, room.version)
    await rooms.post(room.id, "after")
    assert await ear.until("after") == ["before", "after"]


async def test_a_reader_notices_entries_that_were_trimmed_before_it_read_them(valkey: Valkey, rooms: Rooms) -> None:
    room = await rooms.make(person(), capacity=10)
    reader = Reader(valkey.url)
    await reader.open()
    await rooms.post(room.id, "first")
    assert [entry.room_id for entry in (await reader.read()).entries] == [room.id]
    for _ in range(BATCH // 2):
        await rooms.post(room.id, "more")
    batch = await reader.read()
    assert (len(batch.entries), batch.continuity) == (BATCH // 2, Continuity.WHOLE)
    for _ in range(3000):
        await rooms.post(room.id, "many")
    assert (await reader.read()).continuity is Continuity.GAP
    assert (await reader.read()).continuity is Continuity.WHOLE
    await reader.close()


async def test_a_process_that_was_held_up_catches_up_from_the_rooms_logs(
    here: Process, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = person("Ada"), person("Bob")
    quiet, loud = await rooms.make(ada), await rooms.make(bob, capacity=1000)
    reader = here.live.hub._reader
    read, may_read = reader.read, asyncio.Event()
    may_read.set()

    async def held_up() -> Batch:
        found = await read()
        await may_read.wait()
        return found

    monkeypatch.setattr(reader, "read", held_up)
    ears = [await here.listen(quiet, ada), await here.listen(loud, bob)]
    for room in (quiet, loud):
        await rooms.post(room.id, "before")
    for ear in ears:
        await ear.until("before")
    may_read.clear()
    await rooms.post(quiet.id, "late")
    for _ in range(3000):
        await rooms.post(loud.id, "loud")
    may_read.set()
    assert await ears[0].until("late") == ["before", "late"]
    await ears[1].next("reset")
    await rooms.post(loud.id, "after")
    await ears[1].until("after")
    ids = [event["id"] for ear in ears for event in ear.heard if event["type"] == "message"]
    assert len(ids) == len(set(ids))


async def test_the_presence_of_a_process_that_died_soon_ends(valkey: Valkey, rooms: Rooms, here: Process) -> None:
    ada, bob = person("Ada"), person("Bob")
    room = await rooms.make(ada, bob)
    ear = await here.listen(room, ada)
    # The presence of a process that dies at once, and that is trusted for only a moment.
    dead = Presence(rooms.streams.redis, lifetime=timedelta(milliseconds=50))
    await dead.enter(room.id, bob.account_id, bob.name)
    assert [each["name"] for each in (await ear.next("presence"))["online"]] == ["Bob"]
    while bob.account_id in await dead.roster(room.id):
        pass
    await here.live.hub.renew_presence()
    while not (gone := await ear.next("presence"))["offline"]:
        pass
    assert gone["offline"] == [{"account_id": str(bob.account_id)}]
    assert await dead.roster(room.id) == {ada.account_id: "Ada"}


async def test_presence_comes_back_after_valkey_forgot_it(valkey: Valkey, here: Process, rooms: Rooms) -> None:
    ada = person("Ada")
    room = await rooms.make(ada)
    await here.listen(room, ada)
    await asyncio.to_thread(valkey.flush)
    presence = Presence(rooms.streams.redis)
    assert await presence.roster(room.id) == {}
    await here.live.hub.renew_presence()
    assert await presence.roster(room.id) == {ada.account_id: "Ada"}


async def test_a_ticket_is_good_once_and_for_thirty_seconds(rooms: Rooms) -> None:
    redis = rooms.streams.redis
    tickets = Tickets(redis)
    wanted = Ticket(7, "session:x")
    text = await tickets.issue(wanted)
    (key,) = [key async for key in redis.scan_iter("ticket:*")]
    assert text not in key.decode()
    assert 29_000 < await redis.pttl(key) <= 30_000
    assert [await tickets.redeem(text), await tickets.redeem(text)] == [wanted, None]
    assert await tickets.redeem("") is None


async def test_a_ticket_that_is_over_opens_nothing(rooms: Rooms) -> None:
    tickets = Tickets(rooms.streams.redis, lifetime=timedelta(milliseconds=1))
    text = await tickets.issue(Ticket(7, "session:x"))
    while await rooms.streams.redis.dbsize():
        pass
    assert await tickets.redeem(text) is None
