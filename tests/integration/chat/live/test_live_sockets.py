"""WebSockets and event streams of the service in two processes."""

import asyncio
import json
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from chat_service.live import Close
from tests.integration.chat.live.clients import (
    listening,
    say,
    streaming,
)
from tests.integration.chat.running import ChatService, Someone


async def test_a_message_reaches_sockets_and_streams_of_both_processes(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    async with (
        listening(chat.urls[0], room, ann) as here,
        listening(chat.urls[1], room, bob) as there,
        streaming(chat.urls[1], room, ann) as stream,
    ):
        async for kind in stream.records():
            if kind == "presence":
                break
        message = await asyncio.to_thread(lambda: bob.post(room, "hëllo <b>").json())
        for heard in (await here.next("message"), await there.next("message")):
            assert heard == {**message, "type": "message"}
        assert await stream.until("hëllo <b>") == ["hëllo <b>"]
        assert stream.last_id == message["id"]


async def test_a_socket_posts_messages(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.url, room, ann) as socket, listening(chat.urls[1], room, bob) as other:
        first = await say(bob, room, "first")
        await socket.send(type="message", text="answer", reply_to=first, nonce="n")
        posted = await socket.next("posted")
        assert posted["nonce"] == "n"
        await other.until("answer")
        heard = other.heard[-1]
        assert (heard["id"], heard["author"], heard["reply_to"]) == (posted["message_id"], str(ann.id), first)
        for sent, code in (({"text": ""}, "message_empty"), ({"text": "x" * 20_000}, "message_too_large")):
            await socket.send(type="message", **sent)
            assert (await socket.next("error"))["code"] == code
        for nonsense in ("{", "[]", '{"type":"x"}', '{"type":"message"}', '{"type":"typing","as":"Bob"}', "[" * 50_000):
            await socket.connection.send(nonsense)
            assert (await socket.next("error"))["code"] == "invalid_input"
        await socket.connection.send(b"bytes")
        assert await socket.end() == Close.BAD_INPUT


async def test_typing_is_sent_once_a_second(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.url, room, ann) as socket, listening(chat.urls[1], room, bob) as other:
        for _ in range(10):
            await socket.send(type="typing")
        assert await other.next("typing") == {"type": "typing", "account_id": str(ann.id), "name": ann.name}
        await say(ann, room, "done")
        await other.until("done")
        assert sum(event["type"] == "typing" for event in other.heard) == 1


@pytest.mark.parametrize("event", [{"type": "message", "text": "flood"}, {"type": "typing"}, {"type": "nonsense"}])
async def test_a_socket_that_floods_is_closed(
    chat: ChatService, ann: Someone, bob: Someone, room: int, event: dict[str, str]
) -> None:
    async with listening(chat.urls[1], room, bob) as other, listening(chat.url, room, ann) as socket:
        with suppress(ConnectionClosed):
            for _ in range(200):
                await socket.send(**event)
        assert await socket.end() == Close.FLOOD
        await say(bob, room, "after")
        assert len(await other.until("after")) < 40


async def test_a_member_removed_while_connected_receives_nothing_more(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    async with (
        listening(chat.url, room, ann) as staying,
        listening(chat.urls[1], room, bob) as leaving,
        streaming(chat.url, room, bob) as stream,
    ):
        await say(ann, room, "before")
        await stream.until("before")
        await leaving.until("before")
        removed = await asyncio.to_thread(ann.client.delete, f"/v1/rooms/{room}/members/{bob.id}")
        assert removed.status_code == 204
        await say(ann, room, "after")
        assert await leaving.end() == Close.FORBIDDEN
        end = await stream.to_the_end()
        assert end is not None
        assert end["code"] == Close.FORBIDDEN
        await staying.until("after")
        assert leaving.texts == stream.texts == ["before"]
        assert "removed" not in [event["type"] for event in leaving.heard + stream.heard]
        assert bob.client.get(f"/v1/rooms/{room}/events").status_code in (403, 404)


async def test_a_closed_room_says_so_and_ends(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.urls[1], room, bob) as socket:
        await asyncio.to_thread(ann.client.delete, f"/v1/rooms/{room}")
        assert await socket.end() == Close.NOT_FOUND
        assert socket.heard[-1]["type"] == "closed"


async def test_a_stream_is_resumed_after_its_last_event(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    async with streaming(chat.url, room, ann) as stream:
        async for _ in stream.records():
            break
        await say(bob, room, "heard")
        await stream.until("heard")
    last_id = stream.last_id
    assert last_id is not None
    await say(bob, room, "missed")
    async with streaming(chat.urls[1], room, ann, {"Last-Event-ID": last_id}, after="1-1") as back:
        assert await back.until("missed") == ["missed"]
    async with streaming(chat.urls[1], room, ann, after=last_id) as back:
        assert await back.until("missed") == ["missed"]
    async with streaming(chat.urls[1], room, ann, after="1-1") as back:
        async for kind in back.records():
            assert kind == "reset"
            break


async def test_listeners_are_told_who_has_gone(chat: ChatService, ann: Someone, bob: Someone, room: int) -> None:
    async with listening(chat.url, room, ann) as socket:
        async with streaming(chat.urls[1], room, bob) as stream:
            async for _ in stream.records():
                break
            while str(bob.id) not in json.dumps((await socket.next("presence"))["online"]):
                pass
        while str(bob.id) not in json.dumps((await socket.next("presence"))["offline"]):
            pass
