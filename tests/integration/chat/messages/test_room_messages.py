"""Posting, reading, editing and deleting messages."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, running_chat

MESSAGE_BYTES = 16_384


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def test_messages_are_read_by_all_members_in_order(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create()
    ann.invite(room, bob)
    first = ann.post(room, "<b>one</b>  ").json()
    second = bob.post(room, "twö 🦆", reply_to=first["id"]).json()
    assert first == {
        "id": first["id"],
        "author": str(ann.id),
        "name": ann.name,
        "mixed_scripts": [],
        "text": "<b>one</b>  ",
        "created_at": first["created_at"],
        "edited": False,
        "reply_to": None,
        "file": None,
    }
    assert second["reply_to"] == first["id"]
    assert ann.read(room) == bob.read(room) == [first, second]
    assert ann.read(room) == [first, second]


def raw(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


REFUSED: list[tuple[str, bytes, int, str]] = [
    ("empty", raw(""), 400, "message_empty"),
    ("no text", b"{}", 400, "message_empty"),
    ("only spaces", raw(" \n\t\u2003"), 400, "message_empty"),
    ("too large", raw("x" * (MESSAGE_BYTES + 1)), 413, "message_too_large"),
    ("too large in bytes", raw("ö" * (MESSAGE_BYTES // 2 + 1)), 413, "message_too_large"),
    ("huge", raw("x" * 1_000_000), 413, "too_large"),
    ("a NUL", raw("a\0b"), 400, "message_unusable"),
    ("invalid UTF-8", b'{"text": "\xff\xfe"}', 400, "invalid_input"),
    ("half a character", b'{"text": "\\ud800"}', 400, "invalid_input"),
    ("no JSON", b"text", 400, "invalid_input"),
    ("a list", b'["text"]', 400, "invalid_input"),
    ("a number", b'{"text": 1}', 400, "invalid_input"),
    ("nested deeply", b'{"text":' * 10_000, 400, "invalid_input"),
    ("something else", b'{"text": "a", "html": true}', 400, "invalid_input"),
    ("a reply to nothing", b'{"text": "a", "reply_to": "yesterday"}', 400, "invalid_input"),
]


@pytest.mark.parametrize(("body", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_invalid_message_is_refused_and_leaves_nothing(
    chat: ChatService, body: bytes, status: int, code: str
) -> None:
    ann = chat.sign_up()
    room = ann.create()
    answer = ann.client.post(f"/v1/rooms/{room}/messages", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ann.read(room) == []


@pytest.mark.parametrize("text", ["x" * MESSAGE_BYTES, "\x01" * (MESSAGE_BYTES - 1) + "x", "ö" * (MESSAGE_BYTES // 2)])
def test_the_largest_message_is_kept_however_json_spells_it(chat: ChatService, text: str) -> None:
    ann = chat.sign_up()
    room = ann.create()
    assert ann.client.post(f"/v1/rooms/{room}/messages", content=raw(text)).status_code == 201
    assert ann.texts(room) == [text]


CALLS = [
    ("POST", "/messages", {"text": "a"}),
    ("GET", "/messages", None),
    ("PATCH", "/messages/1-1", {"text": "a"}),
    ("DELETE", "/messages/1-1", None),
    ("GET", "/members", None),
    ("POST", "/leave", None),
    ("POST", "/invitations", {}),
    ("GET", "/invitations", None),
    ("GET", "/bans", None),
    ("PATCH", "", {"name": "another"}),
    ("DELETE", "", None),
]
IDS = [f"{method} {path}" for method, path, _ in CALLS]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=IDS)
def test_a_stranger_is_refused_and_learns_nothing_of_a_private_room(
    chat: ChatService, method: str, path: str, body: Any
) -> None:
    ann, stranger = chat.sign_up(), chat.sign_up()
    public, private = ann.create(is_private=False), ann.create()
    ann.say(public, "kept")
    refused = stranger.client.request(method, f"/v1/rooms/{public}{path}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")
    answers = [
        stranger.client.request(method, f"/v1/rooms/{room}{path}", json=body) for room in (private, private + 50_000)
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, answers[0].json())] * 2
    assert answers[0].json()["code"] == "room_not_found"
    unsigned = httpx.request(method, f"{chat.url}/v1/rooms/{public}{path}", json=body)
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "credentials_missing")
    assert ann.texts(public) == ["kept"]


@pytest.mark.parametrize("room", ["0", "-1", "x", "1.5", "9223372036854775808", "9" * 30, "9" * 5000, "%00", "١"])
def test_an_impossible_id_is_no_room(chat: ChatService, room: str) -> None:
    ann = chat.sign_up()
    for answer in (ann.client.get(f"/v1/rooms/{room}/messages"), ann.client.post(f"/v1/rooms/{room}/messages")):
        assert answer.status_code in (404, 400), answer.text
    assert ann.client.get(f"/v1/rooms/{room}").status_code in (404, 422)


def test_authors_edit_and_delete_their_own(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create()
    ann.invite(room, bob)
    message = bob.say(room, "firts")
    path = f"/v1/rooms/{room}/messages/{message}"
    edited = bob.client.patch(path, json={"text": "first"})
    assert edited.json() == bob.read(room)[0]
    assert (edited.json()["text"], edited.json()["edited"]) == ("first", True)
    # Moderators may delete the messages of others, but not change them.
    assert ann.client.patch(path, json={"text": "other"}).json()["code"] == "not_your_message"
    assert ann.client.patch(f"/v1/rooms/{room}/messages/1-1", json={"text": "a"}).json()["code"] == "message_not_found"
    assert bob.client.patch(path, json={"text": " "}).json()["code"] == "message_empty"
    assert bob.client.delete(path).status_code == 204
    assert bob.client.delete(path).json()["code"] == "message_not_found"
    assert bob.client.patch(path, json={"text": "again"}).json()["code"] == "message_not_found"
    assert bob.read(room) == []


def test_owner_and_moderators_delete_messages_of_others(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room = ann.create()
    ann.invite(room, bob, cid)
    first, second = cid.say(room, "one"), cid.say(room, "two")
    assert bob.client.delete(f"/v1/rooms/{room}/messages/{first}").json()["code"] == "not_your_message"
    assert ann.client.patch(f"/v1/rooms/{room}/members/{bob.id}", json={"role": "moderator"}).status_code == 200
    assert bob.client.delete(f"/v1/rooms/{room}/messages/{first}").status_code == 204
    assert ann.client.delete(f"/v1/rooms/{room}/messages/{second}").status_code == 204
    assert cid.read(room) == []


def test_capacity_is_kept_and_can_be_changed(chat: ChatService) -> None:
    ann = chat.sign_up()
    room = ann.create(capacity=3)
    for number in range(5):
        ann.say(room, str(number))
    assert ann.texts(room) == ["2", "3", "4"]
    assert ann.client.patch(f"/v1/rooms/{room}", json={"capacity": 2}).status_code == 200
    assert ann.texts(room) == ["3", "4"]
    ann.say(room, "5")
    assert ann.texts(room) == ["4", "5"]


def test_a_link_of_ones_own_is_posted_as_a_file(chat: ChatService) -> None:
    ann, bob, share = chat.sign_up(), chat.sign_up(), uuid4()
    room = ann.create()
    ann.invite(room, bob)
    chat.share.add(ann.person, share)
    message = ann.post(room, "", share_id=str(share)).json()
    url = f"{chat.url}/f/Ab+3=5cdEf"
    expected = {"name": "a photo.png", "size": 7, "type": "image/png", "url": url, "expires_at": None}
    assert message["file"] == expected
    assert message["text"] == url
    assert bob.read(room) == [message]
    refused = bob.post(room, "", share_id=str(share))
    assert (refused.status_code, refused.json()["code"]) == (404, "share_not_found")
    assert chat.share.requests[-1] == refused.headers["X-Request-Id"]
    for form in ("code", "page"):
        other = uuid4()
        chat.share.add(ann.person, other, form=form)
        assert ann.post(room, "", share_id=str(other)).status_code == 404
    chat.share.is_down = True
    try:
        assert ann.post(room, "", share_id=str(share)).status_code == 503
    finally:
        chat.share.is_down = False
    assert len(ann.read(room)) == 1
    assert chat.rows("select share_id, message_id from room_file where room_id = %s", room) == [(share, message["id"])]


def test_a_file_says_when_its_share_ends(chat: ChatService) -> None:
    ann, brief, long = chat.sign_up(), uuid4(), uuid4()
    chat.share.add(ann.person, brief, expires_at="2036-01-01T00:00:00.123456Z")
    chat.share.add(ann.person, long)

    def posted(room: int, share: UUID) -> Any:
        message = ann.post(room, "", share_id=str(share)).json()
        assert ann.read(room)[-1] == message
        return message["file"]["expires_at"]

    room, revoking = ann.create(), ann.create(lifetime_seconds=600, file_lifetime_seconds=60)
    assert posted(room, brief) == "2036-01-01T00:00:00.123Z"
    assert posted(room, long) is None
    # The room ends the share a minute after the message, which is earlier.
    for share in (brief, long):
        left = datetime.fromisoformat(posted(revoking, share)) - datetime.now(UTC)
        assert 630 < left.total_seconds() <= 660


def test_the_openapi_document_describes_requests_and_answers(chat: ChatService) -> None:
    paths = httpx.get(f"{chat.url}/v1/openapi/chat.json").json()["paths"]
    post, read = (paths["/v1/rooms/{room_id}/messages"][method] for method in ("post", "get"))
    assert "text" in post["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert post["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/MessageView"
    }
    assert read["parameters"][0]["name"] == "room_id"
    assert read["security"] == paths["/v1/rooms"]["get"]["security"]
