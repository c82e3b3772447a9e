"""Moderating: roles, muting, removing."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


@pytest.fixture
def people(chat: ChatService) -> dict[str, Someone]:
    names = ("owner", "moderator", "colleague", "member", "other")
    return {name: chat.sign_up() for name in names}


@pytest.fixture
def room(people: dict[str, Someone]) -> int:
    owner, *others = people.values()
    room = owner.create()
    owner.invite(room, *others)
    for name in ("moderator", "colleague"):
        assert change(owner, room, people[name], role="moderator").status_code == 200
    return room


def change(someone: Someone, room: int, member: Someone, **changes: Any) -> Any:
    return someone.client.patch(f"/v1/rooms/{room}/members/{member.id}", json=changes)


def test_members_moderate_only_those_of_lower_rank(people: dict[str, Someone], room: int) -> None:
    rank = {"owner": 2, "moderator": 1, "colleague": 1, "member": 0, "other": 0}
    for who, someone in people.items():
        for whom, member in people.items():
            expected = 200 if rank[who] > rank[whom] and rank[who] > 0 else 403
            assert change(someone, room, member, muted_seconds=0).status_code == expected, (who, whom)
            if expected == 403:
                refused = someone.client.delete(f"/v1/rooms/{room}/members/{member.id}")
                assert refused.status_code == 403, (who, whom)


def test_only_the_owner_gives_roles(people: dict[str, Someone], room: int) -> None:
    owner, moderator, member = people["owner"], people["moderator"], people["member"]
    assert change(moderator, room, member, role="moderator").status_code == 403
    assert change(member, room, member, role="owner").status_code == 403
    assert change(owner, room, owner, role="member").status_code == 403
    assert change(owner, room, member, role="king").status_code == 400
    assert change(owner, room, member, role="owner").json()["role"] == "owner"
    roles = member.members(room)
    assert (roles[member.name], roles[owner.name]) == ("owner", "moderator")
    assert member.room(room)["owner"] == str(member.id)
    assert change(owner, room, member, muted_seconds=60).status_code == 403


def test_a_muted_member_reads_but_cannot_write(people: dict[str, Someone], room: int, chat: ChatService) -> None:
    moderator, member = people["moderator"], people["member"]
    before = member.say(room, "before")
    answer = change(moderator, room, member, muted_seconds=600)
    assert answer.json()["muted_until"] == member.room(room)["muted_until"] is not None
    assert member.post(room).json()["code"] == "muted"
    path = f"/v1/rooms/{room}/messages/{before}"
    assert member.client.patch(path, json={"text": "after"}).json()["code"] == "muted"
    assert member.texts(room) == ["before"]
    assert member.client.delete(path).status_code == 204
    assert change(moderator, room, member, muted_seconds=None).json()["muted_until"] is None
    member.say(room, "after")
    assert change(moderator, room, member, muted_seconds=-1).status_code == 400


def test_a_mute_ends_by_itself(people: dict[str, Someone], room: int) -> None:
    moderator, member = people["moderator"], people["member"]
    assert change(moderator, room, member, muted_seconds=1).status_code == 200
    refused = 0
    while (answer := member.post(room)).status_code == 403:
        assert answer.json()["code"] == "muted"
        refused += 1
    assert answer.status_code == 201
    assert refused


def test_a_removed_member_is_out_at_once(people: dict[str, Someone], room: int) -> None:
    owner, member, moderator = people["owner"], people["member"], people["moderator"]
    message = member.say(room, "still here")
    assert moderator.client.delete(f"/v1/rooms/{room}/members/{member.id}").status_code == 204
    assert moderator.client.delete(f"/v1/rooms/{room}/members/{member.id}").json()["code"] == "member_not_found"
    # The room is private, so for them it no longer exists.
    for answer in (
        member.post(room),
        member.client.get(f"/v1/rooms/{room}/messages"),
        member.client.patch(f"/v1/rooms/{room}/messages/{message}", json={"text": "a"}),
        member.client.delete(f"/v1/rooms/{room}/messages/{message}"),
        member.client.get(f"/v1/rooms/{room}/members"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "room_not_found")
    assert owner.texts(room) == ["still here"]
    assert owner.client.delete(f"/v1/rooms/{room}/members/{moderator.id}").status_code == 204


def test_members_are_listed_in_pages(people: dict[str, Someone], room: int) -> None:
    owner = people["owner"]
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = owner.client.get(f"/v1/rooms/{room}/members", params={"limit": "2", **after}).json()
        found += [member["account"]["name"] for member in page["members"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == [someone.name for someone in people.values()]
    assert owner.client.get(f"/v1/rooms/{room}/members", params={"after": "x"}).status_code == 400
