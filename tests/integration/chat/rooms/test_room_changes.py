"""After an answer, no process of the service acts by an older state, whatever was committed or lost in between."""

import asyncio
import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from redis import Redis

from chat_service.context import Context
from chat_service.rooms.changes import changing
from chat_service.rooms.creating import edit_room
from chat_service.rooms.joining import join_room, leave_room
from chat_service.rooms.model import RoomChanges
from chat_service.streams import ChatUnavailable, EventType
from common.identity import Identity
from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        service.another()
        yield service


def everywhere(chat: ChatService, someone: Someone) -> list[Someone]:
    """The same person at both processes."""
    return [chat.at(someone.person, process) for process in (0, 1)]


def test_an_answer_of_one_process_holds_at_the_other(chat: ChatService) -> None:
    ann, bob = everywhere(chat, chat.sign_up()), everywhere(chat, chat.sign_up())
    room = ann[0].create()
    for round_ in range(20):
        here, there = random.Random(round_).sample([0, 1], 2)
        assert bob[there].post(room).status_code == 404
        ann[here].invite(room, bob[here])
        text = secrets.token_hex(4)
        message = bob[there].say(room, text)
        for process in (0, 1):
            assert ann[process].texts(room)[-1] == bob[process].texts(room)[-1] == text
        edited = bob[here].client.patch(f"/v1/rooms/{room}/messages/{message}", json={"text": "edited"})
        assert edited.status_code == 200
        assert ann[there].texts(room)[-1] == bob[here].texts(room)[-1] == "edited"
        member = f"/v1/rooms/{room}/members/{bob[0].id}"
        assert ann[there].client.patch(member, json={"muted_seconds": 600}).status_code == 200
        assert bob[here].post(room).json()["code"] == bob[there].post(room).json()["code"] == "muted"
        assert ann[here].client.delete(f"/v1/rooms/{room}/messages/{message}").status_code == 204
        assert message not in [found["id"] for found in bob[there].read(room)]
        assert ann[here].client.delete(member).status_code == 204
        for process in (there, here):
            assert bob[process].post(room).status_code == 404
            assert bob[process].client.get(f"/v1/rooms/{room}/messages").status_code == 404
        assert ann[there].client.delete(f"/v1/rooms/{room}/bans/{bob[0].id}").status_code == 204
    assert ann[1].client.delete(f"/v1/rooms/{room}").status_code == 204
    assert ann[0].post(room).status_code == 404
    assert ann[0].client.get(f"/v1/rooms/{room}/messages").status_code == 404


def write_on(someone: Someone, room: int) -> int:
    """Post without a pause until that is refused. Returns the number of messages."""
    written = 0
    while someone.post(room).status_code == 201:
        written += 1
    return written


def test_a_removed_member_cannot_post_however_fast(chat: ChatService) -> None:
    """A member posts at both processes without a pause while being removed: no post succeeds after the answer."""
    ann, bob = everywhere(chat, chat.sign_up()), everywhere(chat, chat.sign_up())
    room = ann[0].create(capacity=1000)
    for process in (0, 1):
        ann[process].invite(room, bob[process])
        with ThreadPoolExecutor(2) as threads:
            writers = [threads.submit(write_on, one, room) for one in bob]
            while len(ann[process].read(room)) < 20:
                pass
            assert ann[process].client.delete(f"/v1/rooms/{room}/members/{bob[0].id}").status_code == 204
            last = ann[1 - process].read(room)[-1]["id"]
            assert sum(writer.result() for writer in writers) >= 20
        assert ann[process].read(room)[-1]["id"] == last
        for message in ann[0].read(room):
            assert ann[0].client.delete(f"/v1/rooms/{room}/messages/{message['id']}").status_code == 204
        assert ann[0].client.delete(f"/v1/rooms/{room}/bans/{bob[0].id}").status_code == 204


def test_many_changes_at_once_end_in_the_same_state_everywhere(chat: ChatService) -> None:
    ann = everywhere(chat, chat.sign_up())
    people = [everywhere(chat, chat.sign_up()) for _ in range(6)]
    room = ann[0].create(is_private=False)

    def come_and_go(number: int) -> None:
        choose = random.Random(number)
        for _ in range(12):
            someone = people[number][choose.randrange(2)]
            assert someone.client.post(f"/v1/rooms/{room}/join", json={}).status_code == 200
            assert someone.post(room).status_code == 201
            other = people[number][choose.randrange(2)]
            assert other.client.post(f"/v1/rooms/{room}/leave").status_code == 204
            assert someone.post(room).json()["code"] == "not_a_member"

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(come_and_go, range(6)))
    assert ann[0].members(room) == ann[1].members(room) == {ann[0].name: "owner"}
    version = chat.rows("select version from room where id = %s", room)[0][0]
    assert version == 1 + 6 * 12 * 2


def lose_everything(chat: ChatService, room: int) -> None:
    redis = Redis.from_url(chat.valkey_url)
    redis.delete(*redis.keys(f"room:{room}*"))  # pyright: ignore[reportGeneralTypeIssues]
    redis.close()


def go_ahead(chat: ChatService, room: int) -> None:
    """Leave in Valkey what a change leaves there that was recorded and then not committed."""
    redis = Redis.from_url(chat.valkey_url)
    redis.hset(f"room:{room}", "s", 1000)
    redis.close()


@pytest.mark.parametrize("happens", [lose_everything, go_ahead])
def test_versions_that_valkey_lost_or_that_were_never_committed_are_corrected(
    chat: ChatService, happens: Callable[[ChatService, int], None]
) -> None:
    ann, bob = everywhere(chat, chat.sign_up()), everywhere(chat, chat.sign_up())
    room = ann[0].create()
    ann[0].invite(room, bob[0])
    for process in (0, 1):
        bob[process].say(room, "before")
    for first in (0, 1):
        happens(chat, room)
        bob[first].say(room, "after")
        assert bob[1 - first].texts(room)[-1] == "after"
        happens(chat, room)
        assert len(ann[first].read(room)) == len(ann[1 - first].read(room))
        happens(chat, room)
        assert ann[first].client.delete(f"/v1/rooms/{room}/members/{bob[0].id}").status_code == 204
        assert bob[1 - first].post(room).status_code == 404
        assert bob[first].post(room).status_code == 404
        assert ann[first].client.delete(f"/v1/rooms/{room}/bans/{bob[0].id}").status_code == 204
        ann[1 - first].invite(room, bob[first])


async def test_a_change_that_was_recorded_and_not_committed_has_no_effect(chat: ChatService) -> None:
    ann, bob = everywhere(chat, chat.sign_up()), everywhere(chat, chat.sign_up())
    room = ann[0].create()
    ann[0].invite(room, bob[0])
    async with chat.operating() as context:
        with pytest.raises(psycopg.errors.RaiseException):
            async with changing(context, room) as change:
                await change.connection.execute(
                    "create function fail() returns trigger language plpgsql as $$ begin raise 'no'; end $$"
                )
                await change.connection.execute(
                    "create constraint trigger fail after update on room deferrable initially deferred"
                    " for each row execute function fail()"
                )
                await change.remove(bob[0].id, EventType.REMOVED, change.room.created_at)
        assert (await context.streams.version(room))[0] == 3
        for process in (0, 1):
            assert (await asyncio.to_thread(bob[process].post, room)).status_code == 201
        assert (await context.streams.version(room))[0] == 2
    assert chat.rows("select version from room where id = %s", room) == [(2,)]
    assert set(ann[0].members(room)) == {ann[0].name, bob[0].name}


async def test_members_are_compared_only_after_somebody_has_left(chat: ChatService) -> None:
    ann, bob, carl = chat.sign_up(), chat.sign_up(), chat.sign_up()
    room = ann.create(is_private=False)
    async with chat.operating() as context:
        states = [await context.states.fresh(room)]
        for join_or_leave, someone in ((join, bob), (join, carl), (leave_room, bob), (join, bob)):
            await join_or_leave(context, someone.identity, room)
            states.append(await context.states.fresh(room))
    alone, with_bob, full, without_bob, again = states
    assert [state.kept_since for state in states] == [None, 1, 1, None, 4]
    for before, after in ((alone, with_bob), (alone, full), (with_bob, full), (alone, without_bob), (with_bob, again)):
        assert after.keeps(before)
    assert not without_bob.keeps(with_bob)
    assert not without_bob.keeps(full)


async def join(context: Context, identity: Identity, room: int) -> None:
    await join_room(context, identity, room, address="192.0.2.1")


async def test_readers_wait_for_a_change_in_progress(chat: ChatService) -> None:
    """Between recording the version in Valkey and the commit, nobody acts by the older state."""
    ann, bob = chat.sign_up(), chat.sign_up()
    room = ann.create()
    ann.invite(room, bob)
    bob.say(room)
    async with chat.operating() as context:
        recorded, go_on = asyncio.Event(), asyncio.Event()
        real = context.streams.set_version

        async def set_version(room_id: int, version: int) -> None:
            await real(room_id, version)
            recorded.set()
            await go_on.wait()

        context.streams.set_version = set_version  # pyright: ignore[reportAttributeAccessIssue]
        async with asyncio.TaskGroup() as tasks:
            change = tasks.create_task(
                edit_room(context, ann.identity, room, RoomChanges({"capacity": 5, "name": "x" + str(room)}))
            )
            await recorded.wait()
            post = tasks.create_task(asyncio.to_thread(bob.post, room))
            read = tasks.create_task(asyncio.to_thread(bob.read, room))
            done, _ = await asyncio.wait({post, read}, timeout=0.3)
            assert not done
            go_on.set()
        assert change.result().room.capacity == 5
        assert post.result().status_code == 201


async def test_a_change_that_valkey_cannot_record_is_not_made(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = chat.sign_up()
    room = ann.create(capacity=9)
    async with chat.operating() as context:

        async def fail(*_: Any) -> None:
            raise ChatUnavailable

        monkeypatch.setattr(context.streams, "set_version", fail)
        with pytest.raises(ChatUnavailable):
            await edit_room(context, ann.identity, room, RoomChanges({"capacity": 5}))
    assert ann.room(room)["capacity"] == 9


def test_a_file_ends_by_terms_that_another_process_has_changed(chat: ChatService) -> None:
    here, there = everywhere(chat, chat.sign_up())
    room, share = here.create(lifetime_seconds=100), uuid4()
    there.say(room, "the second process remembers the room")
    here.client.patch(f"/v1/rooms/{room}", json={"file_lifetime_seconds": 50})
    chat.share.add(there.person, share)
    assert there.post(room, "", share_id=str(share)).status_code == 201
    remaining = "select extract(epoch from revoke_at - now()) from room_file where share_id = %s"
    assert 140 < chat.rows(remaining, share)[0][0] <= 150
