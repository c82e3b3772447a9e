"""Connections that end: clients that do not read, and processes that end."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest
import uvloop
from websockets.exceptions import ConnectionClosed

from chat_service.live import Close, hub
from chat_service.live.api import aborting, event_streams
from chat_service.live.ending import REASONS
from tests.integration.chat.live.clients import (
    WAIT_SECONDS,
    deaf_socket,
    deaf_stream,
    is_cut,
    listening,
    process_of_its_own,
    say,
    streaming,
)
from tests.integration.chat.running import ChatService, Someone


@pytest.mark.parametrize("deafly_connected", [deaf_socket, deaf_stream])
async def test_a_client_that_never_reads_is_dropped_and_slows_nobody(
    chat: ChatService,
    ann: Someone,
    bob: Someone,
    room: int,
    deafly_connected: Callable[[str, int, Someone], socket.socket],
) -> None:
    async with listening(chat.url, room, ann) as hearing:
        with closing(deafly_connected(chat.url, room, bob)) as deaf:
            while str(bob.id) not in json.dumps(hearing.heard):
                await hearing.next("presence")
            delays: list[float] = []
            bodies = [f"{number} {'x' * 16_000}" for number in range(900)]
            task = asyncio.create_task(hearing.until(bodies[-1]))
            async with httpx.AsyncClient(base_url=chat.url, headers=dict(ann.client.headers), timeout=30) as client:
                for body in bodies:
                    begun = time.perf_counter()
                    assert (await client.post(f"/v1/rooms/{room}/messages", json={"text": body})).status_code == 201
                    delays.append(time.perf_counter() - begun)
            assert await task == bodies
            assert sorted(delays)[len(delays) // 2] < 0.2
            # Only the client that does not read is gone.
            while str(bob.id) not in json.dumps([event.get("offline") for event in hearing.heard]):
                await hearing.next("presence")
            async with asyncio.timeout(WAIT_SECONDS):
                while not is_cut(deaf):
                    await asyncio.sleep(0.05)


async def test_two_hundred_sockets_hear_everything(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async def hear(number: int) -> list[str]:
        async with listening(chat.urls[number % 2], room, (ann, bob)[number % 2]) as made:
            ready.release()
            return await made.until("19")

    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(hear(number)) for number in range(200)]
    for _ in tasks:
        async with asyncio.timeout(WAIT_SECONDS):
            await ready.acquire()
    for number in range(20):
        await say(ann, room, str(number))
    expected = [str(number) for number in range(20)]
    assert all(texts == expected for texts in await asyncio.gather(*tasks))


async def test_after_a_process_was_killed_its_listeners_miss_nothing_elsewhere(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    with process_of_its_own(chat) as (process, url):
        async with listening(url, room, ann) as socket:
            await say(bob, room, "heard")
            await socket.until("heard")
            process.kill()
            await say(bob, room, "missed")
            with pytest.raises(ConnectionClosed):
                await socket.next()
        async with listening(chat.urls[1], room, ann, after=socket.last_id) as back:
            await say(bob, room, "live")
            assert await back.until("live") == ["missed", "live"]


async def test_a_process_that_is_asked_to_end_does_so_at_once(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    with process_of_its_own(chat) as (process, url):
        async with listening(url, room, ann) as socket, streaming(url, room, bob) as stream:
            async for _ in stream.records():
                break
            process.send_signal(signal.SIGTERM)
            end = await stream.to_the_end()
            assert end is not None
            assert end["code"] == Close.GOING_AWAY
            assert await socket.end() == Close.GOING_AWAY
        await asyncio.to_thread(process.wait, 10)


async def test_a_stream_lives_for_a_time_and_is_resumed_without_a_gap(
    chat: ChatService, ann: Someone, bob: Someone, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "LIFE_SECONDS", 0.5)
    async with listening(chat.url, room, ann) as hearing:
        async with streaming(chat.url, room, bob) as stream:
            await say(ann, room, "heard")
            assert await stream.to_the_end() == {"code": Close.RESUME, "reason": REASONS[Close.RESUME]}
        await say(ann, room, "missed")
        async with streaming(chat.url, room, bob, {"Last-Event-ID": str(stream.last_id)}) as back:
            await back.to_the_end()
        assert (stream.texts, back.texts) == (["heard"], ["missed"])
        await say(ann, room, "after")
        await hearing.until("after")
        # Nobody was told that Bob went and came back.
        assert str(bob.id) not in json.dumps([event.get("offline") for event in hearing.heard])


async def test_a_client_that_has_vanished_is_not_present_for_long(
    chat: ChatService, ann: Someone, bob: Someone, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "LIFE_SECONDS", 0.5)
    monkeypatch.setattr(hub, "RETURN_SECONDS", 0.1)
    async with listening(chat.url, room, ann) as hearing:
        # It reads nothing any more, and does not close its connection either.
        with closing(deaf_stream(chat.url, room, bob)):
            while str(bob.id) not in json.dumps([event.get("offline") for event in hearing.heard]):
                await hearing.next("presence")


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_connection_that_has_closed_already_is_dropped_without_an_error(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def drop() -> None:
        accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_server(lambda _, writer: accepted.put_nowait(writer), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        transport = (await accepted.get()).transport
        aborting.drop(transport)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        aborting.drop(transport)
        writer.close()
        server.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(drop())
