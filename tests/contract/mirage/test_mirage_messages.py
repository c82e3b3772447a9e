"""Mirage's section on room messages, row by row, and the expiry of messages."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.mirage import wire
from tests.contract.mirage.wire import User, refused, succeeded

NOT_IN = "you are not in this room"


def test_messages_are_read_as_they_were_sent(user: User, other: User) -> None:
    room_id, name = user.create()
    succeeded(other.join(name))
    before = time.time()
    texts = ["hello", "<b>&amp;</b> \"quoted\" 'too'", "Ünïcödé 🦉", "two\nlines", "[File] https://a.example/b.pdf"]
    for number, text in enumerate(texts):
        (user, other)[number % 2].send(room_id, text)
    rows = other.messages(room_id)
    assert [row["message"] for row in rows] == texts
    assert [row["username"] for row in rows] == [user.name, other.name, user.name, other.name, user.name]
    assert [set(row) for row in rows] == [{"username", "message", "created_at", "room_id"}] * 5
    assert {row["room_id"] for row in rows} == {room_id}
    times = [row["created_at"] for row in rows]
    assert all(isinstance(moment, float) for moment in times)
    assert times == sorted(times)
    assert before - 1 <= times[0] <= times[-1] <= time.time() + 1
    assert user.messages(room_id) == rows


def test_a_text_is_trimmed_and_a_room_id_may_be_a_string(user: User) -> None:
    room_id, _ = user.create()
    succeeded(user.post("send_room_message", room_id=str(room_id), message="  in the middle \n"))
    assert user.texts(room_id) == ["in the middle"]
    assert succeeded(user.get("get_room_messages", room_id=f" {room_id} "))["messages"] == user.messages(room_id)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"message": "x"},
        {"room_id": 1},
        {"room_id": "", "message": "x"},
        {"room_id": None, "message": "x"},
        {"room_id": 1, "message": ""},
        {"room_id": 1, "message": " \n "},
        {"room_id": 1, "message": None},
        {"room_id": 1, "message": 7},
    ],
)
def test_missing_fields_are_refused(user: User, fields: dict[str, object]) -> None:
    refused(user.post("send_room_message", **fields), 400, "missing fields")


def test_message_calls_require_a_token_and_a_room(user: User) -> None:
    refused(user.client.post("/api/send_room_message", json={"room_id": 1, "message": "x"}), 400, "missing fields")
    refused(user.client.get("/api/get_room_messages?room_id=1"), 400, "missing token or room id")
    refused(user.get("get_room_messages"), 400, "missing token or room id")
    refused(user.get("get_room_messages", room_id=""), 400, "missing token or room id")


def test_only_members_may_send_and_read_messages(user: User, other: User) -> None:
    room_id, _ = user.create()
    user.send(room_id, "a secret")
    for room in (room_id, 2**62, 2**70, "x", "-1", "1.5"):
        refused(other.post("send_room_message", room_id=room, message="x"), 403, NOT_IN)
        refused(other.get("get_room_messages", room_id=room), 403, NOT_IN)
    assert user.texts(room_id) == ["a secret"]


def test_a_message_that_is_too_long_or_contains_nul_is_refused(user: User) -> None:
    room_id, _ = user.create()
    user.send(room_id, "x" * 16_384)
    # Escaped in JSON this text is six times as long.
    user.send(room_id, "x" + "\u0001" * 16_383)
    refused(user.post("send_room_message", room_id=room_id, message="x" * 16_385), 413)
    refused(user.post("send_room_message", room_id=room_id, message="a\0b"), 400)
    assert len(user.messages(room_id)) == 2


def test_a_room_keeps_its_newest_hundred_messages(user: User) -> None:
    room_id, _ = user.create()
    other_room, _ = user.create()
    user.send(other_room, "elsewhere")
    for number in range(105):
        user.send(room_id, str(number))
    assert user.texts(room_id) == [str(number) for number in range(5, 105)]
    assert user.texts(other_room) == ["elsewhere"]


def test_messages_sent_at_once_all_arrive(user: User) -> None:
    room_id, _ = user.create()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: user.send(room_id, str(number)), range(50)))
    assert sorted(map(int, user.texts(room_id))) == list(range(50))


def test_a_room_keeps_messages_for_half_an_hour(client: httpx.Client, user: User) -> None:
    room_id, _ = user.create()
    room = client.get(f"/v1/rooms/{room_id}", headers=wire.native(client, user)).json()
    assert (room["lifetime_seconds"], room["capacity"]) == (1800, 100)


def test_an_expired_message_is_not_shown_but_its_file_stays(client: httpx.Client, user: User) -> None:
    room_id, _ = user.create()
    changed = client.patch(f"/v1/rooms/{room_id}", json={"lifetime_seconds": 2}, headers=wire.native(client, user))
    assert changed.status_code == 200
    url = succeeded(user.upload(room_id, b"the file"))["file_url"]
    (row,) = user.messages(room_id)
    expires = row["created_at"] + 2
    while rows := user.messages(room_id):
        # Services and test use the same clock. The message may have expired since the request began.
        assert rows == [row]
        assert time.time() < expires + 1
        time.sleep(0.05)
    assert time.time() >= expires
    assert user.client.get(httpx.URL(url).raw_path.decode()).content == b"the file"
