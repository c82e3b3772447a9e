"""One account in rooms hurts no other: each abuse on a running system with the limits that it comes with."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, TCPConnector, WSMsgType

from chat_service.settings import ChatSettings
from deploy.local.stack import StartedStack
from tests.conftest import running_stack
from tests.e2e.rooms import Listener, Person, clients, somebody

pytestmark = pytest.mark.long

USUAL = {
    name.upper(): str(ChatSettings.model_fields[name].default)
    for name in ChatSettings.model_fields
    if name.startswith(("account_message", "room_message", "rooms_per", "public_rooms", "inbox_un", "live_conn"))
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedStack]:
    with running_stack(tmp_path_factory, **USUAL) as stack:
        yield stack


@pytest.fixture
async def http(stack: StartedStack) -> AsyncGenerator[ClientSession]:
    async with clients(stack.url) as http:
        yield http


def coming_from(stack: StartedStack, number: int) -> ClientSession:
    """A client at an address of its own on this machine's loopback."""
    connector = TCPConnector(local_addr=(f"127.0.3.{number}", 0), limit=0)
    return ClientSession(stack.url, connector=connector, timeout=ClientTimeout(total=60))


def at(person: Person, http: ClientSession) -> Person:
    return Person(http, person.name, person.token)


async def room_of_two(owner: Person, other: Person) -> int:
    room = await owner.open_room(is_private=True)
    token = (await owner.ask("POST", f"/v1/rooms/{room}/invitations", 201))["token"]
    await other.ask("POST", f"/v1/rooms/{room}/join", 200, invitation=token)
    return room


async def test_a_flood_of_large_messages_is_refused_and_everybody_else_is_served(http: ClientSession) -> None:
    eve, ann, bob = [await somebody(http) for _ in range(3)]
    rooms = [await eve.open_room(is_private=True, capacity=1000) for _ in range(3)]
    text = "x" * 16_384

    async def post(number: int) -> str:
        status, answer = await eve.ask_once("POST", f"/v1/rooms/{rooms[number % 3]}/messages", text=text)
        return "posted" if status == 201 else answer["code"]

    quiet = await room_of_two(ann, bob)
    flood = asyncio.create_task(asyncio.wait([asyncio.create_task(post(number)) for number in range(946)]))
    async with Listener(bob, quiet).listening() as listener:
        said = [await ann.say(quiet, str(number)) and str(number) for number in range(10)]
        await listener.until_heard(*said)
        assert listener.texts == said
    done, _ = await flood
    outcomes = Counter(task.result() for task in done)
    assert set(outcomes) <= {"posted", "rate_limited", "too_much_kept"}, outcomes
    # 4 MiB are 256 such messages; the rate allows 60 at once and ten a second.
    assert outcomes["posted"] <= 256
    assert outcomes["rate_limited"] > 300
    status, health = await bob.ask_once("GET", "/health")
    assert (status, health["detail"]["status"]) == (200, "ok"), health
    stranger = await somebody(http)
    assert await stranger.open_room(is_private=True)


async def test_an_account_gets_so_many_rooms_and_writes_to_so_many_strangers(http: ClientSession) -> None:
    eve, ann = await somebody(http), await somebody(http)
    made = [await eve.ask_once("POST", "/v1/rooms", name=secrets.token_hex(8)) for _ in range(3)]
    assert [status for status, _ in made] == [201, 201, 409]
    assert made[2][1]["code"] == "too_many_rooms"
    # Others have their public rooms.
    assert await ann.open_room()
    for room in (answer["id"] for status, answer in made if status == 201):
        await eve.ask("DELETE", f"/v1/rooms/{room}", 204)
    sent = [await eve.ask_once("POST", "/v1/messages", recipient=ann.name, message="hello") for _ in range(40)]
    assert Counter(status for status, _ in sent) == {201: 30, 429: 10}


async def test_sockets_are_capped_and_a_small_room_is_served_beside_them(http: ClientSession) -> None:
    eve, ann, bob = [await somebody(http) for _ in range(3)]
    large, quiet = await eve.open_room(is_private=True), await room_of_two(ann, bob)
    headers = {"Authorization": f"Bearer {eve.token}"}
    async with AsyncExitStack() as opened:

        async def open_one() -> int | None:
            path = f"/v1/rooms/{large}/socket"
            socket = await opened.enter_async_context(http.ws_connect(path, headers=headers))
            first = await socket.receive()
            return None if first.type is WSMsgType.TEXT else socket.close_code

        codes = Counter(await asyncio.gather(*(open_one() for _ in range(70))))
        assert codes == {None: 50, 4029: 20}
        async with Listener(bob, quiet).listening() as listener:
            await ann.say(quiet, "hello")
            await listener.until_heard("hello")


async def test_the_right_password_opens_a_room_for_many_behind_one_address_and_beside_wrong_ones(
    stack: StartedStack, http: ClientSession
) -> None:
    owner, eve = await somebody(http), await somebody(http)
    people = [await somebody(http) for _ in range(24)]
    room = await owner.open_room(is_private=True, password="sesame")
    path = f"/v1/rooms/{room}/join"
    async with AsyncExitStack() as opened:
        shared, alone = [await opened.enter_async_context(coming_from(stack, number)) for number in (1, 2)]
        joined: list[tuple[int, Any]] = await asyncio.gather(
            *(at(one, shared).ask_once("POST", path, password="sesame") for one in people[:-1])
        )
        assert [status for status, _ in joined] == [200] * len(joined)
        for number in range(10):
            wrong = at(eve, await opened.enter_async_context(coming_from(stack, 10 + number)))
            for _ in range(10):
                status, answer = await wrong.ask_once("POST", path, password="wrong")
                assert (status, answer["code"]) == (403, "room_password_wrong")
        status, _ = await at(people[-1], alone).ask_once("POST", path, password="sesame")
        assert status == 200
