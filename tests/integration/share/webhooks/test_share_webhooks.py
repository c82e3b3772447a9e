"""Webhooks: who hears of what, and in which order."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from share_service.context import Context
from share_service.webhooks import calling
from tests.integration.share.asking import change
from tests.integration.share.running_share import Account, ShareService
from tests.integration.share.webhooks.receiving import OF_UPLOAD, Receiver, add, ask, receiving


async def test_the_owner_hears_in_order_what_happens_to_a_share(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url)
    link = service.share_link(owner=owner, uses=2, name="a.bin")
    service.share_link(uses=2)
    for _ in range(2):
        assert service.client().get(f"/f/{link.code}").status_code == 200
    assert ask(client, "DELETE", f"/v1/shares/{link.id}").is_success
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.made", "share.fetched", "share.fetched", "share.ended"]
    assert {event["data"]["share_id"] for event in receiver.told} == {str(link.id)}
    assert [event["data"]["downloads_left"] for event in receiver.told] == [2, 1, 0, 0]
    assert receiver.told[-1]["data"]["ended_for"] == "owner"
    assert receiver.told[0]["data"]["name"] == "a.bin"
    assert not any(link.code in body.decode() for _, body in receiver.requests)


async def test_a_share_of_items_is_complete_when_the_last_has_arrived(
    service: ShareService, client: httpx.Client, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url, ["share.complete"])
    items = [{"name": "a", "size": 1}, {"name": "b", "size": 1}, {"name": "c", "text": "c"}]
    share = ask(client, "POST", "/v1/shares", json={"items": items}).json()
    for item in share["items"][:2]:
        await calling.call_webhooks(worker)
        assert receiver.told == []
        change(
            service,
            "update item set state = 'ready', file_id = %s, sha256 = decode(repeat('00', 32), 'hex') where id = %s",
            uuid4(),
            UUID(item["id"]),
        )
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.complete"]


def settle(service: ShareService, item: dict[str, Any], state: str) -> None:
    content = {"file_id": uuid4(), "sha256": bytes(32)} if state == "ready" else {"file_id": None, "sha256": None}
    change(
        service,
        "update item set state = %s, file_id = %s, sha256 = %s where id = %s",
        state,
        *content.values(),
        UUID(item["id"]),
    )


@pytest.mark.parametrize(
    ("states", "is_complete"),
    [
        (["ready", "failed"], True),
        (["ready", "removed"], True),
        (["failed", "ready"], True),
        (["failed", "failed"], False),
        (["removed", "failed"], False),
    ],
)
async def test_a_share_is_complete_when_nothing_of_it_is_awaited(
    service: ShareService,
    client: httpx.Client,
    receiver: Receiver,
    worker: Context,
    states: list[str],
    is_complete: bool,
) -> None:
    add(client, receiver.url, ["share.complete"])
    asked = {"items": [{"name": "a", "size": 1}, {"name": "b", "size": 1}]}
    items = ask(client, "POST", "/v1/shares", json=asked).json()["items"]
    for item, state in zip(items, states, strict=True):
        await calling.call_webhooks(worker)
        assert receiver.told == []
        settle(service, item, state)
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.complete"] * is_complete


@pytest.mark.parametrize(
    ("items", "is_complete"),
    [
        ([{"name": "a", "text": "a"}, {"name": "b", "text": "b"}], True),
        ([{"name": "a", "text": "a"}, {"name": "b", "size": 1}], False),
        ([{"name": "b", "size": 1}, {"name": "a", "text": "a"}], False),
    ],
)
async def test_a_share_of_items_may_be_complete_from_the_beginning(
    client: httpx.Client, receiver: Receiver, worker: Context, items: list[dict[str, object]], is_complete: bool
) -> None:
    add(client, receiver.url, ["share.made", "share.complete"])
    assert ask(client, "POST", "/v1/shares", json={"items": items}).status_code == 201
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.made", *["share.complete"] * is_complete]


async def test_the_owner_of_a_drop_off_hears_what_filled_it(
    service: ShareService, client: httpx.Client, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url, ["drop.filled"])
    drop = ask(client, "POST", "/v1/drops", json={"title": "mine"}).json()
    asked = {"items": [{"name": "a", "size": 1}], "title": "yours"}
    (item,) = service.client().post(f"/v1/drops/{drop['code']}/shares", json=asked).json()["items"]
    await calling.call_webhooks(worker)
    assert receiver.told == []
    settle(service, item, "ready")
    await calling.call_webhooks(worker)
    assert receiver.types() == ["drop.filled"]
    assert (receiver.told[0]["data"]["drop_id"], receiver.told[0]["data"]["name"]) == (drop["id"], "yours")


async def test_events_of_uploads_are_told_to_whom_they_concern(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    with receiving() as of_place:
        add(client, receiver.url, OF_UPLOAD)
        administrator = service.client(account=service.administrator())
        add(administrator, of_place.url, OF_UPLOAD, everybody=True)
        arrived = [("file.arrived", str(account)) for account in (owner.id, uuid4())]
        concerned = [*arrived, ("mirror.failed", None), ("disk.low", None)]
        events = [
            {"id": str(uuid4()), "type": name, "owner": whose, "at": "2026-11-30T12:00:00Z", "data": {"name": name}}
            for name, whose in concerned
        ]
        for _ in range(2):
            # The answer was lost, and upload tells again.
            assert service.internal("POST", "/internal/events", {"events": events}).status_code == 204
        await calling.call_webhooks(worker)
        assert receiver.types() == ["file.arrived"]
        assert of_place.types() == ["file.arrived", *OF_UPLOAD]
        first = {UUID(str(events[0]["id"])).hex}
        assert {headers["webhook-id"].removeprefix("evt_") for headers, _ in receiver.requests} == first
    assert service.internal("POST", "/internal/events", {"events": []}, service="chat").status_code == 403
