"""A message expires by its room's lifetime and Valkey's clock, to the millisecond, even in lists that are cached."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        service.another()
        yield service


class Clock:
    """Valkey's clock."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)

    def now(self) -> int:
        seconds, microseconds = self._redis.time()  # pyright: ignore[reportGeneralTypeIssues]
        return seconds * 1000 + microseconds // 1000


def watch(clock: Clock, readers: list[Someone], room: int, ends: dict[str, int]) -> int:
    """Read until no message is left; each answer must be right for a moment of its making. Returns their number."""
    reads = 0
    found: set[str] = set()
    while True:
        for reader in readers:
            before = clock.now()
            found = {message["id"] for message in reader.read(room)}
            after = clock.now()
            reads += 1
            assert all(before < ends[message] for message in found)
            assert all(message in found or after >= end for message, end in ends.items())
        if not found:
            return reads


def test_no_message_is_returned_after_its_end_or_missing_before(chat: ChatService) -> None:
    clock = Clock(chat.valkey_url)
    ann = chat.sign_up()
    room = ann.create(lifetime_seconds=1)
    readers = [ann, chat.at(ann.person, 1)]
    ends: dict[str, int] = {}
    for number in range(5):
        message = ann.say(room, str(number))
        ends[message] = int(message.partition("-")[0]) + 1000
        for reader in readers:
            reader.read(room)
    assert watch(clock, readers, room, ends) > 2


def test_a_shorter_lifetime_holds_for_earlier_messages(chat: ChatService) -> None:
    clock = Clock(chat.valkey_url)
    ann = chat.sign_up()
    room = ann.create(lifetime_seconds=1000)
    other = chat.at(ann.person, 1)
    message = ann.say(room)
    assert len(ann.read(room)) == len(other.read(room)) == 1
    assert ann.client.patch(f"/v1/rooms/{room}", json={"lifetime_seconds": 1}).status_code == 200
    watch(clock, [other, ann], room, {message: int(message.partition("-")[0]) + 1000})
    # It can no longer be changed, either.
    path = f"/v1/rooms/{room}/messages/{message}"
    assert other.client.patch(path, json={"text": "a"}).json()["code"] == "message_not_found"
    assert other.client.delete(path).json()["code"] == "message_not_found"
    # A longer lifetime brings no message back.
    assert ann.client.patch(f"/v1/rooms/{room}", json={"lifetime_seconds": 500}).status_code == 200
    later = other.say(room, "later")
    assert [found["id"] for found in ann.read(room)] == [later]
