"""Mirage's section on rooms, row by row."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import Visitor
from tests.contract.mirage import wire
from tests.contract.mirage.wire import AGAIN, ROOM_PASSWORD, User, refused, succeeded


def rooms(user: User, path: str = "user_rooms") -> dict[int, dict[str, object]]:
    return {row["room_id"]: row for row in succeeded(user.get(path))["rooms"]}


def test_a_user_who_creates_a_room_is_its_member(user: User) -> None:
    name = wire.new_name()
    answer = user.post("create_room", room_name=f" {name} ", is_private=1, password=ROOM_PASSWORD)
    body = succeeded(answer, 201, message=f'room "{name}" created')
    assert isinstance(body["room_id"], int)
    assert set(body) == {"message", "room_id"}
    assert rooms(user)[body["room_id"]] == {"room_id": body["room_id"], "name": name, "is_private": 1}
    assert succeeded(user.get(f"room_members/{body['room_id']}")) == {"members": [user.name]}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"room_name": ""},
        {"room_name": "  "},
        {"room_name": None},
        {"room_name": 7},
        {"room_name": "a private room", "is_private": 1},
        {"room_name": "a private room", "is_private": 1, "password": ""},
        {"room_name": "a private room", "is_private": "1", "password": None},
        {"room_name": "a strange room", "is_private": 2, "password": "x"},
        {"room_name": "a strange room", "is_private": [1], "password": "x"},
    ],
)
def test_a_room_with_invalid_fields_is_refused(user: User, fields: dict[str, object]) -> None:
    refused(user.post("create_room", **fields), 400, "invalid fields received")


def test_creating_a_room_requires_a_token(mirage: httpx.Client) -> None:
    body = {"room_name": "a name", "is_private": 1, "password": "x"}
    refused(mirage.post("/api/create_room", json=body), 400, "invalid fields received")


def test_a_name_exists_once(user: User, other: User) -> None:
    _, name = user.create()
    for taken in (name, name.upper()):
        answer = other.post("create_room", room_name=taken, is_private=1, password="x")
        refused(answer, 400, "room already exists")


def test_exactly_one_of_many_concurrent_attempts_creates_a_room(user: User) -> None:
    asked = {"room_name": wire.new_name(), "is_private": 1, "password": ROOM_PASSWORD}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: user.post("create_room", **asked).status_code, range(4)))
    assert sorted(answers) == [201, 400, 400, 400]


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "x" * 101, "x" * 20_000])
def test_a_name_that_no_room_can_have_is_refused(user: User, name: str) -> None:
    refused(user.post("create_room", room_name=name, is_private=1, password="x"), 400)


def test_there_are_five_public_rooms_at_most(narrow_stack: StartedStack, visitor: Visitor) -> None:
    user = User(visitor())
    made: dict[int, User] = {}
    while len(made) < 6:
        # One account may have only some of them.
        owner = User(visitor())
        answer = owner.post("create_room", room_name=wire.new_name(), is_private=0)
        if answer.status_code != 201:
            break
        made[answer.json()["room_id"]] = owner
    refused(
        answer,
        400,
        "maximum number of public rooms reached (5). Please create a private room to continue the conversation with"
        " the people you would like to",
    )
    found = rooms(user, "rooms")
    assert len(found) == 5
    assert set(made) <= set(found)
    room_id, _ = user.create()
    assert room_id not in rooms(user, "rooms")
    for room_id, owner in made.items():
        headers = wire.native(owner.client, owner)
        assert owner.client.delete(f"/v1/rooms/{room_id}", headers=headers).status_code == 204
    assert not set(made) & set(rooms(user, "rooms"))


@pytest.fixture
def public(client: httpx.Client, user: User):
    """A public room, which is closed afterwards because the number of public rooms is limited."""
    name = wire.new_name()
    room_id = succeeded(user.post("create_room", room_name=name), 201)["room_id"]
    yield room_id, name
    assert client.delete(f"/v1/rooms/{room_id}", headers=wire.native(client, user)).status_code == 204


def test_a_public_room_is_listed_for_everybody(user: User, other: User, public: tuple[int, str]) -> None:
    room_id, name = public
    assert rooms(user, "rooms")[room_id] == {"room_id": room_id, "name": name, "joined": True}
    assert rooms(other, "rooms")[room_id] == {"room_id": room_id, "name": name, "joined": False}
    assert room_id not in rooms(other)
    body = succeeded(other.post("join_room", name=name))
    assert body == {"message": f'{other.name} joined room "{name}"', "room_id": room_id, "room_name": name}
    assert rooms(other, "rooms")[room_id]["joined"] is True
    assert rooms(other)[room_id] == {"room_id": room_id, "name": name, "is_private": 0}


def test_a_private_room_is_joined_with_its_password_and_not_listed(user: User, other: User) -> None:
    room_id, name = user.create()
    assert room_id not in rooms(other, "rooms")
    refused(other.post("join_room", name=name), 403, "password required")
    refused(other.join(name, ""), 403, "password required")
    refused(other.join(name, "wrong"), 403, "wrong password")
    assert room_id not in rooms(other)
    body = succeeded(other.join(name.upper()))
    assert body == {"message": f'{other.name} joined room "{name}"', "room_id": room_id, "room_name": name}
    assert room_id not in rooms(other, "rooms")
    assert rooms(other)[room_id]["is_private"] == 1


def test_joining_again_succeeds_and_lists_a_member_once(user: User, other: User) -> None:
    room_id, name = user.create()
    first, second = succeeded(other.join(name)), succeeded(other.join(name))
    assert first == second
    assert succeeded(user.get(f"room_members/{room_id}"))["members"] == [user.name, other.name]


def test_a_failed_attempt_to_join_reports_the_reason(user: User) -> None:
    for fields in ({}, {"name": ""}, {"name": " "}, {"name": 7}, {"room_name": "x"}):
        refused(user.post("join_room", **fields), 400, "missing room name or token")
    refused(user.client.post("/api/join_room", json={"name": "x"}), 400, "missing room name or token")
    for name in (wire.new_name(), "a\0b", "x" * 20_000):
        refused(user.join(name), 404, "room not found")


def test_room_lists_require_a_token(mirage: httpx.Client) -> None:
    refused(mirage.get("/api/rooms"), 400, "missing token")
    refused(mirage.get("/api/user_rooms"), 401, AGAIN)
    refused(mirage.get("/api/room_members/1"), 401, AGAIN)


def test_anyone_may_list_the_members_of_a_public_room_but_not_of_a_private_one(user: User, other: User) -> None:
    room_id, name = user.create()
    refused(other.get(f"room_members/{room_id}"), 404, "no members in this room")
    succeeded(other.join(name))
    assert succeeded(other.get(f"room_members/{room_id}")) == {"members": [user.name, other.name]}
    for room in (2**62, 2**70, 0, "x", "-1", "1.5", f"{room_id}/", "%00"):
        refused(other.get(f"room_members/{room}"), 404, "no members in this room")
