"""The end of what webhooks are told, with the rights of their owners."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from common.db.migrate import migrate
from common.peers import Peer
from share_service.context import Context
from share_service.webhooks import calling
from tests.conftest import ROOT, MakeDatabase
from tests.integration.share.asking import change
from tests.integration.share.running_share import Account, ShareService
from tests.integration.share.webhooks.receiving import Receiver, add, ask


class Tokenless:
    """In place of tokens for a service that is not there."""

    async def token(self) -> str:
        return ""

    def forget(self) -> None: ...


async def test_a_suspended_account_is_told_of_nothing_until_it_is_restored(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url, ["share.fetched"])
    link = service.share_link(owner=owner)
    path, headers = f"/v1/admin/accounts/{owner.id}", service.administrator().headers
    async with httpx.AsyncClient(base_url=service.auth_url, headers=headers) as auth:
        for suspended in (True, False):
            answer = await auth.patch(path, json={"suspended": suspended})
            assert answer.is_success, answer.text
            change(service, "update webhook set due_at = now()")
            assert service.client().get(f"/f/{link.code}").status_code == 200
            await calling.call_webhooks(worker)
            # Then it is told of what happened meanwhile as well.
            assert receiver.types() == ([] if suspended else ["share.fetched"] * 2)


async def test_nobody_is_told_of_anything_while_nobody_knows_who_is_suspended(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url, ["share.fetched"])
    link = service.share_link(owner=owner)
    assert service.client().get(f"/f/{link.code}").status_code == 200
    await calling.call_webhooks(replace(worker, auth=Peer(worker.calls, "http://127.0.0.1:9", Tokenless())))
    assert receiver.told == []
    change(service, "update webhook set due_at = now()")
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.fetched"]


@pytest.mark.parametrize("lost", [{"suspended": True}, {"role": "user"}, None], ids=["suspended", "demoted", "deleted"])
async def test_a_webhook_for_everybody_ends_with_the_rights_of_its_administrator(
    service: ShareService, receiver: Receiver, worker: Context, lost: dict[str, Any] | None
) -> None:
    chief, maker = service.administrator(), service.sign_up()
    path = f"/v1/admin/accounts/{maker.id}"
    async with httpx.AsyncClient(base_url=service.auth_url, headers=chief.headers) as auth:
        assert (await auth.patch(path, json={"role": "administrator"})).is_success
    webhook = add(service.client(account=maker), receiver.url, ["share.made"], everybody=True)
    service.share_link()
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.made"]
    async with httpx.AsyncClient(base_url=service.auth_url, headers=chief.headers) as auth:
        answer = await (auth.patch(path, json=lost) if lost else auth.delete(path))
        assert answer.is_success, answer.text
    service.share_link()
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.made"]
    other = service.client(account=chief)
    [shown] = [
        each for each in other.get("/v1/webhooks?everybody=true").json()["webhooks"] if each["id"] == webhook["id"]
    ]
    assert (shown["enabled"], "no administrator" in shown["error"]) == (False, True)
    # Another one takes it over.
    assert ask(other, "PATCH", f"/v1/webhooks/{webhook['id']}", json={"enabled": True}).is_success
    await calling.call_webhooks(worker)
    assert receiver.types() == ["share.made"] * 2
    assert ask(other, "DELETE", f"/v1/webhooks/{webhook['id']}").is_success


async def test_a_deleted_account_has_no_webhooks(
    service: ShareService, client: httpx.Client, owner: Account, receiver: Receiver, worker: Context
) -> None:
    add(client, receiver.url, ["share.ended"])
    service.share_link(owner=owner)
    assert service.internal("DELETE", f"/internal/accounts/{owner.id}", service="auth").is_success
    await calling.call_webhooks(worker)
    assert receiver.told == []
    with psycopg.connect(service.database_url) as connection:
        assert connection.execute("select count(*) from webhook").fetchone() == (0,)


def test_webhooks_from_before_belong_to_whom_the_audit_log_names(make_database: MakeDatabase, tmp_path: Path) -> None:
    folder = ROOT / "services/share/migrations"
    for migration in sorted(folder.glob("*.sql")):
        if migration.name < "0018":
            (tmp_path / migration.name).write_bytes(migration.read_bytes())
    url = make_database(tmp_path)
    nobody, first, last, known = (UUID(int=number) for number in range(4))
    changed, unknown, own, newer = (UUID(int=number) for number in range(10, 14))
    with psycopg.connect(url, autocommit=True) as connection:
        for webhook, owner, vouched_by in (
            (changed, nobody, None),
            (unknown, nobody, None),
            (own, first, None),
            (newer, nobody, known),
        ):
            connection.execute(
                "insert into webhook (id, owner, url, events, is_enabled, created_at, due_at, vouched_by)"
                " values (%s, %s, 'https://a.example', '{}', true, now(), now(), %s)",
                [webhook, owner, vouched_by],
            )
        for webhook in (changed, own, newer):
            for age, account in enumerate((last, first)):
                connection.execute(
                    "insert into audit_entry (id, at, act, account_id, account_name, credential_id, address,"
                    " target_kind, target_id) values (gen_random_uuid(), now() - %s * interval '1 day',"
                    " 'webhook.change', %s, 'a', %s, '', 'webhook', %s)",
                    [age, account, account, str(webhook)],
                )
        migrate(url, folder)
        rows = connection.execute("select id, vouched_by from webhook order by id").fetchall()
    assert rows == [(changed, last), (unknown, None), (own, None), (newer, known)]
