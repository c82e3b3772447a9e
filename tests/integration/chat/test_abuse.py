"""One account cannot use up what all share: rates, bytes, rooms, strangers' inboxes, and Valkey's memory."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from redis import Redis

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat

LOW = {
    "account_messages_per_minute": 100,
    "room_messages_per_minute": 200,
    "account_message_bytes": 40_000,
    "room_message_bytes": 60_000,
    "rooms_per_account": 6,
    "public_rooms_per_account": 1,
    "inbox_unanswered": 3,
}


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        service.another(**LOW)
        yield service


@pytest.fixture
def ann(chat: ChatService) -> Someone:
    """A person at the process with low limits."""
    return chat.at(chat.sign_up().person, 1)


@pytest.fixture
def bob(chat: ChatService) -> Someone:
    return chat.at(chat.sign_up().person, 1)


def refused_code(answer: httpx.Response) -> str:
    assert answer.status_code >= 400, answer.text
    return answer.json()["code"]


def first_refusal(someone: Someone, room: int, text: str = "a") -> tuple[int, httpx.Response]:
    """Post until something is refused: the number of posts before, and the refusal."""
    for number in range(300):
        answer = someone.post(room, text)
        if answer.status_code != 201:
            return number, answer
    raise AssertionError("nothing is refused")


def test_an_account_posts_at_a_rate_in_all_its_rooms_together(ann: Someone, bob: Someone) -> None:
    one, other = ann.create(), ann.create()
    ann.invite(one, bob)
    posted, refused = first_refusal(ann, one)
    assert 10 <= posted < 40
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert ann.post(other).status_code == 429
    message = ann.read(one)[0]["id"]
    assert ann.client.patch(f"/v1/rooms/{one}/messages/{message}", json={"text": "b"}).status_code == 429
    assert ann.client.delete(f"/v1/rooms/{one}/messages/{message}").status_code == 204
    assert bob.post(one).status_code == 201


def test_a_room_takes_messages_at_a_rate_from_all_members_together(chat: ChatService, ann: Someone) -> None:
    others = [chat.at(chat.sign_up().person, 1) for _ in range(4)]
    room, quiet = ann.create(), others[3].create()
    ann.invite(room, *others)
    codes = {refused_code(first_refusal(someone, room)[1]) for someone in others[:3]}
    assert "room_too_busy" in codes
    assert refused_code(others[3].post(room)) == "room_too_busy"
    assert others[3].post(quiet).status_code == 201


def test_an_account_keeps_so_many_bytes_in_all_its_rooms_together(ann: Someone, bob: Someone) -> None:
    one, other = ann.create(), ann.create()
    ann.invite(one, bob)
    text = "x" * 9_000
    messages = [ann.say(room, text) for room in (one, other, one, other)]
    assert refused_code(ann.post(one, text)) == "too_much_kept"
    path = f"/v1/rooms/{one}/messages/{messages[0]}"
    assert refused_code(ann.client.patch(path, json={"text": text})) == "too_much_kept"
    assert bob.post(one, text).status_code == 201
    # Deleting makes room, and so does closing a room.
    assert ann.client.delete(path).status_code == 204
    ann.say(one, text)
    assert refused_code(ann.post(one, text)) == "too_much_kept"


async def test_a_closed_room_gives_the_bytes_of_its_messages_back(chat: ChatService, ann: Someone) -> None:
    room, other = ann.create(), ann.create()
    text = "x" * 9_000
    for _ in range(4):
        ann.say(room, text)
    assert refused_code(ann.post(other, text)) == "too_much_kept"
    assert ann.client.delete(f"/v1/rooms/{room}").status_code == 204
    await chat.sweep()
    ann.say(other, text)


@pytest.mark.parametrize(("before", "after"), [(1000, 500), (60, 60_000)], ids=["shorter", "longer"])
def test_a_room_with_another_lifetime_gives_the_bytes_of_its_messages_back(
    ann: Someone, before: int, after: int
) -> None:
    room, text = ann.create(lifetime_seconds=before), "x" * 9_000
    messages = [ann.say(room, text) for _ in range(4)]
    assert ann.client.patch(f"/v1/rooms/{room}", json={"lifetime_seconds": after}).status_code == 200
    assert refused_code(ann.post(room, text)) == "too_much_kept"
    for message in messages:
        assert ann.client.delete(f"/v1/rooms/{room}/messages/{message}").status_code == 204
    for _ in range(4):
        ann.say(room, text)
    assert refused_code(ann.post(room, text)) == "too_much_kept"


def test_a_room_keeps_so_many_bytes_and_forgets_the_oldest_messages(chat: ChatService, ann: Someone) -> None:
    others = [chat.at(chat.sign_up().person, 1) for _ in range(2)]
    room = ann.create()
    ann.invite(room, *others)
    for number in range(9):
        (ann, *others)[number % 3].say(room, f"{number}{'x' * 9_000}")
    assert [text[0] for text in ann.texts(room)] == ["3", "4", "5", "6", "7", "8"]
    # The bytes of what is forgotten are the author's again.
    ann.say(room, "x" * 9_000)


def test_an_account_owns_so_many_rooms(ann: Someone) -> None:
    def create(*, is_private: bool) -> httpx.Response:
        return ann.client.post("/v1/rooms", json={"name": f"room of {ann.name} {len(made)}", "is_private": is_private})

    made: list[Any] = []
    made.append(create(is_private=False).json()["id"])
    assert refused_code(create(is_private=False)) == "too_many_rooms"
    made += [ann.create() for _ in range(5)]
    assert refused_code(create(is_private=True)) == "too_many_rooms"
    for room in made[:2]:
        assert ann.client.delete(f"/v1/rooms/{room}").status_code == 204
    assert create(is_private=False).status_code == 201


def test_strangers_are_sent_few_direct_messages(chat: ChatService, ann: Someone, bob: Someone) -> None:
    strangers = [chat.sign_up() for _ in range(4)]

    def write(sender: Someone, recipient: Someone) -> httpx.Response:
        return sender.client.post("/v1/messages", json={"recipient": recipient.name, "message": "hello"})

    sent = [write(ann, stranger) for stranger in strangers]
    assert [answer.status_code for answer in sent] == [201, 201, 201, 429]
    assert (sent[3].json()["code"], sent[3].headers["retry-after"]) == ("too_many_unanswered", "3600")
    # Deleting the messages does not help, but being answered does.
    assert ann.client.delete(f"/v1/messages/{sent[0].json()['id']}").status_code == 204
    assert write(ann, strangers[0]).status_code == 429
    assert write(strangers[1], ann).status_code == 201
    assert [write(ann, strangers[1]).status_code for _ in range(5)] == [201] * 5


def test_messages_leave_a_part_of_the_memory_to_everything_else(chat: ChatService) -> None:
    ann = chat.sign_up()
    room = ann.create()
    message = ann.say(room, "before")
    with Redis.from_url(chat.valkey_url) as valkey:
        before: Any = valkey.config_get("maxmemory")
        used: Any = valkey.info("memory")
        try:
            # More than three quarters are used now.
            valkey.config_set("maxmemory", int(used["used_memory"] / 0.8))
            health = f"{chat.url}/internal/health/ready"
            while httpx.get(health).json()["messages"] == "ok":
                pass
            assert httpx.get(health).status_code == 200
            answer = ann.post(room, "after")
            assert (answer.status_code, answer.json()["code"]) == (507, "messages_full")
            path = f"/v1/rooms/{room}/messages/{message}"
            assert refused_code(ann.client.patch(path, json={"text": "b"})) == "messages_full"
            assert ann.texts(room) == ["before"]
            assert chat.sign_up().create()
        finally:
            valkey.config_set("maxmemory", before["maxmemory"])
        while httpx.get(health).json()["messages"] != "ok":
            pass
    ann.say(room, "after")


def test_a_room_is_not_given_to_whoever_owns_enough(ann: Someone, bob: Someone) -> None:
    """Or an account could fill another's share of the rooms, and get rid of its own."""
    room = ann.create(is_private=False)
    own = bob.create(is_private=False)
    assert bob.client.post(f"/v1/rooms/{room}/join", json={}).is_success
    path = f"/v1/rooms/{room}/members/{bob.id}"
    assert refused_code(ann.client.patch(path, json={"role": "owner"})) == "too_many_rooms"
    assert ann.members(room)[ann.name] == "owner"
    assert bob.client.delete(f"/v1/rooms/{own}").status_code == 204
    assert ann.client.patch(path, json={"role": "owner"}).status_code == 200
    assert bob.client.delete(f"/v1/rooms/{room}").status_code == 204
