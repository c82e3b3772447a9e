"""The calls of webhooks: signed, in turns, and again until they are heard."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from share_service.context import Context
from share_service.webhooks import calling, queries
from share_service.webhooks.model import KEPT, WEBHOOKS_EACH, Event
from tests.integration.share.asking import change, download_url, share_text
from tests.integration.share.running_share import Account, ShareService
from tests.integration.share.webhooks.receiving import ALL, Receiver, add, ask, receiving, the_one


class Died(BaseException):
    """The process ends here."""


async def test_networks_that_are_allowed_are_those_of_the_place(
    service: ShareService, client: httpx.Client, receiver: Receiver, guarded: Context
) -> None:
    webhook = add(client, receiver.url)
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")
    administrator = service.client(account=service.administrator())
    of_place = add(administrator, receiver.url, everybody=True)
    ask(administrator, "POST", f"/v1/webhooks/{of_place['id']}/ping")
    await calling.call_webhooks(guarded)
    assert len(receiver.requests) == 1
    assert "outside the public internet" in the_one(client)["error"]
    assert the_one(administrator, everybody="true")["error"] is None


@pytest.mark.parametrize("end", ["disabled", "deleted"])
async def test_a_webhook_that_ends_during_its_turn_is_called_no_more(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context, end: str
) -> None:
    path = f"/v1/webhooks/{add(client, receiver.url)['id']}"
    for _ in range(3):
        service.share_link(owner=owner)
    receiver.hold = threading.Event()
    calls = asyncio.create_task(calling.call_due(worker))
    assert await asyncio.to_thread(receiver.came.acquire, timeout=20)
    answer = ask(client, "DELETE", path) if end == "deleted" else ask(client, "PATCH", path, json={"enabled": False})
    assert answer.is_success
    receiver.hold.set()
    await calls
    assert len(receiver.requests) == 1


async def test_slow_receivers_of_one_account_keep_nobody_elses_waiting(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    for _ in range(WEBHOOKS_EACH):
        add(client, receiver.url, ["share.made"])
    other = service.sign_up()
    with receiving() as quick:
        add(service.client(account=other), quick.url, ["share.made"])
        for account in (owner, other):
            service.share_link(owner=account)
        receiver.hold = threading.Event()
        calls = asyncio.create_task(calling.call_due(worker))
        assert await asyncio.to_thread(quick.came.acquire, timeout=20)
        assert await asyncio.to_thread(receiver.came.acquire, timeout=20)
        assert not receiver.came.acquire(blocking=False)
        receiver.hold.set()
        await calls
    assert len(receiver.told) == WEBHOOKS_EACH


async def test_a_slow_receiver_has_a_short_turn_and_waits_for_as_long_as_it_took(
    service: ShareService,
    client: httpx.Client,
    owner: Account,
    receiver: Receiver,
    worker: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "TURN_SECONDS", 0)
    monkeypatch.setattr(calling, "SLOW", timedelta(0))
    add(client, receiver.url, ["share.made"])
    for _ in range(3):
        service.share_link(owner=owner)
    await calling.call_due(worker)
    assert len(receiver.told) < 3
    with psycopg.connect(service.database_url) as connection:
        rests = connection.execute("select due_at > called_at from webhook").fetchone()
    assert rests == (True,)


async def test_a_webhook_that_fails_for_a_day_is_disabled_and_says_so(
    service: ShareService, client: httpx.Client, receiver: Receiver, worker: Context
) -> None:
    webhook = add(client, receiver.url)
    receiver.answers = [500] * 3
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")
    for ago in ("23 hours", "24 hours"):
        await calling.call_webhooks(worker)
        assert the_one(client)["enabled"]
        moved = "update webhook set due_at = now(), failing_since = now() - %s::interval"
        change(service, moved, ago)
    await calling.call_webhooks(worker)
    found = the_one(client)
    assert (found["enabled"], found["waiting"]) == (False, 1)
    assert found["error"] == "disabled, because it has failed for a day: the remote server answered 500"
    assert ask(client, "PATCH", f"/v1/webhooks/{webhook['id']}", json={"enabled": True}).is_success
    receiver.answers = [500]
    await calling.call_webhooks(worker)
    # The day begins again.
    assert the_one(client)["enabled"]


async def test_no_more_events_wait_than_a_receiver_could_ever_want(
    service: ShareService, client: httpx.Client, owner: Account, worker: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "MOST_WAITING", 3)
    add(client, "http://127.0.0.1:1/", ["share.made"])
    for name in "abcdefg":
        service.share_link(owner=owner, name=name)
    await calling.call_webhooks(worker)
    assert (the_one(client)["waiting"], the_one(client)["dropped"]) == (3, 4)
    with psycopg.connect(service.database_url) as connection:
        left = connection.execute(
            "select data ->> 'name' from webhook_event e join webhook on webhook.id = webhook_id order by e.id"
        ).fetchall()
    assert left == [("e",), ("f",), ("g",)]


async def test_a_call_is_signed(client: httpx.Client, receiver: Receiver, worker: Context) -> None:
    webhook = add(client, receiver.url)
    assert ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping").status_code == 204
    await calling.call_webhooks(worker)
    ((headers, body),) = receiver.requests
    secret = base64.b64decode(webhook["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["type"] == "ping"
    found = the_one(client)
    assert (found["error"], found["failures"], found["waiting"]) == (None, 0, 0)
    assert found["called_at"]
    assert found["secret"] == webhook["secret"]


async def test_what_fails_is_told_again_later_and_in_order(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url, ["share.made"])
    receiver.answers = [204, 500, 500]
    names = ["a", "b", "c"]
    for name in names:
        service.share_link(owner=owner, name=name)
    await calling.call_webhooks(worker)
    found = the_one(client)
    assert (found["failures"], found["waiting"], found["error"]) == (1, 2, "the remote server answered 500")
    # It is left alone until it is due.
    await calling.call_webhooks(worker)
    assert len(receiver.requests) == 2
    for _ in range(2):
        change(service, "update webhook set due_at = now()")
        await calling.call_webhooks(worker)
    assert [event["data"]["name"] for event in receiver.told] == names
    assert (the_one(client)["failures"], the_one(client)["waiting"]) == (0, 0)
    ids = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert len(ids) == 5
    assert len(set(ids)) == 3


async def test_only_failures_without_a_success_between_them_are_failures_in_a_row(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url, ["share.made"])
    receiver.answers = [204, 500] * 3
    for _ in range(4):
        service.share_link(owner=owner)
    for _ in range(3):
        change(service, "update webhook set due_at = now(), failing_since = now() - interval '23 hours'")
        await calling.call_due(worker)
    with psycopg.connect(service.database_url) as connection:
        found = connection.execute("select failures, failing_since > now() - interval '1 hour' from webhook").fetchone()
    assert (len(receiver.told), found) == (3, (1, True))


async def test_an_event_of_a_process_that_died_is_told_again(
    service: ShareService, client: httpx.Client, receiver: Receiver, worker: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = add(client, receiver.url)
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")

    async def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("share_service.webhooks.queries.delete_told", dies)
        with pytest.raises(Died):
            await calling.call_due(worker)
    await calling.call_webhooks(worker)
    assert len(receiver.told) == 1
    change(service, "update webhook set due_at = due_at - interval '1 minute'")
    await calling.call_webhooks(worker)
    assert receiver.types() == ["ping", "ping"]
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1


async def test_a_webhook_that_is_changed_during_a_call_is_called_at_once(
    service: ShareService, client: httpx.Client, receiver: Receiver, worker: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = add(client, "http://127.0.0.1:1/")
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")
    assert ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping").json()["code"] == "events_waiting"
    read = queries.next_events

    async def read_and_change(*arguments: Any) -> list[Event]:
        events = await read(*arguments)
        if events:
            ask(client, "PATCH", f"/v1/webhooks/{webhook['id']}", json={"url": receiver.url})
        return events

    with monkeypatch.context() as patched:
        patched.setattr("share_service.webhooks.queries.next_events", read_and_change)
        await calling.call_due(worker)
    assert the_one(client)["failures"] == 0
    await calling.call_webhooks(worker)
    assert receiver.types() == ["ping"]


async def test_a_webhook_that_is_deleted_meanwhile_fails_no_download(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    webhook = add(client, receiver.url)
    link = service.share_link(owner=owner)
    with psycopg.connect(service.database_url) as connection:
        connection.execute("delete from webhook where id = %s", [webhook["id"]])
        assert service.client().get(f"/f/{link.code}").status_code == 200
    await calling.call_webhooks(worker)
    assert receiver.told == []


async def test_a_receiver_that_is_gone_is_called_no_more_until_it_is_enabled(
    client: httpx.Client, receiver: Receiver, worker: Context
) -> None:
    webhook = add(client, receiver.url)
    receiver.answers = [410]
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")
    await calling.call_webhooks(worker)
    assert not the_one(client)["enabled"]
    assert ask(client, "PATCH", f"/v1/webhooks/{webhook['id']}", json={"enabled": True}).json()["error"] is None
    await calling.call_webhooks(worker)
    assert receiver.types() == ["ping"]


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[::1]/", "http://127.0.0.1:1/"])
async def test_a_receiver_inside_or_away_is_a_failure_like_others(
    client: httpx.Client, worker: Context, url: str
) -> None:
    webhook = add(client, url)
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")
    await calling.call_webhooks(worker)
    found = the_one(client)
    assert (found["failures"], found["waiting"]) == (1, 1)
    assert found["error"]


async def test_redirects_are_not_followed(client: httpx.Client, receiver: Receiver, worker: Context) -> None:
    webhook = add(client, receiver.url)
    receiver.answers, receiver.headers = [307], {"Location": receiver.url}
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")
    await calling.call_webhooks(worker)
    assert (len(receiver.requests), receiver.told) == (1, [])


async def test_events_are_dropped_after_a_day(
    service: ShareService, client: httpx.Client, receiver: Receiver, worker: Context
) -> None:
    webhook = add(client, receiver.url)
    ask(client, "PATCH", f"/v1/webhooks/{webhook['id']}", json={"enabled": False})
    ask(client, "POST", f"/v1/webhooks/{webhook['id']}/ping")
    await calling.call_webhooks(worker)
    assert the_one(client)["waiting"] == 1
    change(service, "update webhook_event set at = at - %s", KEPT)
    await calling.call_webhooks(worker)
    assert the_one(client)["waiting"] == 0
    assert receiver.told == []


async def test_administrators_hear_of_everybodys_shares(
    service: ShareService, client: httpx.Client, receiver: Receiver, worker: Context
) -> None:
    asked = {"url": receiver.url, "events": ["share.fetched"], "everybody": True}
    assert ask(client, "POST", "/v1/webhooks", json=asked).status_code == 403
    assert ask(client, "GET", "/v1/webhooks", params={"everybody": "true"}).status_code == 403
    administrator = service.client(account=service.administrator())
    webhook = add(administrator, receiver.url, ["share.fetched"], everybody=True)
    assert ask(client, "PATCH", f"/v1/webhooks/{webhook['id']}", json={"enabled": False}).status_code == 404
    assert service.client().get(download_url(service.client(), service.share_file(uses=1))).status_code == 200
    text = share_text(service.client(), "x")
    service.client().post("/share/select/", json={"code": text})
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.fetched", "share.fetched"]
    assert the_one(administrator, everybody="true")["everybody"]
    path = f"/v1/webhooks/{webhook['id']}"
    assert ask(administrator, "PATCH", path, json={"enabled": False}).status_code == 200
    assert ask(administrator, "DELETE", path).status_code == 204
    with psycopg.connect(service.database_url) as connection:
        acts = connection.execute(
            "select act from audit_entry where target_id = %s order by at", [webhook["id"]]
        ).fetchall()
    assert acts == [("webhook.add",), ("webhook.change",), ("webhook.delete",)]


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://x/", "events": ALL},
        {"url": "x", "events": ALL},
        {"url": "http://x/", "events": []},
        {"url": "http://x/", "events": ["share.stolen"]},
        {"url": "http://x/\0", "events": ALL},
        {"url": "http://x/", "events": ALL, "secret": "mine"},
    ],
)
def test_bad_input_adds_nothing(client: httpx.Client, body: dict[str, object]) -> None:
    assert client.post("/v1/webhooks", json=body).status_code == 400
    assert client.get("/v1/webhooks").json() == {"webhooks": []}


def test_an_account_has_a_few_and_nobody_elses(service: ShareService, client: httpx.Client) -> None:
    found = [add(client, "https://hooks.example/") for _ in range(WEBHOOKS_EACH)]
    answer = client.post("/v1/webhooks", json={"url": "https://hooks.example/", "events": ALL})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
    other = service.client(account=service.sign_up())
    path = f"/v1/webhooks/{found[0]['id']}"
    assert [other.delete(path).status_code, other.post(f"{path}/ping").status_code] == [404, 404]
    assert client.delete(path).status_code == 204
    assert len(client.get("/v1/webhooks").json()["webhooks"]) == WEBHOOKS_EACH - 1
    assert service.client().get("/v1/webhooks").status_code == 401
