"""Mirage's calls beyond the tables of its contract: faults, limits, filters and large requests."""

import secrets
from collections.abc import Iterator

import httpx
import pytest

from chat_service.dialects.mirage import inbox
from chat_service.streams import ChatUnavailable, Streams
from common.dialects.mirage import DEFAULT_AVATAR
from tests.conftest import MakeDatabase
from tests.integration.auth.running import new_address
from tests.integration.chat.running import ChatService, Someone, new_room_name, running_chat
from tests.through_gateway import coming_from

ROOM_PASSWORD = "the room's password"
FILTERS = [
    {"pattern": "(?i)forbidden", "action": "refuse"},
    {"pattern": "secret", "action": "replace", "with": "******"},
]


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url, message_filters=FILTERS, room_members=2) as service:
        yield service


class Mirage:
    """A person who sends a token that Mirage's calls issue."""

    def __init__(self, chat: ChatService, someone: Someone) -> None:
        self.someone = someone
        asked = {"username": someone.name, "password": someone.person.password}
        answer = chat.auth.client(host="mirage.example.org").post("/api/login", json=asked)
        headers = {"Authorization": answer.json()["token"], **coming_from(new_address())}
        self.client = chat.opened.enter_context(httpx.Client(base_url=chat.url, headers=headers, timeout=30))

    @property
    def name(self) -> str:
        return self.someone.name

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"/api/{path}")

    def post(self, path: str, **fields: object) -> httpx.Response:
        return self.client.post(f"/api/{path}", json=fields)

    def create(self) -> tuple[int, str]:
        name = new_room_name()
        answer = self.post("create_room", room_name=name, is_private=1, password=ROOM_PASSWORD)
        assert answer.status_code == 201, answer.text
        return answer.json()["room_id"], name

    def texts(self, room_id: int) -> list[str]:
        answer = self.get(f"get_room_messages?room_id={room_id}")
        assert answer.status_code == 200, answer.text
        return [row["message"] for row in answer.json()["messages"]]


@pytest.fixture
def user(chat: ChatService) -> Mirage:
    return Mirage(chat, chat.sign_up())


@pytest.fixture
def other(chat: ChatService) -> Mirage:
    return Mirage(chat, chat.sign_up())


def said(answer: httpx.Response) -> tuple[int, str]:
    """An error's status and text."""
    assert set(answer.json()) == {"error"}, answer.text
    return answer.status_code, answer.json()["error"]


def test_one_room_is_seen_by_both_protocols(user: Mirage) -> None:
    room_id, name = user.create()
    assert user.someone.room(room_id)["name"] == name
    user.someone.say(room_id, "by the native API")
    assert user.post("send_room_message", room_id=room_id, message="by Mirage").status_code == 200
    assert user.texts(room_id) == user.someone.texts(room_id) == ["by the native API", "by Mirage"]
    edited = user.someone.read(room_id)[0]["id"]
    path = f"/v1/rooms/{room_id}/messages/{edited}"
    assert user.someone.client.patch(path, json={"text": "edited"}).status_code == 200
    assert user.texts(room_id) == ["edited", "by Mirage"]
    assert user.someone.client.delete(path).status_code == 204
    assert user.texts(room_id) == ["by Mirage"]


def test_a_public_room_has_no_password_whatever_is_sent(chat: ChatService, user: Mirage, other: Mirage) -> None:
    name = new_room_name()
    made = user.post("create_room", room_name=name, is_private=0, password="ignored")
    assert made.status_code == 201
    assert other.post("join_room", name=name).status_code == 200


def test_members_of_a_private_room_are_named_to_its_members_alone(user: Mirage, other: Mirage) -> None:
    room_id, name = user.create()
    strangers = other.get(f"room_members/{room_id}")
    assert said(strangers) == said(other.get(f"room_members/{2**62}")) == (404, "no members in this room")
    assert other.post("join_room", name=name, password=ROOM_PASSWORD).status_code == 200
    assert other.get(f"room_members/{room_id}").json() == {"members": [user.name, other.name]}


def test_members_of_a_public_room_are_named_to_everybody(user: Mirage, other: Mirage) -> None:
    made = user.post("create_room", room_name=new_room_name(), is_private=0)
    room_id = made.json()["room_id"]
    assert other.get(f"room_members/{room_id}").json() == {"members": [user.name]}
    assert user.someone.client.delete(f"/v1/rooms/{room_id}").status_code == 204


def test_a_room_that_was_closed_is_gone_and_its_name_is_free(user: Mirage) -> None:
    room_id, name = user.create()
    assert user.someone.client.delete(f"/v1/rooms/{room_id}").status_code == 204
    assert said(user.get(f"get_room_messages?room_id={room_id}")) == (403, "you are not in this room")
    assert said(user.get(f"room_members/{room_id}")) == (404, "no members in this room")
    assert said(user.post("join_room", name=name, password=ROOM_PASSWORD)) == (404, "room not found")
    asked = {"room_name": name, "is_private": 1, "password": ROOM_PASSWORD}
    assert user.post("create_room", **asked).status_code == 201


def test_a_removed_member_can_neither_read_nor_come_back(user: Mirage, other: Mirage) -> None:
    room_id, name = user.create()
    joining = {"name": name, "password": ROOM_PASSWORD}
    assert other.post("join_room", **joining).status_code == 200
    assert other.texts(room_id) == []
    removed = user.someone.client.delete(f"/v1/rooms/{room_id}/members/{other.someone.id}")
    assert removed.status_code == 204
    assert said(other.get(f"get_room_messages?room_id={room_id}")) == (403, "you are not in this room")
    assert said(other.post("send_room_message", room_id=room_id, message="x")) == (403, "you are not in this room")
    assert other.post("join_room", **joining).status_code == 403


def test_a_full_room_says_so(chat: ChatService, user: Mirage, other: Mirage) -> None:
    _, name = user.create()
    joining = {"name": name, "password": ROOM_PASSWORD}
    assert other.post("join_room", **joining).status_code == 200
    assert said(Mirage(chat, chat.sign_up()).post("join_room", **joining))[0] == 409


def test_only_wrong_room_passwords_are_limited(user: Mirage, other: Mirage) -> None:
    room_id, name = user.create()
    answers = [said(other.post("join_room", name=name, password="wrong")) for _ in range(12)]
    assert answers[:10] == [(403, "wrong password")] * 10
    assert [status for status, _ in answers[10:]] == [429, 429]
    assert {user.get(f"get_room_messages?room_id={room_id}").status_code for _ in range(50)} == {200}


def test_filters_hold_for_rooms_and_inboxes(user: Mirage, other: Mirage) -> None:
    room_id, _ = user.create()
    assert user.post("send_room_message", room_id=room_id, message="a secret").status_code == 200
    assert said(user.post("send_room_message", room_id=room_id, message="FORBIDDEN"))[0] == 400
    assert user.texts(room_id) == ["a ******"]
    assert user.post("send_inbox_message", recipient=other.name, message="my secret").status_code == 200
    assert said(user.post("send_inbox_message", recipient=other.name, message="forbidden"))[0] == 400
    assert [row["message"] for row in other.get("inbox").json()["messages"]] == ["my ******"]


@pytest.fixture
def without_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages cannot be reached, but credentials can still be checked."""

    async def fail(*_: object) -> None:
        raise ChatUnavailable

    monkeypatch.setattr(Streams, "_run", fail)


def test_unreachable_messages_are_answered_with_a_time_to_retry(user: Mirage, request: pytest.FixtureRequest) -> None:
    room_id, _ = user.create()
    user.texts(room_id)
    request.getfixturevalue("without_valkey")
    for answer in (
        user.get(f"get_room_messages?room_id={room_id}"),
        user.get(f"room_members/{room_id}"),
        user.post("send_room_message", room_id=room_id, message="x"),
    ):
        assert said(answer)[0] == 503
        assert int(answer.headers["retry-after"]) > 0


def test_a_sender_without_a_picture_gets_one(user: Mirage, other: Mirage) -> None:
    assert user.post("send_inbox_message", recipient=other.name, message="hello").status_code == 200
    assert other.get("inbox").json()["messages"][0]["avatar_url"] == DEFAULT_AVATAR


def test_a_long_inbox_is_listed_page_by_page(user: Mirage, other: Mirage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PAGE", 3)
    texts = [secrets.token_hex(4) for _ in range(7)]
    for text in texts:
        assert user.post("send_inbox_message", recipient=other.name, message=text).status_code == 200
    assert [row["message"] for row in other.get("inbox").json()["messages"]] == texts[::-1]
    monkeypatch.setattr(inbox, "BYTES_LISTED", 25)
    assert [row["message"] for row in other.get("inbox").json()["messages"]] == texts[:0:-1]
    assert other.get("inbox_count").json() == {"inbox_count": 7}


def test_invalid_utf8_is_refused(user: Mirage) -> None:
    room_id, _ = user.create()
    body = b'{"room_id": %d, "message": "\xff\xfe"}' % room_id
    headers = {"Content-Type": "application/json"}
    assert said(user.client.post("/api/send_room_message", content=body, headers=headers))[0] == 400
    assert user.texts(room_id) == []
