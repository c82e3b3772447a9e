"""Rooms while processes are killed: what was acknowledged is heard and read by everyone; clients only come back."""

import asyncio
import json
import secrets
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import psutil
import pytest
from aiohttp import ClientSession

from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE, downed, kill
from tests.e2e.rooms import FAILURES, Listener, Person, clients, somebody


@pytest.fixture
async def http(stack: StartedStack) -> AsyncGenerator[ClientSession]:
    async with clients(stack.url) as http:
        yield http


@asynccontextmanager
async def talking(person: Person, room: int) -> AsyncGenerator[list[str]]:
    """Somebody talks for the block, one message after the other; yields the texts that were acknowledged."""
    said: list[str] = []
    ended = asyncio.Event()

    async def talk() -> None:
        while not ended.is_set():
            text = f"{len(said)} {secrets.token_hex(4)}"
            await person.say(room, text)
            said.append(text)

    task = asyncio.create_task(talk())
    try:
        yield said
    finally:
        ended.set()
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("victim", ["chat", "gateway", "valkey"])
async def test_listeners_come_back_and_miss_nothing_that_was_acknowledged(
    stack: StartedStack, http: ClientSession, victim: str
) -> None:
    owner, guest = await somebody(http), await somebody(http)
    room = await owner.open_room(capacity=1000)
    await guest.join(room)
    async with AsyncExitStack() as opened:
        listeners = [
            await opened.enter_async_context(Listener(person, room).listening()) for person in (owner, guest, guest)
        ]
        async with talking(guest, room) as said:
            for _ in range(2):
                heard = len(said)
                await until(lambda heard=heard: len(said) >= heard + 5)
                await kill(stack, victim)
        for listener in listeners:
            await listener.until_heard(*said)
        for listener in listeners:
            ids = [event["id"] for event in listener.events]
            assert len(set(ids)) == len(ids)
            assert not listener.resets
            if victim != "valkey":
                assert len(listener.ends) >= 2
    read = [message["text"] for message in await guest.messages(room)]
    assert set(said) <= set(read)
    for listener in listeners:
        # A message whose answer was lost is said again by a client: twice in the room, and twice heard.
        assert [text for text in listener.texts if text in read] == read


async def test_messages_that_were_acknowledged_outlive_a_kill_of_everything(
    stack: StartedStack, http: ClientSession
) -> None:
    person = await somebody(http)
    room = await person.open_room()
    said = [await person.say(room, f"message {number}") for number in range(20)]
    for name in ("chat", "valkey", "postgres"):
        await kill(stack, name)
    assert [message["id"] for message in await person.messages(room)] == said
    assert await person.say(room, "and on")


async def test_without_valkey_nothing_can_be_said_and_the_way_back_needs_no_restart(
    stack: StartedStack, http: ClientSession
) -> None:
    person = await somebody(http)
    room = await person.open_room()
    await person.say(room, "before")
    service = stack.pid_of("chat")
    messages = f"/v1/rooms/{room}/messages"
    async with Listener(person, room).listening() as listener:
        async with downed(stack, "valkey"):
            assert (await person.ask_once("POST", messages, text="meanwhile"))[0] == 503
            assert (await person.ask_once("GET", messages))[0] == 503
        await person.say(room, "after")
        await listener.until_heard("after")
    assert [message["text"] for message in await person.messages(room)] == ["before", "after"]
    assert listener.texts == ["after"]
    assert stack.pid_of("chat") == service


async def test_without_the_database_those_who_are_in_a_room_talk_on(stack: StartedStack, http: ClientSession) -> None:
    person = await somebody(http)
    room = await person.open_room()
    await person.say(room, "before")
    service = stack.pid_of("chat")
    new = f"room {secrets.token_hex(6)}"
    async with Listener(person, room).listening() as listener:
        async with downed(stack, "postgres"):
            assert (await person.ask_once("POST", "/v1/rooms", name=new))[0] == 503
            await person.say(room, "meanwhile")
            await listener.until_heard("meanwhile")
        # What was refused was not done by half.
        await person.open_room(name=new)
        assert not listener.ends
    assert stack.pid_of("chat") == service


@pytest.mark.long
async def test_a_closed_room_takes_its_files_along_whatever_dies(stack: StartedStack, http: ClientSession) -> None:
    person = await somebody(http)
    room, kept = await person.open_room(revoke_files=True), await person.open_room()
    link, other = [(await person.post_file(place, secrets.token_bytes(1000)))["url"] for place in (room, kept)]
    assert (await status_of(http, link), await status_of(http, other)) == (200, 200)
    await person.ask("DELETE", f"/v1/rooms/{room}", 204)
    async with downed(stack, "chat", "worker", "share"):
        pass
    async with asyncio.timeout(PATIENCE):
        while await status_of(http, link) != 404:
            await asyncio.sleep(0.2)
    # Those of rooms that say nothing else, and those that are open, outlive their messages.
    await person.ask("DELETE", f"/v1/rooms/{kept}", 204)
    assert await status_of(http, other) == 200


async def status_of(http: ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status


async def test_a_service_that_is_asked_to_stop_tells_those_who_listen(stack: StartedStack, http: ClientSession) -> None:
    person = await somebody(http)
    room = await person.open_room()
    # What is resumed after: in a room where nothing has happened yet there is nothing.
    await person.say(room, "before")
    async with Listener(person, room).listening() as listener, person.stream(room) as stream:
        assert json.loads((await anext(stream))["data"])[-1]["type"] == "presence"
        stopped = stack.kill("chat", signal.SIGTERM)
        last = [record async for record in stream][-1]
        assert (last["event"], json.loads(last["data"])["code"]) == ("end", 1012)
        await listener.until(lambda listener: len(listener.ends) > 0)
        assert listener.ends[0] == 1012
        # The server would end it after eight seconds at the latest.
        async with asyncio.timeout(5):
            while psutil.pid_exists(stopped):
                await asyncio.sleep(0.05)
        await asyncio.to_thread(stack.wait_restarted, "chat", stopped)
        await person.say(room, "after")
        await listener.until_heard("after")


async def test_somebody_who_left_hears_nothing_more_even_by_coming_back(
    stack: StartedStack, http: ClientSession
) -> None:
    owner, guest = await somebody(http), await somebody(http)
    room = await owner.open_room()
    await guest.join(room)
    async with Listener(guest, room).listening() as listener:
        await owner.say(room, "for both")
        await listener.until_heard("for both")
        await kill(stack, "chat")
        account = (await guest.ask("GET", "/v1/account", 200))["id"]
        await owner.ask("DELETE", f"/v1/rooms/{room}/members/{account}", 200, 204)
        await owner.say(room, "for one")
        with pytest.raises((AssertionError, *FAILURES)):
            async with asyncio.timeout(5):
                await guest.say(room, "still here?")
    assert "for one" not in listener.texts
