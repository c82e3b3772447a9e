"""Whoever is suspended sends nothing by what it got before: neither by the key of a share nor by tickets."""

from typing import Any

import httpx
import pytest

from tests.integration.share.running_share import Account, ShareService

ITEMS = [{"name": "to come", "size": 5}]


@pytest.fixture
def owner(service: ShareService) -> Account:
    return service.sign_up()


def suspend(service: ShareService, account: Account, *, suspended: bool) -> None:
    path, headers = f"/v1/admin/accounts/{account.id}", service.administrator().headers
    answer = httpx.patch(service.auth_url + path, json={"suspended": suspended}, headers=headers)
    assert answer.is_success, answer.text


def place(service: ShareService, share: dict[str, Any]) -> int:
    return service.internal("POST", "/internal/items/place", {"ticket": share["items"][0]["upload"]}).status_code


def test_keys_and_tickets_of_shares_are_void_while_their_account_is_suspended(
    service: ShareService, client: httpx.Client, owner: Account
) -> None:
    share = service.client(account=owner).post("/v1/shares", json={"items": ITEMS}).json()
    path, key = f"/v1/shares/{share['id']}", {"Share-Key": share["key"]}
    other = {**key, **service.sign_up().headers}
    assert (client.get(path, headers=key).status_code, place(service, share)) == (200, 200)
    suspend(service, owner, suspended=True)
    for headers in (key, other):
        assert client.get(path, headers=headers).status_code == 404
        assert client.get(f"{path}/events", headers=headers).status_code == 404
        assert client.patch(path, headers=headers, json={"title": "mine"}).status_code == 404
        assert client.post(f"{path}/items", headers=headers, json={"items": ITEMS}).status_code == 404
        assert client.delete(path, headers=headers).status_code == 404
    assert place(service, share) == 404
    suspend(service, owner, suspended=False)
    assert (client.get(path, headers=key).status_code, place(service, share)) == (200, 200)


def test_strangers_go_on_sending_to_the_drop_off_of_a_suspended_account(
    service: ShareService, client: httpx.Client, owner: Account
) -> None:
    drop = service.client(account=owner).post("/v1/drops", json={"title": "send me"}).json()
    share = client.post(f"/v1/drops/{drop['code']}/shares", json={"items": ITEMS}).json()
    suspend(service, owner, suspended=True)
    assert client.get(f"/v1/shares/{share['id']}", headers={"Share-Key": share["key"]}).status_code == 200
    assert place(service, share) == 200
