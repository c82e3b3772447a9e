"""Mirage's section on direct messages, row by row."""

import re

import httpx
import pytest

from tests.contract.mirage import wire
from tests.contract.mirage.wire import AGAIN, SPACED_AGAIN, User, refused, succeeded


@pytest.fixture
def user(mirage: httpx.Client) -> User:
    """A user of the test's own."""
    return User(mirage)


@pytest.fixture
def other(mirage: httpx.Client) -> User:
    """A second one."""
    return User(mirage)


def send(sender: User, recipient: str, message: str) -> None:
    succeeded(sender.post("send_inbox_message", recipient=recipient, message=message), message="message sent")


def count(user: User) -> int:
    return succeeded(user.get("inbox_count"))["inbox_count"]


def test_both_users_see_their_messages_newest_first(mirage: httpx.Client, other: User) -> None:
    user = User(mirage, avatar_url="https://a.example/x.png")
    send(user, other.name, "hello")
    send(other, user.name.upper(), "hello yourself")
    rows = user.inbox()
    assert rows == other.inbox()
    assert [(row["sender"], row["recipient"], row["message"]) for row in rows] == [
        (other.name, user.name, "hello yourself"),
        (user.name, other.name, "hello"),
    ]
    assert [set(row) for row in rows] == [{"id", "sender", "recipient", "message", "created_at", "avatar_url"}] * 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["created_at"]) for row in rows)
    assert all(isinstance(row["id"], int) for row in rows)
    assert rows[1]["avatar_url"] == "https://a.example/x.png"
    assert rows[0]["avatar_url"].startswith(("https://", "data:image/"))
    assert count(user) == count(other) == 2


def test_a_message_to_oneself_is_listed_once(user: User) -> None:
    send(user, user.name, "a note")
    assert [row["message"] for row in user.inbox()] == ["a note"]
    assert count(user) == 1


def test_a_message_is_kept_as_it_was_sent(user: User, other: User) -> None:
    text = "  <b>Ünï</b> 🦉\n" + "x" * 10_000
    send(user, other.name, text)
    assert other.inbox()[0]["message"] == text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"recipient": "x"},
        {"message": "x"},
        {"recipient": "", "message": "x"},
        {"recipient": "x", "message": ""},
        {"recipient": "x", "message": "  "},
        {"recipient": 7, "message": "x"},
        {"recipient": "x", "message": ["x"]},
    ],
)
def test_missing_fields_are_refused(user: User, fields: dict[str, object]) -> None:
    refused(user.post("send_inbox_message", **fields), 400, "missing recipient or message")


def test_an_unknown_recipient_is_reported_by_both_fields(user: User) -> None:
    for name in (wire.new_name(), "a\0b", "x" * 10_000):
        answer = user.post("send_inbox_message", recipient=name, message="x")
        assert (answer.status_code, answer.json()) == (
            404,
            {"erorr": "recipient not found", "error": "recipient not found"},
        )


def test_a_message_that_is_too_long_or_unusable_is_refused(user: User, other: User) -> None:
    refused(user.post("send_inbox_message", recipient=other.name, message="x" * 16_385), 413)
    refused(user.post("send_inbox_message", recipient=other.name, message="a\0b"), 400)
    assert count(other) == 0


def test_a_deleted_message_is_gone_for_both(user: User, other: User) -> None:
    for number in range(3):
        send(user, other.name, str(number))
    newest, middle, _ = user.inbox()
    succeeded(other.post("delete_inbox_message", message_id=newest["id"]), message="message deleted successfully")
    succeeded(user.post("delete_inbox_message", message_id=str(middle["id"])), message="message deleted successfully")
    assert [row["message"] for row in user.inbox()] == [row["message"] for row in other.inbox()] == ["0"]
    refused(user.post("delete_inbox_message", message_id=newest["id"]), 404, "message not found or unauthorized access")


def test_nobody_else_deletes_or_reads(mirage: httpx.Client, user: User, other: User) -> None:
    send(user, other.name, "between us")
    stranger, message_id = User(mirage), user.inbox()[0]["id"]
    assert (stranger.inbox(), count(stranger)) == ([], 0)
    for sent in (message_id, 2**62, 2**70, -1, "x", [1], True):
        answer = stranger.post("delete_inbox_message", message_id=sent)
        refused(answer, 404, "message not found or unauthorized access")
    assert count(user) == 1


def test_deleting_requires_a_message_id(user: User) -> None:
    for fields in ({}, {"message_id": None}, {"message_id": ""}):
        refused(user.post("delete_inbox_message", **fields), 400, "missing message ID")


def test_each_call_has_its_own_text_for_a_missing_token(mirage: httpx.Client) -> None:
    for body in ({}, {"recipient": "x", "message": "x"}):
        refused(mirage.post("/api/send_inbox_message", json=body), 401, SPACED_AGAIN)
    refused(mirage.get("/api/inbox"), 401, SPACED_AGAIN)
    refused(mirage.post("/api/delete_inbox_message", json={}), 401, AGAIN)
    refused(mirage.get("/api/inbox_count"), 401, AGAIN)


def test_many_messages_are_all_listed(user: User, other: User) -> None:
    for number in range(30):
        send(user, other.name, str(number))
    assert [row["message"] for row in other.inbox()] == [str(number) for number in range(29, -1, -1)]
    assert count(other) == 30
