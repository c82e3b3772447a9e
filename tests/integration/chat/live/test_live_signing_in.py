"""Signing in to sockets and event streams, by tickets and by headers."""

import asyncio

import httpx
import pytest

from chat_service.live import Close, running
from chat_service.live.api import routes as live_api
from tests.conftest import MakeDatabase
from tests.integration.auth.running import PASSWORD
from tests.integration.chat.live.clients import (
    listening,
    opened,
    say,
    streaming,
    ticket_of,
)
from tests.integration.chat.running import ChatService, Someone, running_chat


async def test_a_ticket_opens_one_socket_by_the_first_message(chat: ChatService, ann: Someone, room: int) -> None:
    ticket = await asyncio.to_thread(ticket_of, ann, room)
    async with opened(chat.urls[1], room) as socket:
        await socket.send(ticket=ticket)
        assert (await socket.next("presence"))["online"][0]["name"] == ann.name
    async with opened(chat.url, room) as again:
        await again.send(ticket=ticket)
        assert await again.end() == Close.UNAUTHENTICATED


async def test_a_ticket_opens_a_socket_by_its_protocol(chat: ChatService, ann: Someone, room: int) -> None:
    ticket = await asyncio.to_thread(ticket_of, ann, room)
    async with opened(chat.url, room, subprotocols=["waystation", f"ticket.{ticket}"]) as socket:
        assert socket.connection.subprotocol == "waystation"
        await socket.next("presence")


async def test_a_ticket_is_for_one_room_and_one_session(
    chat: ChatService, ann: Someone, bob: Someone, room: int
) -> None:
    other = await asyncio.to_thread(ann.create)
    async with opened(chat.url, other) as socket:
        await socket.send(ticket=await asyncio.to_thread(ticket_of, ann, room))
        assert await socket.end() == Close.UNAUTHENTICATED
    ticket = await asyncio.to_thread(ticket_of, bob, room)
    assert chat.auth.url
    answer = await asyncio.to_thread(bob.person.client.post, "/v1/auth/logout")
    assert answer.status_code == 204
    async with opened(chat.url, room) as socket:
        await socket.send(ticket=ticket)
        assert await socket.end() == Close.UNAUTHENTICATED


@pytest.mark.parametrize("first", ['{"ticket": "made up"}', "{}", "no JSON", '{"ticket": 1}', "[" * 100_000])
async def test_an_invalid_ticket_opens_nothing(chat: ChatService, room: int, first: str) -> None:
    async with opened(chat.url, room) as socket:
        await socket.connection.send(first)
        assert await socket.end() == Close.UNAUTHENTICATED
    assert socket.heard == []


async def test_a_socket_that_shows_no_ticket_is_closed(
    chat: ChatService, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_api, "TICKET_SECONDS", 0.1)
    async with opened(chat.url, room) as socket:
        assert await socket.end() == Close.UNAUTHENTICATED


async def test_a_stranger_receives_no_events(chat: ChatService, ann: Someone, room: int) -> None:
    stranger = chat.sign_up()
    # Tests lift the limit of public rooms, but this one is closed again at the end.
    public = await asyncio.to_thread(lambda: ann.create(is_private=False))
    for number, status, code in ((room, 404, Close.NOT_FOUND), (public, 403, Close.FORBIDDEN)):
        for path in (f"/v1/rooms/{number}/events", f"/v1/rooms/{number}/tickets"):
            method = "GET" if path.endswith("events") else "POST"
            assert stranger.client.request(method, path).status_code == status
            assert (await asyncio.to_thread(httpx.request, method, chat.url + path)).status_code == 401
        async with opened(chat.url, number, stranger) as socket:
            assert await socket.end() == code
        assert socket.heard == []
    await asyncio.to_thread(ann.client.delete, f"/v1/rooms/{public}")


@pytest.mark.parametrize("number", ["0", "x", "9" * 30, "999999999999"])
async def test_a_room_that_is_not_there_is_not_found(chat: ChatService, ann: Someone, number: str) -> None:
    async with opened(chat.url, number, ann) as socket:
        assert await socket.end() == Close.NOT_FOUND


async def test_an_impossible_event_to_resume_after_is_refused(chat: ChatService, ann: Someone, room: int) -> None:
    async with opened(chat.url, room, ann, after="yesterday") as socket:
        assert await socket.end() == Close.BAD_INPUT
    assert ann.client.get(f"/v1/rooms/{room}/events", params={"after": "yesterday"}).status_code == 400


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are checked only when they change, and not every few seconds."""
    monkeypatch.setattr(running, "CREDENTIALS_SECONDS", 1000)


WAYS_OUT: list[tuple[str, str, object]] = [
    ("POST", "/v1/auth/logout", None),
    ("DELETE", "/v1/auth/sessions", None),
    ("POST", "/v1/account/password", {"current": PASSWORD, "new": "another password"}),
]


@pytest.mark.usefixtures("unchecked")
async def test_the_end_of_a_session_ends_its_connections_at_once(
    make_test_database: MakeDatabase, valkey_url: str
) -> None:
    with running_chat(make_test_database, valkey_url) as chat:
        for method, path, body in WAYS_OUT:
            ann, bob = chat.sign_up(), chat.sign_up()
            room = ann.create()
            ann.invite(room, bob)
            # The first way ends the session that it is called with, the others all but that.
            elsewhere = bob if path.endswith("logout") else chat.at(chat.auth.sign_in(bob.person))
            async with (
                listening(chat.url, room, ann) as staying,
                listening(chat.url, room, elsewhere) as leaving,
                streaming(chat.url, room, elsewhere) as stream,
            ):
                async for _ in stream.records():
                    break
                answer = await asyncio.to_thread(bob.person.client.request, method, path, json=body)
                assert answer.status_code in (200, 204), answer.text
                async with asyncio.timeout(30):
                    assert await leaving.end() == Close.UNAUTHENTICATED
                    end = await stream.to_the_end()
                assert end is not None
                assert end["code"] == Close.UNAUTHENTICATED
                await say(ann, room, "after")
                await staying.until("after")
                assert leaving.texts == stream.texts == []


@pytest.mark.usefixtures("unchecked")
async def test_a_new_name_is_shown_at_once_in_rosters_and_while_typing(
    make_test_database: MakeDatabase, valkey_url: str
) -> None:
    with running_chat(make_test_database, valkey_url) as chat:
        ann, bob = chat.sign_up(), chat.sign_up()
        room = ann.create()
        ann.invite(room, bob)
        async with listening(chat.url, room, ann) as hearing, listening(chat.url, room, bob) as renamed:
            name = f"{bob.name} the second"
            answer = await asyncio.to_thread(bob.person.client.patch, "/v1/account", json={"name": name})
            assert answer.status_code == 200
            while {"account_id": str(bob.id), "name": name} not in (await hearing.next("presence"))["online"]:
                pass
            await renamed.send(type="typing")
            assert (await hearing.next("typing"))["name"] == name
            async with opened(chat.url, room, ann) as later:
                online = (await later.next("presence"))["online"]
            assert {each["name"] for each in online} == {ann.name, name}
