"""The service in two processes, and a room of two members."""

from collections.abc import AsyncGenerator, Iterator

import pytest

from chat_service.streams import Streams
from tests.conftest import MakeDatabase
from tests.integration.chat.live.processes import Process, Rooms, process
from tests.integration.chat.running import ChatService, Someone, running_chat


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


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        service.another()
        yield service


@pytest.fixture
def ann(chat: ChatService) -> Someone:
    return chat.sign_up()


@pytest.fixture
def bob(chat: ChatService) -> Someone:
    return chat.sign_up()


@pytest.fixture
def room(ann: Someone, bob: Someone) -> int:
    """A private room of Ann's with Bob as a member."""
    made = ann.create()
    ann.invite(made, bob)
    return made
