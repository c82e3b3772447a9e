"""A send can be repeated when its answer was lost: with the same key it is the same message, also after a crash."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.live.clients import opened, process_of_its_own
from tests.integration.chat.running import ChatService, Someone, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        service.another(inbox_unanswered=2, account_messages_per_minute=100)
        yield service


def again(someone: Someone, path: str, key: str, **body: Any) -> httpx.Response:
    return someone.client.post(path, json=body, headers={"Idempotency-Key": key})


def outcome(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code", answer.json().get("id"))


def test_a_message_that_is_sent_again_is_the_same_message(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    room, other = ann.create(), ann.create()
    ann.invite(room, bob)
    path = f"/v1/rooms/{room}/messages"
    first = again(ann, path, "a key", text="hello")
    assert first.status_code == 201
    assert again(ann, path, "a key", text="hello").json() == first.json() == ann.read(room)[0]
    # As it is now, if it was edited; and as it was, if it is gone.
    assert ann.client.patch(f"{path}/{first.json()['id']}", json={"text": "edited"}).status_code == 200
    assert again(ann, path, "a key", text="hello").json()["text"] == "edited"
    assert ann.client.delete(f"{path}/{first.json()['id']}").status_code == 204
    assert again(ann, path, "a key", text="hello").json() == first.json()
    reused = (409, "idempotency_key_reused")
    assert outcome(again(ann, path, "a key", text="something else")) == reused
    assert outcome(again(ann, f"/v1/rooms/{other}/messages", "a key", text="hello")) == reused
    assert outcome(again(bob, path, "a key", text="hello"))[0] == 201
    assert [outcome(again(ann, path, key, text="hello")) for key in ("", "x" * 256)] == [(400, "invalid_input")] * 2
    assert ann.texts(room) == ["hello"]


def test_of_many_sends_at_once_one_is_stored_and_none_counts_twice(chat: ChatService) -> None:
    ann = chat.at(chat.sign_up().person, 1)
    room = ann.create()
    with ThreadPoolExecutor(8) as threads:
        # Ten at once are allowed.
        sent = list(threads.map(lambda _: again(ann, f"/v1/rooms/{room}/messages", "k", text="a"), range(30)))
    assert {answer.status_code for answer in sent} == {201}
    assert len({answer.json()["id"] for answer in sent}) == len(ann.read(room)) == 1


def test_a_file_that_is_sent_again_is_the_same_message_even_when_its_share_has_ended(chat: ChatService) -> None:
    ann, share = chat.sign_up(), uuid4()
    room = ann.create(revoke_files=True)
    chat.share.add(ann.person, share)
    path = f"/v1/rooms/{room}/messages"
    first = again(ann, path, "file", share_id=str(share))
    assert first.status_code == 201
    chat.share.links.clear()
    assert again(ann, path, "file", share_id=str(share)).json() == first.json()
    assert outcome(again(ann, path, "file", share_id=str(uuid4()))) == (409, "idempotency_key_reused")
    files = "select share_id, message_id from room_file where room_id = %s"
    assert chat.rows(files, room) == [(share, first.json()["id"])]


def test_a_direct_message_that_is_sent_again_is_the_same_message(chat: ChatService) -> None:
    ann, bob, cid = chat.sign_up(), chat.sign_up(), chat.sign_up()
    wanted = {"recipient": bob.name, "message": "hello"}
    with ThreadPoolExecutor(6) as threads:
        sent = list(threads.map(lambda _: again(ann, "/v1/messages", "k", **wanted), range(6)))
    assert [answer.status_code for answer in sent] == [201] * 6
    first = sent[0].json()
    assert [answer.json() for answer in sent] == [first] * 6
    assert bob.client.get("/v1/messages").json()["messages"] == [first]
    for changes in ({"message": "something else"}, {"recipient": cid.name}):
        answer = again(ann, "/v1/messages", "k", **{**wanted, **changes})
        assert outcome(answer) == (409, "idempotency_key_reused")
    # What was deleted stays so.
    assert bob.client.delete(f"/v1/messages/{first['id']}").status_code == 204
    assert again(ann, "/v1/messages", "k", **wanted).json() == first
    assert bob.client.get("/v1/messages").json()["messages"] == []
    assert outcome(again(ann, "/v1/messages", "other", **wanted))[0] == 201


def test_sending_again_takes_nothing_of_what_may_be_sent_to_strangers(chat: ChatService) -> None:
    ann, bob = chat.at(chat.sign_up().person, 1), chat.sign_up()
    for key in ("one", "one", "one", "two", "one", "two"):
        assert again(ann, "/v1/messages", key, recipient=bob.name, message="hello").status_code == 201
    assert again(ann, "/v1/messages", "three", recipient=bob.name, message="hello").status_code == 429


async def test_a_key_is_forgotten_after_ten_minutes(chat: ChatService) -> None:
    ann, bob = chat.sign_up(), chat.sign_up()
    sent = [again(ann, "/v1/messages", "k", recipient=bob.name, message="hello").json()["id"]]
    for _ in range(2):
        chat.rows("update inbox_send set sent_at = sent_at - interval '10 minutes'")
        sent.append(again(ann, "/v1/messages", "k", recipient=bob.name, message="hello").json()["id"])
    assert len(set(sent)) == 3
    chat.rows("update inbox_send set sent_at = sent_at - interval '10 minutes'")
    await chat.sweep()
    assert chat.rows("select 1 from inbox_send") == []


async def test_a_message_is_sent_once_by_a_socket_and_by_http_though_the_service_dies_in_between(
    chat: ChatService,
) -> None:
    ann = chat.sign_up()
    room = ann.create()
    path = f"/v1/rooms/{room}/messages"
    with process_of_its_own(chat) as (process, url):
        async with opened(url, room, ann) as socket:
            await socket.send(type="message", text="hello", nonce=17)
            message = (await socket.next("posted"))["message_id"]
        process.kill()
    async with opened(chat.url, room, ann) as socket:
        await socket.send(type="message", text="hello", nonce=17)
        assert (await socket.next("posted"))["message_id"] == message
        await socket.send(type="message", text="something else", nonce="17")
        refused = await socket.next("error")
        assert (refused["code"], refused["nonce"]) == ("idempotency_key_reused", "17")
    assert (await asyncio.to_thread(again, ann, path, "17", text="hello")).json()["id"] == message
    assert ann.texts(room) == ["hello"]
