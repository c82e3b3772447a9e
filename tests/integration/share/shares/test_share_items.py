"""Shares of items: who sees what of them, and when they are over."""

from typing import Any
from uuid import UUID

import httpx

from share_service.context import Context
from share_service.sending.looking import look_at_items
from tests.integration.share.asking import change
from tests.integration.share.running_share import ShareService


async def test_a_share_whose_items_have_all_failed_ends(
    service: ShareService, client: httpx.Client, worker: Context
) -> None:
    share = sent(client, {"name": "a", "size": 1}, {"name": "b", "size": 1})
    failed = "update item set state = 'failed', look_at = now() where id = %s"
    for number, status in enumerate((200, 410)):
        change(service, failed, UUID(share["items"][number]["id"]))
        await look_at_items(worker)
        assert status_of(service, share["code"]) == status
        assert await look_at_items(worker) == 0


def sent(client: httpx.Client, *items: dict[str, object]) -> dict[str, Any]:
    return client.post("/v1/shares", json={"items": items}).json()


def status_of(service: ShareService, code: str) -> int:
    return service.client().get(f"/v1/codes/{code}").status_code


def test_administrators_see_that_there_is_a_text_and_not_what_it_says(
    service: ShareService, client: httpx.Client
) -> None:
    share = sent(client, {"text": "1234"})
    administrator = service.client(account=service.administrator())
    (seen,) = administrator.get(f"/v1/shares/{share['id']}").json()["items"]
    assert (seen["text"], seen["size"]) == (None, 4)
    (own,) = client.get(f"/v1/shares/{share['id']}", headers={"Share-Key": share["key"]}).json()["items"]
    assert own["text"] == "1234"
