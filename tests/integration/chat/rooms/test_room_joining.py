"""Joining and leaving: passwords, invitations, bans, and the heirs of rooms."""

import asyncio
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, LiteralString
from uuid import uuid4

import pytest
from psycopg import AsyncCursor

from chat_service.rooms.importing import ForeignMember, ForeignRoom, import_room
from common import password_tries
from common.passwords import Passwords
from tests.conftest import MakeDatabase
from tests.integration.auth.running import new_address
from tests.integration.chat.running import ChatService, Someone, new_room_name, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def join(someone: Someone, room: int, **shown: str) -> tuple[int, str]:
    answer = someone.client.post(f"/v1/rooms/{room}/join", json=shown)
    return answer.status_code, answer.json().get("code", "")


def join_name(someone: Someone, name: str, **shown: str) -> tuple[int, str]:
    answer = someone.client.post("/v1/rooms/join", json={"name": name, **shown})
    return answer.status_code, answer.json().get("code", "")


def test_a_public_room_is_open_and_joining_again_changes_nothing(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create(is_private=False)
    assert bob.room(room)["role"] is None
    assert [join(bob, room), join(bob, room), join(ann, room)] == [(200, "")] * 3
    assert ann.members(room) == {ann.name: "owner", bob.name: "member"}
    assert bob.room(room)["role"] == "member"


def test_a_private_room_opens_by_its_password(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room = ann.create(password="sesame")
    name = ann.room(room)["name"]
    assert join(bob, room) == (404, "room_not_found")
    assert join(bob, room + 50_000, password="sesame") == (404, "room_not_found")
    assert join(bob, room, password="other") == (403, "room_password_wrong")
    assert join(bob, room, password="\0") == (403, "room_password_wrong")
    assert join(bob, room, password="x" * 5000) == (403, "room_password_wrong")
    assert join(bob, room, password="sesame") == (200, "")
    assert join_name(cid, "no such room", password="sesame") == (404, "room_not_found")
    assert join_name(cid, "\0", password="sesame") == (404, "room_not_found")
    assert join_name(cid, name) == (403, "room_password_missing")
    assert join_name(cid, name, password="other") == (403, "room_password_wrong")
    assert join_name(cid, name.upper(), password="sesame") == (200, "")
    assert set(ann.members(room)) == {ann.name, bob.name, cid.name}


def test_no_password_opens_a_room_that_only_invitations_open(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create()
    assert join(bob, room, password="") == (403, "room_password_wrong")
    assert join_name(bob, ann.room(room)["name"], password="nobody has this password") == (403, "room_password_wrong")


def test_wrong_passwords_are_limited_by_address_and_right_ones_are_not(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create(password="sesame")
    name = ann.room(room)["name"]
    for _ in range(15):
        assert join_name(ann, name, password="sesame") == (200, "")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(partial(join, password="wrong"), [bob] * 30, [room] * 30))
    assert answers.count((403, "room_password_wrong")) == 10
    assert answers.count((429, "rate_limited")) == 20
    # Now the right password is refused like the wrong ones, so that trying reveals nothing; elsewhere it is accepted.
    assert join(bob, room, password="sesame") == (429, "rate_limited")
    other = ann.create(password="sesame")
    assert join(bob, other, password="sesame") == (200, "")
    assert join(chat.at(bob.person, address=new_address()), room, password="sesame") == (200, "")


def test_people_behind_one_address_join_at_once(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    matches = Passwords.matches

    async def slowly(passwords: Passwords, hashed: str | None, password: str) -> bool:
        await asyncio.sleep(0.2)
        return await matches(passwords, hashed, password)

    monkeypatch.setattr(Passwords, "matches", slowly)
    owner, address = chat.sign_up(), new_address()
    room = owner.create(password="sesame")
    people = [chat.at(chat.sign_up().person, address=address) for _ in range(40)]
    with ThreadPoolExecutor(len(people)) as threads:
        answers = list(threads.map(partial(join, room=room, password="sesame"), people))
    assert answers == [(200, "")] * len(people)


def test_wrong_passwords_from_everywhere_keep_out_nobody_who_knows_the_right_one(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nor is a right one held up: it would wait for ever.
    monkeypatch.setattr(password_tries, "LONG_PATIENCE", (3600.0,))
    ann, bob, eve = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room = ann.create(password="sesame")
    wrong, refused = (403, "room_password_wrong"), (429, "rate_limited")
    for _ in range(10):
        someone = chat.at(eve.person, address=new_address())
        assert [join(someone, room, password="wrong") for _ in range(10)] == [wrong] * 10
    stranger = chat.at(eve.person, address=new_address())
    assert [join(stranger, room, password="wrong") for _ in range(3)] == [wrong, refused, refused]
    assert join(stranger, room, password="sesame") == refused
    assert join(chat.at(bob.person, address=new_address()), room, password="sesame") == (200, "")


def test_a_join_by_an_invitation_is_three_statements(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    execute = AsyncCursor[Any].execute

    async def counted(cursor: AsyncCursor[Any], query: LiteralString, *args: Any, **named: Any) -> AsyncCursor[Any]:
        statements.append(query)
        return await execute(cursor, query, *args, **named)

    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create()
    token = ann.client.post(f"/v1/rooms/{room}/invitations", json={}).json()["token"]
    # From here on, the process knows the room.
    ann.room(room)
    monkeypatch.setattr(AsyncCursor, "execute", counted)
    assert join(bob, room, invitation=token) == (200, "")
    # The room is locked, the member let in, and the room's version counted up.
    assert len([one for one in statements if "room" in one]) == 3, statements


def test_those_who_may_not_join_take_no_use_of_an_invitation(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room = ann.create(password="sesame")
    token = ann.client.post(f"/v1/rooms/{room}/invitations", json={"uses": 1}).json()["token"]
    assert join(bob, room, password="sesame") == (200, "")
    assert ann.client.delete(f"/v1/rooms/{room}/members/{bob.identity.account_id}").status_code == 204
    assert join(bob, room, invitation=token) == (403, "banned")
    assert join(ann, room, invitation=token) == (200, "")
    assert join(cid, room, invitation=token) == (200, "")


def test_an_invitation_opens_a_private_room_as_often_as_it_says(chat: ChatService) -> None:
    ann = chat.sign_up()
    people = [chat.sign_up() for _ in range(8)]
    room = ann.create(password="sesame")
    made = ann.client.post(f"/v1/rooms/{room}/invitations", json={"uses": 3}).json()
    assert made["url"] == f"{chat.url}/rooms/{room}#invitation={made['token']}"
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(partial(join, invitation=made["token"]), people, [room] * 8))
    assert sorted(answers) == [(200, "")] * 3 + [(403, "invitation_unknown")] * 5
    assert ann.room(room)["members"] == 4
    assert ann.client.get(f"/v1/rooms/{room}/invitations").json() == {"invitations": []}


def test_a_member_takes_no_use_of_an_invitation(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room = ann.create()
    token = ann.client.post(f"/v1/rooms/{room}/invitations", json={"uses": 2}).json()["token"]
    assert [join(someone, room, invitation=token) for someone in (ann, bob, bob, cid)] == [(200, "")] * 4


def test_invitations_expire_and_are_revoked(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room, other = ann.create(), ann.create()
    path = f"/v1/rooms/{room}/invitations"
    over, revoked, elsewhere = (
        ann.client.post(f"/v1/rooms/{where}/invitations", json={}).json() for where in (room, room, other)
    )
    chat.rows("update invitation set expires_at = now() where id = %s", over["id"])
    assert ann.client.delete(f"{path}/{revoked['id']}").status_code == 204
    assert ann.client.delete(f"{path}/{revoked['id']}").json()["code"] == "invitation_not_found"
    assert ann.client.delete(f"{path}/{elsewhere['id']}").json()["code"] == "invitation_not_found"
    for token in (over["token"], revoked["token"], elsewhere["token"], "", "\0", "no such token"):
        assert join(bob, room, invitation=token) == (403, "invitation_unknown")
    for wrong in ({"uses": 0}, {"uses": 2**40}, {"lifetime_seconds": 0}, {"lifetime_seconds": 2**40}):
        assert ann.client.post(path, json=wrong).status_code == 400


def test_only_owner_and_moderators_invite(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room = ann.create()
    ann.invite(room, bob)
    path = f"/v1/rooms/{room}/invitations"
    assert bob.client.post(path, json={}).status_code == 403
    assert bob.client.get(path).status_code == 403
    assert bob.client.delete(f"{path}/{uuid4()}").status_code == 403
    member = f"/v1/rooms/{room}/members/{bob.id}"
    assert ann.client.patch(member, json={"role": "moderator"}).status_code == 200
    token = bob.client.post(path, json={}).json()["token"]
    # The invitations of a member who may no longer invite are revoked.
    assert ann.client.patch(member, json={"role": "member"}).status_code == 200
    assert join(cid, room, invitation=token) == (403, "invitation_unknown")


def test_a_room_is_full_at_its_bound(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_chat(make_database, valkey_url, room_members=3) as chat:
        ann = chat.sign_up()
        people = [chat.sign_up() for _ in range(5)]
        room = ann.create(is_private=False)
        with ThreadPoolExecutor(5) as threads:
            answers = list(threads.map(join, people, [room] * 5))
        assert sorted(answers) == [(200, "")] * 2 + [(409, "room_full")] * 3


def test_a_removed_member_comes_back_only_when_the_ban_is_lifted(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create(is_private=False)
    join(bob, room)
    assert ann.client.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    assert bob.post(room).json()["code"] == "not_a_member"
    assert join(bob, room) == (403, "banned")
    token = ann.client.post(f"/v1/rooms/{room}/invitations", json={}).json()["token"]
    assert join(bob, room, invitation=token) == (403, "banned")
    bans = ann.client.get(f"/v1/rooms/{room}/bans").json()["accounts"]
    assert [(account["id"], account["name"]) for account in bans] == [(str(bob.id), bob.name)]
    assert ann.client.delete(f"/v1/rooms/{room}/bans/{bob.id}").status_code == 204
    assert ann.client.delete(f"/v1/rooms/{room}/bans/{bob.id}").json()["code"] == "ban_not_found"
    assert join(bob, room) == (200, "")


def test_of_two_bans_from_one_address_each_holds_it(chat: ChatService) -> None:
    ann, bob, cid, dan = (chat.sign_up() for _ in range(4))
    home = new_address()
    room = ann.create(password="sesame", bans_hold_address_seconds=3600)
    for one in (bob, cid):
        assert join(chat.at(one.person, address=home), room, password="sesame") == (200, "")
    for one in (bob, cid):
        assert ann.client.delete(f"/v1/rooms/{room}/members/{one.id}").status_code == 204
    there = chat.at(dan.person, address=home)
    # Whichever is lifted first.
    for one, joined in ((cid, (403, "banned")), (bob, (200, ""))):
        assert ann.client.delete(f"/v1/rooms/{room}/bans/{one.id}").status_code == 204
        assert join(there, room, password="sesame") == joined


async def test_a_banned_member_does_not_come_back_by_a_new_account(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    home, elsewhere = new_address(), new_address()
    room = ann.create(password="sesame", bans_end_invitations=True, bans_hold_address_seconds=3600)
    token, other = (ann.client.post(f"/v1/rooms/{room}/invitations", json={}).json()["token"] for _ in range(2))
    assert join(chat.at(bob.person, address=home), room, invitation=token) == (200, "")
    assert ann.client.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    assert chat.internal("DELETE", f"/internal/accounts/{bob.id}", service="auth").status_code == 200
    # All that is left is a digest, which says nothing of the address or the account.
    ((digest, account),) = chat.rows("select address_digest, account_id from address_hold where room_id = %s", room)
    assert (len(digest), account) == (32, None)
    for shown in ({"invitation": other}, {"password": "sesame"}):
        assert join(chat.at(cid.person, address=home), room, **shown) == (403, "banned")
    away = chat.at(cid.person, address=elsewhere)
    assert join(away, room, invitation=token) == (403, "invitation_unknown")
    assert join(away, room, invitation=other) == (200, "")
    # It ends, or the owner ends it, and then nothing is left.
    chat.rows("update address_hold set expires_at = now() where room_id = %s", room)
    dan = chat.at(chat.sign_up().person, address=home)
    assert join(dan, room, password="sesame") == (200, "")
    chat.rows("update member set joined_at = joined_at - interval '30 days' where account_id = %s", dan.id)
    await chat.sweep()
    remembered = "select account_id from member where room_id = %s and address_digest is not null"
    assert chat.rows(remembered, room) == [(cid.id,)]
    assert chat.rows("select 1 from address_hold where room_id = %s", room) == []
    assert ann.client.delete(f"/v1/rooms/{room}/members/{cid.id}").status_code == 204
    assert join(chat.at(chat.sign_up().person, address=elsewhere), room, password="sesame") == (403, "banned")
    changed = ann.client.patch(f"/v1/rooms/{room}", json={"bans_hold_address_seconds": None})
    assert changed.json()["bans_hold_address_seconds"] is None
    assert join(chat.at(chat.sign_up().person, address=elsewhere), room, password="sesame") == (200, "")
    assert chat.rows(remembered, room) == []


def test_a_lifted_ban_holds_no_address(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create(password="sesame", bans_hold_address_seconds=60)
    assert join(bob, room, password="sesame") == (200, "")
    assert ann.client.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    assert join(bob, room, password="sesame") == (403, "banned")
    assert ann.client.delete(f"/v1/rooms/{room}/bans/{bob.id}").status_code == 204
    assert join(bob, room, password="sesame") == (200, "")


def test_bans_hold_an_account_alone_unless_the_owner_of_a_private_room_says_more(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room, address = ann.create(password="sesame"), new_address()
    token = ann.client.post(f"/v1/rooms/{room}/invitations", json={}).json()["token"]
    assert join(chat.at(bob.person, address=address), room, invitation=token) == (200, "")
    assert chat.rows("select 1 from member where room_id = %s and address_digest is not null", room) == []
    assert ann.client.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    assert join(chat.at(cid.person, address=address), room, invitation=token) == (200, "")
    public = ann.create(is_private=False)
    for wanted in ({"bans_end_invitations": True}, {"bans_hold_address_seconds": 60}):
        assert ann.client.patch(f"/v1/rooms/{public}", json=wanted).status_code == 400
        asked = {"name": f"public {uuid4()}", "is_private": False, **wanted}
        assert ann.client.post("/v1/rooms", json=asked).status_code == 400
    for seconds in (0, 2_592_001):
        wanted = {"bans_hold_address_seconds": seconds}
        assert ann.client.patch(f"/v1/rooms/{room}", json=wanted).status_code == 400


def test_a_room_passes_to_the_oldest_moderator_then_to_the_oldest_member_then_closes(chat: ChatService) -> None:
    ann, bob, cid, dan = (chat.sign_up() for _ in range(4))
    room = ann.create()
    ann.invite(room, bob, cid, dan)
    ann.client.patch(f"/v1/rooms/{room}/members/{cid.id}", json={"role": "moderator"})
    leave = f"/v1/rooms/{room}/leave"
    assert ann.client.post(leave).status_code == 204
    assert ann.client.post(leave).status_code == 404
    assert cid.members(room) == {bob.name: "member", cid.name: "owner", dan.name: "member"}
    assert cid.room(room)["owner"] == str(cid.id)
    assert cid.client.post(leave).status_code == 204
    assert bob.members(room) == {bob.name: "owner", dan.name: "member"}
    assert dan.client.post(leave).status_code == 204
    assert bob.members(room) == {bob.name: "owner"}
    assert bob.client.post(leave).status_code == 204
    assert bob.client.get(f"/v1/rooms/{room}").status_code == 404
    assert chat.rows("select closed_at is not null from room where id = %s", room) == [(True,)]


async def test_a_ban_that_holds_an_address_keeps_no_other_member_from_coming(chat: ChatService) -> None:
    """An import knows no addresses, so no two of those it brings share one."""
    ann, bob, cy = chat.sign_up(), chat.sign_up(), chat.sign_up()
    origin, name = secrets.token_bytes(32), new_room_name()
    async with chat.operating() as context:
        bounds = await context.room_bounds()
        await import_room(context, foreign(origin, name, ann), bounds, source="test", write=True)
        ((room,),) = chat.rows("select id from room where name = %s", name)
        held = ann.client.patch(f"/v1/rooms/{room}", json={"bans_hold_address_seconds": 3600})
        assert held.status_code == 200, held.text
        added = await import_room(context, foreign(origin, name, ann, bob), bounds, source="test", write=True)
        assert added.members == 1
        assert ann.client.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
        added = await import_room(context, foreign(origin, name, ann, bob, cy), bounds, source="test", write=True)
    assert added.members == 1
    assert chat.rows("select account_id from member where room_id = %s and role = 'member'", room) == [(cy.id,)]


def foreign(origin: bytes, name: str, *people: Someone) -> ForeignRoom:
    """A private room that these people have joined, years ago."""
    then = datetime(2024, 1, 1, tzinfo=UTC)
    members = [ForeignMember(one.id.bytes + origin[:16], one.id, one.name, then) for one in people]
    return ForeignRoom(origin, name, True, "", then, members)
