"""Without Valkey nobody can post, join or leave, but lists that need no Valkey are still answered."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, running_chat

CLOSED = "redis://127.0.0.1:9/0"


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        service.another(valkey_url=CLOSED)
        yield service


CALLS: list[tuple[str, str, Any]] = [
    ("POST", "/v1/rooms/{room}/messages", {"text": "a"}),
    ("GET", "/v1/rooms/{room}/messages", None),
    ("PATCH", "/v1/rooms/{room}/messages/{message}", {"text": "b"}),
    ("DELETE", "/v1/rooms/{room}/messages/{message}", None),
    ("GET", "/v1/rooms/{room}", None),
    ("PATCH", "/v1/rooms/{room}", {"capacity": 3}),
    ("DELETE", "/v1/rooms/{room}", None),
    ("POST", "/v1/rooms/{room}/leave", {}),
    ("GET", "/v1/rooms/{room}/members", None),
    ("PATCH", "/v1/rooms/{room}/members/{bob}", {"muted_seconds": 5}),
    ("DELETE", "/v1/rooms/{room}/members/{bob}", None),
    ("POST", "/v1/rooms/{other}/join", {"password": "sesame"}),
    ("POST", "/v1/rooms/join", {"name": "{name}", "password": "sesame"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
def test_changes_and_messages_are_refused_without_valkey(chat: ChatService, method: str, path: str, body: Any) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room, other = ann.create(capacity=9), cid.create(password="sesame")
    ann.invite(room, bob)
    message = ann.say(room)
    cut_off = chat.at(ann.person, 1)
    known = {"room": room, "message": message, "bob": bob.id, "other": other, "name": cid.room(other)["name"]}
    sent = {name: value.format(**known) if isinstance(value, str) else value for name, value in (body or {}).items()}
    answer = cut_off.client.request(method, path.format(**known), json=sent if body is not None else None)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert ann.room(room)["capacity"] == 9
    assert ann.members(room) == {ann.name: "owner", bob.name: "member"}
    assert bob.room(room)["muted_until"] is None
    assert [found["id"] for found in bob.read(room)] == [message]
    assert cid.members(other) == {cid.name: "owner"}


def test_calls_that_need_no_valkey_are_answered(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create()
    cut_off = chat.at(ann.person, 1)
    assert [found["id"] for found in cut_off.client.get("/v1/rooms/mine").json()["rooms"]] == [room]
    assert cut_off.client.get("/v1/rooms").status_code == 200
    # Only messages to strangers are counted, for which Valkey would be needed.
    assert bob.client.post("/v1/messages", json={"recipient": ann.name, "message": "hello"}).status_code == 201
    sent = cut_off.client.post("/v1/messages", json={"recipient": bob.name, "message": "hello"})
    assert sent.status_code == 201
    assert bob.client.get("/v1/messages").json()["messages"][0]["message"] == "hello"


def test_the_service_reports_that_it_is_not_ready(chat: ChatService) -> None:
    ready = [chat.at(chat.auth.sign_up(), process).client.get("/internal/health/ready") for process in (0, 1)]
    assert [answer.status_code for answer in ready] == [200, 503]
    down = dict.fromkeys(("limits", "streams", "messages"), "unavailable")
    assert ready[1].json() == {"database": "ok", **down}
