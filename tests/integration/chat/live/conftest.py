"""The service in two processes, and a room of two members."""

from collections.abc import Iterator

import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat


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
