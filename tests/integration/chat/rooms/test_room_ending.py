"""Deletions: with a room, after the end of a file, and with an account."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis

from chat_service.messages import posting
from chat_service.messages.model import SharedFile
from chat_service.streams import ChatUnavailable
from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


FILE = {"name": "a.bin", "size": 3, "type": "application/octet-stream", "url": "https://example.org/f/abc.bin"}


def post_file(chat: ChatService, someone: Someone, room: int, share: UUID, **changes: Any) -> Any:
    """Post a file as the upload service does."""
    body = {"account_id": str(someone.id), "name": someone.name, "text": FILE["url"], "file": FILE}
    return chat.internal("POST", f"/internal/rooms/{room}/messages", {**body, "share_id": str(share), **changes})


def keys(chat: ChatService, room: int) -> list[bytes]:
    redis = Redis.from_url(chat.valkey_url)
    found: Any = redis.keys(f"room:{room}*")
    redis.close()
    return found


async def test_closing_a_room_revokes_its_files_when_it_says_so(chat: ChatService) -> None:
    ann = chat.sign_up()
    shares = {ann.create(revoke_files=revokes): uuid4() for revokes in (True, False)}
    for room, share in shares.items():
        assert post_file(chat, ann, room, share).status_code == 200
        assert ann.read(room)[0]["file"] == {**FILE, "expires_at": None}
        assert ann.client.delete(f"/v1/rooms/{room}").status_code == 204
        assert share not in chat.share.revoked
    chat.share.is_down = True
    await chat.sweep()
    chat.share.is_down = False
    await chat.sweep()
    # The work of the sweep that failed is due again in a minute.
    assert not set(shares.values()) & set(chat.share.revoked)
    chat.rows("update room_file set due_at = now() where room_id = any(%s)", list(shares))
    await chat.sweep()
    revoking, keeping = shares
    assert chat.share.revoked.count(shares[revoking]) == 1
    assert shares[keeping] not in chat.share.revoked
    assert [keys(chat, room) for room in shares] == [[], []]
    assert len(chat.rows("select 1 from room where id = any(%s)", list(shares))) == 2
    chat.rows("update room set cleaned_at = cleaned_at - interval '1 day' where id = any(%s)", list(shares))
    await chat.sweep()
    assert chat.rows("select 1 from room where id = any(%s)", list(shares)) == []
    assert chat.share.revoked.count(shares[revoking]) == 1


async def test_a_room_is_not_forgotten_before_its_files_are_revoked(chat: ChatService) -> None:
    ann, share = chat.sign_up(), uuid4()
    room = ann.create(file_lifetime_seconds=1000)
    post_file(chat, ann, room, share)
    ann.client.delete(f"/v1/rooms/{room}")
    await chat.sweep()
    chat.rows("update room set cleaned_at = cleaned_at - interval '2 days' where id = %s", room)
    await chat.sweep()
    assert share not in chat.share.revoked
    chat.rows("update room_file set revoke_at = now() - interval '1 second' where room_id = %s", room)
    await chat.sweep()
    assert share in chat.share.revoked
    assert chat.rows("select 1 from room where id = %s", room) == []


async def test_a_file_is_revoked_some_time_after_its_message_expired(chat: ChatService) -> None:
    ann, share, kept = chat.sign_up(), uuid4(), uuid4()
    room = ann.create(lifetime_seconds=100, file_lifetime_seconds=50)
    post_file(chat, ann, room, share)
    post_file(chat, ann, ann.create(), kept)
    revoke_at = "select extract(epoch from revoke_at - now()) from room_file where share_id = %s"
    assert 140 < chat.rows(revoke_at, share)[0][0] <= 150
    assert chat.rows(revoke_at, kept) == [(None,)]
    await chat.sweep()
    assert share not in chat.share.revoked
    chat.rows("update room_file set revoke_at = now() - interval '1 second' where share_id = %s", share)
    await chat.sweep()
    await chat.sweep()
    assert chat.share.revoked.count(share) == 1
    assert kept not in chat.share.revoked
    assert len(ann.read(room)) == 1


def test_a_file_is_posted_once_however_often_it_is_asked_for(chat: ChatService) -> None:
    ann, share = chat.sign_up(), uuid4()
    room = ann.create()
    answers = [post_file(chat, ann, room, share).json() for _ in range(3)]
    assert answers == [{"id": ann.read(room)[0]["id"]}] * 3
    assert len(ann.read(room)) == 1


async def test_a_file_that_could_not_be_posted_leaves_nothing(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob, share = chat.sign_up(), chat.sign_up(), uuid4()
    room = ann.create()
    rows = "select 1 from room_file where share_id = %s"
    for answer in (post_file(chat, bob, room, share), post_file(chat, ann, room + 50_000, share)):
        assert answer.status_code == 404
    assert post_file(chat, bob, ann.create(is_private=False), share).status_code == 403
    assert post_file(chat, ann, room, share, text="").status_code == 400
    assert post_file(chat, ann, room, share, text="x" * 20_000).status_code == 413
    async with chat.operating() as context:

        async def fail(*_: Any) -> None:
            raise ChatUnavailable

        monkeypatch.setattr(context.streams, "post", fail)
        with pytest.raises(ChatUnavailable):
            file = SharedFile(name="a.bin", size=3, type="text/plain", url="https://example.org/f/a", expires_at=None)
            await posting.post_file(context, ann.identity, room, "a", file=file, share_id=share)
    assert chat.rows(rows, share) == []
    assert ann.read(room) == []


def test_only_upload_posts_and_asks_and_only_auth_erases(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create()
    path = f"/internal/rooms/{room}/membership"
    for someone, is_member in ((ann, True), (bob, False)):
        answer = chat.internal("POST", path, {"account_id": str(someone.id)})
        assert answer.json() == {"member": is_member}
    nowhere = f"/internal/rooms/{room + 50_000}/membership"
    assert chat.internal("POST", nowhere, {"account_id": str(ann.id)}).json() == {"member": False}
    for service in ("auth", "share"):
        assert chat.internal("POST", path, {"account_id": str(ann.id)}, service).status_code == 403
        answer = chat.internal("POST", f"/internal/rooms/{room}/messages", {"account_id": str(ann.id)}, service)
        assert answer.status_code == 403
    for service in ("upload", "share"):
        assert chat.internal("DELETE", f"/internal/accounts/{ann.id}", service=service).status_code == 403
    assert ann.client.post(path, json={"account_id": str(ann.id)}).status_code == 401
    assert ann.members(room) == {ann.name: "owner"}


def test_nothing_is_left_of_an_account_that_is_gone(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    shared, alone, banned = ann.create(), ann.create(), cid.create(is_private=False)
    ann.invite(shared, bob, cid)
    ann.client.patch(f"/v1/rooms/{shared}/members/{cid.id}", json={"role": "moderator"})
    open_ = ann.client.post(f"/v1/rooms/{shared}/invitations", json={}).json()["token"]
    ann.client.post(f"/v1/rooms/{banned}/join", json={})
    cid.client.delete(f"/v1/rooms/{banned}/members/{ann.id}")
    ann.say(shared, "by ann")
    bob.say(shared, "by bob")
    for sender, recipient in ((ann, bob), (bob, ann), (bob, cid)):
        sender.client.post("/v1/messages", json={"recipient": recipient.name, "message": "hello"})
    for _ in range(2):
        assert chat.internal("DELETE", f"/internal/accounts/{ann.id}", service="auth").status_code == 200
    assert cid.members(shared) == {cid.name: "owner", bob.name: "member"}
    assert bob.texts(shared) == ["by bob"]
    assert chat.rows("select closed_at is not null from room where id = %s", alone) == [(True,)]
    dan = chat.sign_up()
    join = dan.client.post(f"/v1/rooms/{shared}/join", json={"invitation": open_})
    assert join.json()["code"] == "invitation_unknown"
    assert len(bob.client.get("/v1/messages").json()["messages"]) == 1
    columns = [
        *(("room", "owner"), ("member", "account_id"), ("ban", "account_id")),
        *(("invitation", "created_by"), ("inbox_message", "sender"), ("inbox_message", "recipient")),
    ]
    left = {table for table, column in columns if chat.rows(f"select 1 from {table} where {column} = %s", ann.id)}
    # The owner of the closed room is forgotten with its row.
    assert left == {"room"}
    chat.rows("delete from room where id = %s", alone)
