"""Limits of rooms that administrators set while the system runs: what is there stays, and what is new obeys."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, running_chat

OBEYED_SECONDS = 5


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def soon(asked: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The answer, once it has this status."""
    until = time.monotonic() + OBEYED_SECONDS
    while (answer := asked()).status_code != status:
        assert time.monotonic() < until, answer.text
        time.sleep(0.1)
    return answer


def test_rooms_obey_the_policy_within_seconds_and_keep_what_they_have(chat: ChatService) -> None:
    owner, member, other = (chat.sign_up() for _ in range(3))
    room = owner.create(lifetime_seconds=3600, capacity=200)
    owner.invite(room, member)
    chat.share.policy |= {"room_lifetime_max_seconds": 60, "room_capacity_max": 10, "room_members": 2}
    path = f"/v1/rooms/{room}"
    spare = f"/v1/rooms/{owner.create()}"
    answer = soon(lambda: owner.client.patch(spare, json={"lifetime_seconds": 61}), 400)
    assert answer.json()["detail"] == "lifetime_seconds is 1 to 60"
    assert owner.client.patch(path, json={"capacity": 11}).json()["detail"] == "capacity is 1 to 10"
    assert (owner.room(room)["lifetime_seconds"], owner.room(room)["capacity"]) == (3600, 200)
    token = owner.client.post(f"{path}/invitations", json={"uses": 1}).json()["token"]
    assert other.client.post(f"{path}/join", json={"invitation": token}).json()["code"] == "room_full"
    assert member.say(room), "those who are in it stay in it"
    made = owner.room(owner.create())
    assert (made["lifetime_seconds"], made["capacity"]) == (60, 10), "a room that chooses nothing obeys as well"
    chat.share.policy |= {"rooms_per_account": 3}
    soon(lambda: owner.client.post("/v1/rooms", json={"name": f"fourth {room}", "is_private": True}), 409)


def test_without_the_share_service_rooms_go_on(chat: ChatService) -> None:
    chat.share.is_down = True
    try:
        someone = chat.at(chat.auth.sign_up(), chat.another())
        assert someone.create(lifetime_seconds=120)
    finally:
        chat.share.is_down = False
