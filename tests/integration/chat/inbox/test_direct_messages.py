"""Direct messages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def send(sender: Someone, recipient: str, message: str = "hello") -> Any:
    return sender.client.post("/v1/messages", json={"recipient": recipient, "message": message})


def inbox(someone: Someone, **parameters: Any) -> dict[str, Any]:
    answer = someone.client.get("/v1/messages", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_only_sender_and_recipient_see_a_message(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    sent = send(ann, bob.name.upper(), " <i>hëllo</i> ")
    assert sent.status_code == 201
    assert sent.json() == {
        "id": sent.json()["id"],
        "sender": {"id": str(ann.id), "name": ann.name, "avatar_url": None, "mixed_scripts": []},
        "recipient": {"id": str(bob.id), "name": bob.name, "avatar_url": None, "mixed_scripts": []},
        "message": " <i>hëllo</i> ",
        "created_at": sent.json()["created_at"],
    }
    assert inbox(ann) == inbox(bob) == {"messages": [sent.json()], "next": None}
    assert inbox(cid) == {"messages": [], "next": None}


def test_a_message_is_deleted_for_both_and_by_nobody_else(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    first, second = (send(ann, bob.name, text).json()["id"] for text in ("one", "two"))
    assert cid.client.delete(f"/v1/messages/{first}").json()["code"] == "message_not_found"
    assert bob.client.delete(f"/v1/messages/{first}").status_code == 204
    assert bob.client.delete(f"/v1/messages/{first}").json()["code"] == "message_not_found"
    assert [message["message"] for message in inbox(ann)["messages"]] == ["two"]
    assert ann.client.delete(f"/v1/messages/{second}").status_code == 204
    assert inbox(bob)["messages"] == []
    for wrong in ("0", "-1", "9" * 30):
        assert ann.client.delete(f"/v1/messages/{wrong}").status_code == 404


def test_pages_are_newest_first(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    for number in range(7):
        sender, recipient = ((ann, bob), (bob, ann), (ann, ann))[number % 3]
        assert send(sender, recipient.name, str(number)).status_code == 201
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = inbox(ann, limit=2, **after)
        found += [message["message"] for message in page["messages"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == list("6543210")
    assert ann.client.get("/v1/messages", params={"after": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ("", 400, "message_empty"),
        (" \n", 400, "message_empty"),
        ("a\0", 400, "message_unusable"),
        ("x" * 16_385, 413, "message_too_large"),
    ],
    ids=["empty", "spaces", "NUL", "too large"],
)
def test_an_invalid_message_is_not_sent(chat: ChatService, message: str, status: int, code: str) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    answer = send(ann, bob.name, message)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert inbox(bob)["messages"] == []


@pytest.mark.parametrize("recipient", ["", "nobody is called so", "a\0b", "x" * 3000, "\u202e"])
def test_an_unknown_recipient_is_not_found(chat: ChatService, recipient: str) -> None:
    answer = send(chat.sign_up(), recipient)
    assert (answer.status_code, answer.json()["code"]) == (404, "recipient_not_found")


def test_the_number_of_messages_kept_of_a_sender_is_limited(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_chat(make_database, valkey_url, inbox_messages=2) as chat:
        ann, bob = chat.sign_up(), chat.sign_up()
        sent = [send(ann, bob.name) for _ in range(3)]
        assert [answer.status_code for answer in sent] == [201, 201, 409]
        assert sent[2].json()["code"] == "too_many_sent"
        assert send(bob, ann.name).status_code == 201
        assert bob.client.delete(f"/v1/messages/{sent[0].json()['id']}").status_code == 204
        assert send(ann, bob.name).status_code == 201


FILTERS = [
    {"pattern": "(?i)darn", "action": "replace", "with": "d***"},
    {"pattern": r"https?://spam\.example\S*", "action": "refuse"},
    {"pattern": "^gone$", "action": "replace"},
    {"pattern": "long", "action": "replace", "with": "x" * 20_000},
]


def test_filters_see_every_text_before_it_is_kept(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_chat(make_database, valkey_url, message_filters=FILTERS) as chat:
        ann, bob = chat.sign_up(), chat.sign_up()
        room = ann.create()
        message = ann.say(room, "Darn, DARN it")
        assert ann.texts(room) == ["d***, d*** it"]
        path = f"/v1/rooms/{room}/messages/{message}"
        assert ann.client.patch(path, json={"text": "oh darn"}).json()["text"] == "oh d***"
        assert send(ann, bob.name, "darn").json()["message"] == "d***"
        for text, status, code in (
            ("see http://spam.example/now", 400, "message_refused"),
            ("gone", 400, "message_empty"),
            ("long", 413, "message_too_large"),
        ):
            edited = ann.client.patch(path, json={"text": text})
            for answer in (ann.post(room, text), edited, send(ann, bob.name, text)):
                assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert ann.texts(room) == ["oh d***"]
        assert len(inbox(bob)["messages"]) == 1
