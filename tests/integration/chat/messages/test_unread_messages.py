"""Counting what is unread in many rooms at once."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from chat_service.messages.unread import COUNTED
from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def unread(someone: Someone, seen: dict[int, str | None]) -> dict[int, int]:
    """The numbers of unread messages by room."""
    asked = [{"id": room, "seen": last} for room, last in seen.items()]
    answer = someone.client.post("/v1/rooms/unread", json={"rooms": asked})
    assert answer.status_code == 200, answer.text
    return {each["id"]: each["unread"] for each in answer.json()["rooms"]}


def test_messages_of_others_are_counted_after_the_last_one_that_was_seen(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    talk, quiet = ann.create(), ann.create()
    ann.invite(talk, bob)
    first, second = ann.say(talk), bob.say(talk)
    gone = ann.say(talk)
    third = ann.say(talk)
    ann.client.patch(f"/v1/rooms/{talk}/messages/{third}", json={"text": "edited"})
    ann.client.delete(f"/v1/rooms/{talk}/messages/{gone}")
    counts = [unread(bob, {talk: seen})[talk] for seen in (None, first, second, third, f"{10**17}-0", "0-0")]
    assert counts == [2, 1, 1, 0, 0, 2], "a seen message that is older than all is as good as none"
    assert unread(ann, {quiet: None, talk: first}) == {quiet: 0, talk: 1}


def test_no_number_is_larger_than_what_is_looked_at(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create(capacity=COUNTED + 5)
    ann.invite(room, bob)
    for _ in range(COUNTED + 2):
        ann.say(room)
    assert (unread(bob, {room: None}), unread(ann, {room: None})) == ({room: COUNTED}, {room: 0})


def test_rooms_of_others_are_left_out_whether_they_exist_or_not(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    private, public, left, closed, own = (
        ann.create(),
        ann.create(is_private=False),
        ann.create(),
        ann.create(),
        bob.create(),
    )
    ann.invite(left, bob)
    ann.invite(closed, bob)
    ann.say(left)
    everywhere = dict.fromkeys((private, public, left, closed, own, 2**63 - 1))
    assert unread(bob, everywhere) == {left: 1, closed: 0, own: 0}
    bob.client.post(f"/v1/rooms/{left}/leave")
    ann.client.delete(f"/v1/rooms/{closed}")
    assert unread(bob, everywhere) == {own: 0}
    assert unread(bob, {}) == {}


REFUSED: list[tuple[str, Any]] = [
    ("no rooms", {}),
    ("no list", {"rooms": {"1": None}}),
    ("no id", {"rooms": [{"seen": None}]}),
    ("a text for an id", {"rooms": [{"id": "1"}]}),
    ("no room's id", {"rooms": [{"id": 0}]}),
    ("an id too large", {"rooms": [{"id": 2**63}]}),
    ("twice the same", {"rooms": [{"id": 1}, {"id": 1, "seen": "1-1"}]}),
    ("too many", {"rooms": [{"id": n} for n in range(1, 102)]}),
    ("seen yesterday", {"rooms": [{"id": 1, "seen": "yesterday"}]}),
    ("a line more", {"rooms": [{"id": 1, "seen": "1-1\n"}]}),
    ("a range", {"rooms": [{"id": 1, "seen": "(1-1"}]}),
    ("nothing seen", {"rooms": [{"id": 1, "seen": ""}]}),
    ("a NUL", {"rooms": [{"id": 1, "seen": "1-1\0"}]}),
    ("something else", {"rooms": [], "since": 1}),
]


def test_what_is_no_list_of_rooms_is_refused(chat: ChatService) -> None:
    ann = chat.sign_up()
    answers = {name: ann.client.post("/v1/rooms/unread", json=body) for name, body in REFUSED}
    found = {name: (answer.status_code, answer.json().get("code")) for name, answer in answers.items()}
    assert found == dict.fromkeys(found, (400, "invalid_input"))
    assert httpx.post(f"{chat.url}/v1/rooms/unread", json={"rooms": []}).status_code == 401
