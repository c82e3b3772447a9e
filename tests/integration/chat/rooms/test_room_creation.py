"""Creating, listing, changing and closing rooms."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from chat_service.rooms import names
from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, new_room_name, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def create(someone: Someone, **wanted: Any) -> tuple[int, str]:
    answer = someone.client.post("/v1/rooms", json={"name": new_room_name(), "is_private": True, **wanted})
    return answer.status_code, answer.json().get("code", "")


def test_a_new_room_is_described_completely(chat: ChatService) -> None:
    ann = chat.sign_up()
    wanted = {"name": new_room_name(), "is_private": True, "password": "sesame", "lifetime_seconds": 60, "capacity": 7}
    made = ann.client.post("/v1/rooms", json={**wanted, "revoke_files": True, "file_lifetime_seconds": 9}).json()
    assert made == {
        "id": made["id"],
        "name": wanted["name"],
        "mixed_scripts": [],
        "is_private": True,
        "has_password": True,
        "owner": str(ann.id),
        "role": "owner",
        "muted_until": None,
        "members": 1,
        "lifetime_seconds": 60,
        "capacity": 7,
        "revoke_files": True,
        "file_lifetime_seconds": 9,
        "bans_end_invitations": False,
        "bans_hold_address_seconds": None,
        "created_at": made["created_at"],
    }
    assert ann.room(made["id"]) == made
    usual = ann.room(ann.create())
    assert (usual["lifetime_seconds"], usual["capacity"], usual["has_password"]) == (1800, 100, False)


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        ({"name": ""}, (400, "room_name_unusable")),
        ({"name": " \u2003 "}, (400, "room_name_unusable")),
        ({"name": "x" * 101}, (400, "room_name_unusable")),
        ({"name": "a\0b"}, (400, "room_name_unusable")),
        ({"name": "a\nb"}, (400, "room_name_unusable")),
        ({"name": "a\u202eb"}, (400, "room_name_unusable")),
        ({"name": "\u200d"}, (400, "room_name_unusable")),
        ({"is_private": False, "password": "sesame"}, (400, "invalid_input")),
        ({"password": ""}, (400, "invalid_input")),
        ({"password": "x" * 1025}, (400, "invalid_input")),
        ({"lifetime_seconds": 0}, (400, "invalid_input")),
        ({"lifetime_seconds": 604_801}, (400, "invalid_input")),
        ({"capacity": 0}, (400, "invalid_input")),
        ({"capacity": 1001}, (400, "invalid_input")),
        ({"capacity": 2**40}, (400, "invalid_input")),
        ({"file_lifetime_seconds": -1}, (400, "invalid_input")),
        ({"owner": "me"}, (400, "invalid_input")),
    ],
    ids=str,
)
def test_impossible_rooms_are_refused(chat: ChatService, wanted: dict[str, Any], answer: tuple[int, str]) -> None:
    ann = chat.sign_up()
    assert create(ann, **wanted) == answer
    assert ann.client.get("/v1/rooms/mine").json()["rooms"] == []


def test_a_name_is_taken_in_every_spelling_until_its_room_is_closed(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    name = new_room_name()
    room = ann.create(name=f"  {name} Stra\u00dfe caf\u00e9 ")
    assert ann.room(room)["name"] == f"{name} Stra\u00dfe caf\u00e9"
    for spelling in (f"{name} STRASSE CAFE\u0301", f"{name} strasse caf\u00e9", f"{name} Stra\u00dfe caf\u00e9"):
        assert create(bob, name=spelling) == (409, "room_name_taken")
        assert create(bob, name=spelling, is_private=False) == (409, "room_name_taken")
        assert create(bob, name=spelling, password="sesame") == (409, "room_name_taken")
    assert create(bob, name=f"{name} \U0001f986") == (201, "")
    assert ann.client.delete(f"/v1/rooms/{room}").status_code == 204
    assert create(bob, name=f"{name} strasse caf\u00e9") == (201, "")


@pytest.mark.parametrize("is_private", [True, False])
def test_of_many_rooms_with_one_name_only_one_is_created(chat: ChatService, is_private: bool) -> None:
    people = [chat.sign_up() for _ in range(8)]
    name = new_room_name()
    spellings = [name.upper() if number % 2 else name for number in range(8)]

    def create_named(someone: Someone, spelling: str) -> tuple[int, str]:
        return create(someone, name=spelling, is_private=is_private)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(create_named, people, spellings))
    assert sorted(answers) == [(201, "")] + [(409, "room_name_taken")] * 7


def test_rooms_are_renamed_unless_the_name_is_taken(chat: ChatService) -> None:
    ann = chat.sign_up()
    taken = new_room_name()
    ann.create(name=taken)
    room = ann.create()
    path = f"/v1/rooms/{room}"
    assert ann.client.patch(path, json={"name": taken.upper()}).json()["code"] == "room_name_taken"
    assert ann.client.patch(path, json={"name": "a\0"}).json()["code"] == "room_name_unusable"
    name = new_room_name()
    assert ann.client.patch(path, json={"name": name}).json()["name"] == name
    assert ann.client.patch(path, json={"name": name.upper()}).json()["name"] == name.upper()
    assert ann.client.patch(path, json={"lifetime_seconds": 604_801}).json()["code"] == "invalid_input"
    assert ann.client.patch(path, json={"is_private": False}).json()["code"] == "invalid_input"
    assert ann.client.patch(path, json={"capacity": None}).json()["code"] == "invalid_input"


def test_a_password_is_changed_and_taken_away(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create(password="old")
    path = f"/v1/rooms/{room}"
    assert ann.client.patch(path, json={"password": "new"}).json()["has_password"]
    assert bob.client.post(f"{path}/join", json={"password": "old"}).json()["code"] == "room_password_wrong"
    assert ann.client.patch(path, json={"password": None}).json()["has_password"] is False
    assert bob.client.post(f"{path}/join", json={"password": "new"}).json()["code"] == "room_password_wrong"
    public = ann.create(is_private=False)
    assert ann.client.patch(f"/v1/rooms/{public}", json={"password": "new"}).json()["code"] == "invalid_input"


def test_the_number_of_public_rooms_is_limited(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_chat(make_database, valkey_url, public_rooms=5) as chat:
        people = [chat.sign_up() for _ in range(8)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(partial(create, is_private=False), people))
        assert sorted(answers) == [(201, "")] * 5 + [(409, "public_rooms_full")] * 3
        assert create(people[0]) == (201, "")
        assert len(people[0].client.get("/v1/rooms").json()["rooms"]) == 5
        owner, answer = next(pair for pair in zip(people, answers, strict=True) if pair[1][0] == 201)
        assert answer == (201, "")
        room = owner.client.get("/v1/rooms/mine").json()["rooms"][0]["id"]
        assert owner.client.delete(f"/v1/rooms/{room}").status_code == 204
        assert create(people[0], is_private=False) == (201, "")


def test_a_closed_room_is_gone_for_everybody(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create(is_private=False)
    ann.say(room)
    assert bob.client.post(f"/v1/rooms/{room}/join", json={}).status_code == 200
    for number, someone in enumerate((bob, chat.sign_up())):
        answer = someone.client.delete(f"/v1/rooms/{room}")
        assert (answer.status_code, answer.json()["code"]) == (403, ["forbidden", "not_a_member"][number])
    assert ann.client.delete(f"/v1/rooms/{room}").status_code == 204
    for someone in (ann, bob):
        for method, path in (("GET", ""), ("GET", "/messages"), ("POST", "/leave"), ("DELETE", "")):
            assert someone.client.request(method, f"/v1/rooms/{room}{path}").status_code == 404
        assert someone.post(room).status_code == 404
        assert someone.client.post(f"/v1/rooms/{room}/join", json={}).status_code == 404
        assert all(found["id"] != room for found in someone.client.get("/v1/rooms/mine").json()["rooms"])


def test_an_administrator_closes_a_room_but_does_not_read_it(chat: ChatService) -> None:
    ann, admin = chat.sign_up(), chat.at(chat.auth.administrator())
    room = ann.create()
    ann.say(room, "a secret")
    assert admin.client.get(f"/v1/rooms/{room}").status_code == 200
    assert admin.client.get(f"/v1/rooms/{room}/messages").json()["code"] == "not_a_member"
    assert admin.client.patch(f"/v1/rooms/{room}", json={"capacity": 1}).status_code == 403
    assert admin.client.delete(f"/v1/rooms/{room}").status_code == 204
    assert ann.client.get(f"/v1/rooms/{room}").status_code == 404


MANY = 10_000


def fill(chat: ChatService, owner: Someone, is_private: bool) -> None:
    chat.rows(
        """
        with made as (
            insert into room (name, name_key, is_private, owner, lifetime_seconds, capacity, revoke_files, created_at)
            select name, name, %s, %s, 1800, 100, false, now()
            from (select gen_random_uuid()::text as name from generate_series(1, %s)) named
            returning id, owner
        )
        insert into member (room_id, account_id, role, joined_at) select id, owner, 'owner', now() from made
        """,
        is_private,
        owner.id,
        MANY,
    )


def pages(someone: Someone, path: str) -> Iterator[list[dict[str, Any]]]:
    after: dict[str, str] = {}
    while True:
        answer = someone.client.get(path, params={"limit": "200", **after}).json()
        yield answer["rooms"]
        if answer["next"] is None:
            return
        after = {"after": answer["next"]}


@pytest.mark.parametrize(("path", "is_private"), [("/v1/rooms/mine", True), ("/v1/rooms", False)])
def test_ten_thousand_rooms_are_listed_in_quick_pages(
    make_database: MakeDatabase, valkey_url: str, path: str, is_private: bool
) -> None:
    with running_chat(make_database, valkey_url) as chat:
        ann, bob = chat.sign_up(), chat.sign_up()
        fill(chat, ann, is_private)
        of_bob = bob.create(is_private=False)
        started = time.monotonic()
        found = [room for page in pages(ann, path) for room in page]
        took = time.monotonic() - started
        assert len({room["id"] for room in found}) == len(found) == MANY + (not is_private)
        assert [room["id"] for room in found] == sorted(room["id"] for room in found)
        assert sum(room["joined"] for room in found) == MANY
        assert took / (MANY / 200) < 0.2
        room = found[MANY // 2]["id"]
        ann.say(room, "still quick")
        assert ann.texts(room) == ["still quick"]
        assert [room["id"] for room in bob.client.get("/v1/rooms/mine").json()["rooms"]] == [of_bob]
        assert bob.client.get(path, params={"after": "x"}).status_code == 400
        assert bob.client.get(path, params={"limit": 201}).status_code == 422


async def test_a_room_that_looks_like_another_cannot_be_opened(chat: ChatService) -> None:
    ann = chat.sign_up()
    name = f"{new_room_name()} ace"
    room, old = ann.create(name=name), ann.create()
    alike = f"{name[:-3]}\u0430ce"
    for changed in (alike, f"{name[:-3]} ace"):
        answer = ann.client.post("/v1/rooms", json={"name": changed})
        assert (answer.status_code, answer.json()["code"]) == (409, "room_name_taken")
        answer = ann.client.patch(f"/v1/rooms/{old}", json={"name": changed})
        assert (answer.status_code, answer.json()["code"]) == (409, "room_name_taken")
    # One that was opened when nothing was compared but the keys keeps its name, and can be changed.
    chat.rows("update room set name_skeleton = null where id in (%s, %s)", room, old)
    renamed = "update room set name = %s, name_key = %s, version = version + 1 where id = %s"
    chat.rows(renamed, alike, names.key(alike), old)
    await chat.sweep()
    assert ann.client.patch(f"/v1/rooms/{old}", json={"capacity": 7}).status_code == 200
    assert [found["name"] for found in ann.client.get("/v1/rooms/mine").json()["rooms"]] == [name, alike]
    assert ann.client.patch(f"/v1/rooms/{room}", json={"capacity": 7}).status_code == 200
    assert ann.client.delete(f"/v1/rooms/{room}").status_code == 204


def test_a_room_that_is_refused_uses_no_id(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_chat(make_database, valkey_url, public_rooms=1, rooms_per_account=2) as chat:
        ann, bob = chat.sign_up(), chat.sign_up()
        first = ann.create(is_private=False)
        name = ann.room(first)["name"]
        refused = [
            bob.client.post("/v1/rooms", json={"name": new_room_name()}),
            bob.client.post("/v1/rooms", json={"name": name, "is_private": True}),
            bob.client.post("/v1/rooms", json={"name": f"{name[:4]} {name[4:]}", "is_private": True}),
        ]
        assert [answer.json()["code"] for answer in refused] == ["public_rooms_full"] + ["room_name_taken"] * 2
        second = ann.create()
        assert ann.client.post("/v1/rooms", json={"name": "third", "is_private": True}).status_code == 409
        assert (second, bob.create()) == (first + 1, first + 2)
