"""Shares of several items on the running system: code first, contents by tus, downloads through the gateway."""

import hashlib
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import Visitor, client_of
from tests.contract.files.items import fill, opened, send, until_complete
from tests.contract.fileuploader import wire
from tests.contract.traces import Traces
from tests.integration.upload.dialects.tus_client import HEADERS, OFFSET_TYPE, begun, create, metadata, patch
from tests.sweeps import Sweeps

GUIDE = Path(__file__).parents[3] / "docs" / "use.md"
PATCHING = {**HEADERS, "Upload-Offset": "0", "Content-Type": OFFSET_TYPE}


def states(shown: dict[str, Any]) -> list[tuple[str, int]]:
    return [(item["state"], item["received"]) for item in shown["items"]]


def test_a_code_comes_first_and_its_items_arrive_one_by_one(client: httpx.Client) -> None:
    one, two = b"the first content", b"the second, sent in two requests"
    files = ({"name": "a/one.txt", "size": len(one)}, {"name": "two.bin", "size": len(two)})
    share = send(client, *files, {"text": "hello"}, title="Two files", message="and a text")
    code = share["code"]
    assert share["url"].endswith(f"/c/{code}")
    assert states(opened(client, code)) == [("waiting", 0), ("waiting", 0), ("ready", 5)]
    ids = [item["id"] for item in share["items"]]
    assert client.get(f"/v1/codes/{code}/items/{ids[0]}").status_code == 425
    assert fill(client, share["items"][0], one).headers["Waystation-File"]
    upload = begun(client, len(two), Upload_Metadata=metadata(item=share["items"][1]["upload"]))
    patch(client, upload, 0, two[:10])
    shown = opened(client, code)
    assert states(shown) == [("ready", len(one)), ("sending", 10), ("ready", 5)]
    assert not shown["complete"]
    patch(client, upload, 10, two[10:])
    until_complete(client, code)
    shown = opened(client, code)
    assert [item["name"] for item in shown["items"]] == ["one.txt", "two.bin", "text.txt"]
    assert [item["sha256"] for item in shown["items"]] == [
        hashlib.sha256(each).hexdigest() for each in (one, two, b"hello")
    ]
    assert (shown["title"], shown["message"], shown["size"]) == ("Two files", "and a text", len(one) + len(two) + 5)
    assert shown["items"][2]["text"] == "hello"
    for item_id, content in zip(ids, (one, two, b"hello"), strict=True):
        answer = client.get(f"/v1/codes/{code}/items/{item_id}")
        assert answer.content == content
        assert answer.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert client.get(f"/v1/codes/{code}/items/{ids[1]}", headers={"Range": "bytes=4-9"}).content == two[4:10]


def test_shares_of_other_interfaces_are_shares_of_one_item(client: httpx.Client) -> None:
    file = client.post("/share/file/", files={"file": ("b.txt", b"content")}).json()["detail"]["code"]
    text = client.post("/share/text/", data={"text": "words"}).json()["detail"]["code"]
    for code, name, content in ((file, "b.txt", b"content"), (text, "Text", b"words")):
        shown = opened(client, code)
        assert shown["complete"]
        [item] = shown["items"]
        assert (item["name"], item["size"], item["state"]) == (name, len(content), "ready")
        assert item["sha256"] == hashlib.sha256(content).hexdigest()
        assert client.get(f"/v1/codes/{code}/items/{item['id']}").content == content
    assert client.get("/v1/codes/NOONE").json()["code"] == "unknown_code"


def test_one_use_covers_each_item_once_for_each_holder(stack: StartedStack, client: httpx.Client) -> None:
    share = send(client, {"text": "one"}, {"name": "two", "size": 3}, expire_style="count", expire_value=1)
    fill(client, share["items"][1], b"two")
    code, items = share["code"], [item["id"] for item in share["items"]]
    assert (opened(client, code)["items"][0]["text"], opened(client, code)["items"][0]["sha256"]) == (None, None)
    first, second = (client.post(f"/v1/codes/{code}/tickets").json()["ticket"] for _ in range(2))

    def fetched(item: str, ticket: str) -> int:
        return client.get(f"/v1/codes/{code}/items/{item}", params={"ticket": ticket}).status_code

    assert [fetched(item, first) for item in items] == [200, 200]
    # The use is taken: neither another holder nor a second copy.
    assert [fetched(items[0], second), fetched(items[0], first), fetched(items[1], first)] == [410, 410, 410]


def test_a_password_opens_everything_and_nothing_is_said_without_it(client: httpx.Client) -> None:
    share = send(client, {"text": "secret words"}, password="a password")
    path = f"/v1/codes/{share['code']}"
    item = f"{path}/items/{share['items'][0]['id']}"
    for url in (path, item):
        answer = client.get(url)
        assert (answer.status_code, answer.json()["code"]) == (401, "password_needed")
        assert "secret" not in answer.text
        assert client.get(url, headers={"X-Share-Password": "wrong"}).json()["code"] == "password_wrong"
    right = {"X-Share-Password": "a password"}
    assert opened(client, share["code"], **right)["password_required"]
    ticket = client.post(f"{path}/tickets", headers=right).json()["ticket"]
    assert client.get(item, params={"ticket": ticket}).content == b"secret words"
    assert client.get(path, params={"ticket": ticket}).status_code == 200


def test_what_a_share_that_ends_in_the_middle_holds_is_given_back(
    client: httpx.Client, traces: Traces, sweeps: Sweeps
) -> None:
    share = send(client, {"name": "ready", "size": 5}, {"name": "begun", "size": 5}, {"name": "never", "size": 5})
    whole = fill(client, share["items"][0], b"whole").headers["Waystation-File"]
    upload = begun(client, 5, Upload_Metadata=metadata(item=share["items"][1]["upload"]))
    patch(client, upload, 0, b"par")
    key = {"Share-Key": share["key"]}
    assert client.get(f"/v1/shares/{share['id']}", headers=key).json()["items"][1]["received"] == 3
    assert client.delete(f"/v1/shares/{share['id']}", headers={"Share-Key": "wrong"}).status_code == 404
    assert client.delete(f"/v1/shares/{share['id']}", headers=key).status_code == 204
    assert client.get(f"/v1/codes/{share['code']}").json()["code"] == "share_ended"
    assert fill(client, share["items"][2], b"later").status_code == 410
    nothing: list[Any] = []
    sweeps.until(
        lambda: traces.ask("share", "select id from item where share_id = %s", share["id"]) == nothing,
        "share.expire_shares",
    )
    assert traces.ask("upload", "select id from file where id = %s", whole) == nothing
    assert client.head(upload, headers={"Tus-Resumable": "1.0.0"}).status_code == 404


def test_a_second_upload_of_an_item_replaces_the_first(client: httpx.Client) -> None:
    share = send(client, {"name": "again", "size": 5})
    item = share["items"][0]
    upload = begun(client, 5, Upload_Metadata=metadata(item=item["upload"]))
    patch(client, upload, 0, b"old")
    wrong = create(client, 6, Upload_Metadata=metadata(item=item["upload"]))
    assert (wrong.status_code, wrong.json()["code"]) == (400, "item_size")
    assert client.head(upload, headers={"Tus-Resumable": "1.0.0"}).status_code == 200
    fill(client, item, b"newer")
    assert client.head(upload, headers={"Tus-Resumable": "1.0.0"}).status_code == 404
    assert client.get(f"/v1/codes/{share['code']}/items/{item['id']}").content == b"newer"
    again = fill(client, item, b"other")
    assert (again.status_code, again.json()["code"]) == (409, "item_complete")
    forged = create(client, 5, Upload_Metadata=metadata(item=item["upload"][:-1] + "x"))
    assert (forged.status_code, forged.json()["code"]) == (404, "ticket_invalid")


def test_an_idempotency_key_makes_one_share(client: httpx.Client, stack: StartedStack) -> None:
    asked, key = {"items": [{"text": "once"}]}, {"Idempotency-Key": "a key of this test"}
    first, again = (client.post("/v1/shares", json=asked, headers=key).json() for _ in range(2))
    assert first == again
    other = client.post("/v1/shares", json={"items": [{"text": "other"}]}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    with client_of(stack, **wire.bearer(wire.register(client))) as account:
        assert account.post("/v1/shares", json=asked, headers=key).json()["code"] != first["code"]


def test_an_account_shares_its_files_together(client: httpx.Client, stack: StartedStack) -> None:
    with client_of(stack, **wire.bearer(wire.register(client))) as account:
        wire.upload(account, b"mine", "mine.txt")
        file_id = account.get("/v1/files").json()["files"][0]["id"]
        share = send(account, {"file_id": file_id}, {"text": "and words"})
        assert share["complete"]
        assert client.get(f"/v1/codes/{share['code']}/items/{share['items'][0]['id']}").content == b"mine"
        assert client.post("/v1/shares", json={"items": [{"file_id": file_id}]}).status_code == 403
        # A file that is only an item is shared again like any other.
        only = send(account, {"name": "only.txt", "size": 0})
        sent = fill(account, only["items"][0], b"").headers["Waystation-File"]
        link = account.post("/v1/shares", json={"file_id": sent}).json()
        assert (link["name"], client.get(link["url"]).content) == ("only.txt", b"")
        # The item goes with its file, and the rest stays.
        assert account.delete(f"/v1/files/{file_id}").status_code == 204
        assert [item["name"] for item in opened(client, share["code"])["items"]] == ["text.txt"]


class Watching:
    """The events of a share, one after the other."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.read()
        self._lines = answer.iter_lines()

    def next(self) -> tuple[str, dict[str, Any]]:
        name = ""
        for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                return name, json.loads(value)
        pytest.fail("the stream has ended")


def test_those_who_wait_see_every_byte_arrive_and_the_end(stack: StartedStack, client: httpx.Client) -> None:
    content = secrets.token_bytes(256 * 1024)
    share = send(client, {"name": "slow", "size": len(content)})
    item, key = share["items"][0], {"Share-Key": share["key"]}
    seen = Event()

    def slowly() -> Iterator[bytes]:
        # All of it is one request, and nothing of it is stored before its end.
        sent = 0
        while not seen.wait(0.02) and sent < len(content) - 1024:
            yield content[sent : sent + 1024]
            sent += 1024
        yield content[sent:]

    with (
        ThreadPoolExecutor(1) as pool,
        client.stream("GET", f"/v1/codes/{share['code']}/events") as fetching,
        client_of(stack, **key) as sender,
        client_of(stack) as uploader,
        sender.stream("GET", f"/v1/shares/{share['id']}/events") as sending,
    ):
        watched, own = Watching(fetching), Watching(sending)
        name, state = watched.next()
        assert (name, states(state)) == ("share", [("waiting", 0)])
        assert own.next()[1]["items"][0]["upload"] == item["upload"]
        upload = begun(client, len(content), Upload_Metadata=metadata(item=item["upload"]))
        sent = pool.submit(uploader.patch, upload, content=slowly(), headers=PATCHING)
        assert states(watched.next()[1])[0][0] == "sending"
        name, moved = watched.next()
        assert (name, list(moved["items"])) == ("progress", [item["id"]])
        seen.set()
        assert sent.result().status_code == 204
        while name != "share":
            name, state = watched.next()
        assert states(state) == [("ready", len(content))]
        assert state["complete"]
        assert client.delete(f"/v1/shares/{share['id']}", headers=key).status_code == 204
        assert watched.next()[0] == "end"
        while name != "end":
            name, _ = own.next()


@pytest.mark.parametrize("ticket", ["", "x", "0" * 64])
def test_a_ticket_that_is_none_opens_nothing(client: httpx.Client, ticket: str) -> None:
    code = send(client, {"text": "a text"})["code"]
    answer = client.get(f"/v1/codes/{code}/events", params={"ticket": ticket})
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_key")


def test_a_sender_changes_everything_about_a_share(client: httpx.Client) -> None:
    share = send(client, {"name": "one", "size": 3}, {"text": "words"}, password="a password")
    path, key = f"/v1/shares/{share['id']}", {"Share-Key": share["key"]}
    changes = {"title": "New", "message": "Look", "password": None, "downloads_left": 3, "code": "Ann_and-Bob"}
    changed = client.patch(path, json=changes, headers=key).json()
    assert (changed["code"], changed["title"], changed["name"]) == ("Ann_and-Bob", "New", "New")
    assert (changed["has_password"], changed["downloads_left"]) == (False, 3)
    assert client.get(f"/v1/codes/{share['code']}").json()["code"] == "unknown_code"
    assert opened(client, "ANN_and-bob")["message"] == "Look"
    ticket = client.post("/v1/codes/ann_and-bob/tickets").json()["ticket"]
    asked = {"ticket": ticket}
    assert client.get(f"/v1/codes/Ann_And-Bob/items/{share['items'][1]['id']}", params=asked).text == "words"
    # Guests keep to the policy.
    far = client.patch(path, json={"expires_at": "2100-01-01T00:00:00Z"}, headers=key)
    assert (far.status_code, far.json()["code"]) == (403, "expiry_too_long")
    more = client.post(f"{path}/items", json={"items": [{"name": "two", "size": 4}]}, headers=key).json()
    assert [item["name"] for item in more["items"]] == ["one", "text.txt", "two"]
    assert more["size"] == 12
    fill(client, more["items"][2], b"four")
    assert client.delete(f"{path}/items/{share['items'][0]['id']}", headers=key).status_code == 204
    assert fill(client, share["items"][0], b"one").json()["code"] == "ticket_invalid"
    shown = opened(client, "ann_and-bob")
    assert ([item["name"] for item in shown["items"]], shown["complete"]) == (["text.txt", "two"], True)
    renewed = client.patch(path, json={"code": None}, headers=key).json()["code"]
    assert len(renewed) == 5
    for item in shown["items"]:
        assert client.delete(f"{path}/items/{item['id']}", headers=key).status_code == 204
    assert client.get(f"/v1/codes/{renewed}").json()["code"] == "share_ended"
    late = client.post(f"{path}/items", json={"items": [{"text": "late"}]}, headers=key)
    assert (late.status_code, late.json()["code"]) == (410, "share_ended")


def test_codes_are_chosen_once_and_consist_of_words_on_request(client: httpx.Client) -> None:
    asked: dict[str, Any] = {"items": [{"text": "a"}], "code": "Our-Code"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/shares", json=asked), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers} == {"Our-Code", "code_taken"}
    assert client.post("/v1/shares", json={**asked, "code": "our-cODE"}).json()["code"] == "code_taken"
    for refused in ("a", "abc", "a b c d", "../..", "admin", "ADMIN", "codes", "ünïcode", "a" * 64 + "b", "a.bcd"):
        answer = client.post("/v1/shares", json={**asked, "code": refused})
        assert (answer.status_code, answer.json()["status"]) == (400, 400), refused
    words = send(client, {"text": "by words"}, code_style="words")["code"]
    assert len(words.split("-")) == 4
    assert opened(client, words.upper())["items"][0]["text"] == "by words"
    # Every other interface finds it, too.
    assert client.get("/share/select/", params={"code": words}).text == "by words"
    assert client.get(f"/c/{words}").text == "by words"


def test_codes_are_not_found_by_choosing_them(visitor: Visitor) -> None:
    taken = send(visitor(), {"text": "a"}, code="Taken-Code")["code"]
    guesser = visitor()
    asked = {"items": [{"text": "a"}], "code": taken}
    answers = [guesser.post("/v1/shares", json=asked).json()["code"] for _ in range(4)]
    assert answers == ["code_taken", "code_taken", "code_taken", "rate_limited"]
    assert guesser.get(f"/v1/codes/{taken}").status_code == 429
    assert opened(visitor(), taken)["complete"]
    # Nor by choosing free ones for a share that is there already until one is not free.
    patient = visitor()
    share = send(patient, {"text": "a"})
    path, key = f"/v1/shares/{share['id']}", {"Share-Key": share["key"]}
    chosen = [patient.patch(path, json={"code": f"Free-{n}"}, headers=key).status_code for n in range(4)]
    assert chosen == [200, 200, 200, 429]


def test_a_counted_text_is_not_told_by_a_head(client: httpx.Client) -> None:
    share = send(client, {"text": "1234"}, expire_style="count", expire_value=1)
    code, item = share["code"], share["items"][0]["id"]
    for path in (f"/v1/codes/{code}/items/{item}", f"/share/select/?code={code}", f"/c/{code}"):
        head = client.head(path).headers
        assert "repr-digest" not in head, path
        assert hashlib.sha256(b"1234").hexdigest() not in head.get("etag", ""), path
    assert client.head(f"/v1/codes/{code}/items/{item}").headers["content-length"] == "4"
    tag = client.head(f"/v1/codes/{code}/items/{item}").headers["etag"]
    got = client.get(f"/v1/codes/{code}/items/{item}")
    assert (got.text, got.headers["etag"]) == ("1234", tag)


def test_the_texts_of_a_share_have_a_limit_together(client: httpx.Client) -> None:
    texts = [{"text": "x" * 220_000}] * 10
    share = send(client, *texts)
    path, key = f"/v1/shares/{share['id']}/items", {"Share-Key": share["key"]}
    refused = client.post(path, json={"items": texts}, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert len(opened(client, share["code"])["items"]) == 10


def test_the_examples_of_the_guide_work(stack: StartedStack) -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("## Several files under one code\n")[2].partition("\n## ")[0]
    making, sending = re.findall(r"```sh\n(.*?)```", section.partition("\n### ")[0], re.DOTALL)

    def run(script: str, **variables: str) -> str:
        told = {"PATH": os.environ["PATH"], **variables}
        script = script.replace("HOST", stack.url).replace("curl ", "curl -sS ")
        return subprocess.run(
            ["sh", "-c", script], env=told, capture_output=True, timeout=60, check=True
        ).stdout.decode()

    share = json.loads(run(making))
    run(sending, TICKET=share["items"][0]["upload"])
    with client_of(stack) as client:
        assert client.get(f"/v1/codes/{share['code']}/items/{share['items'][0]['id']}").text == "hello"
