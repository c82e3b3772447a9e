"""Shares of items: who sees what of them, and when they are over."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import psycopg

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


async def test_items_that_nobody_sends_are_given_up_after_their_shares_are_held(
    service: ShareService, client: httpx.Client, worker: Context
) -> None:
    """In the order of all who hold both: shares, then items. The other way round two of them would block each other."""
    share = sent(client, {"name": "a", "size": 1})
    item_id = UUID(share["items"][0]["id"])
    change(service, "update item set look_at = now() where id = %s", item_id)
    async with await psycopg.AsyncConnection.connect(service.database_url) as other:
        await other.execute("select from share where id = %s for update", [UUID(share["id"])])
        looking = asyncio.create_task(look_at_items(worker))
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        async with asyncio.timeout(20):
            while await (await other.execute(waiting)).fetchone() == (0,):
                await asyncio.sleep(0.01)
        await other.execute("select from item where id = %s for update nowait", [item_id])
    await looking
    async with await psycopg.AsyncConnection.connect(service.database_url) as other:
        found = await other.execute("select state from item where id = %s", [item_id])
        assert await found.fetchone() == ("failed",)


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
