"""Those who watch a share hear no more of it than they may."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from share_service.sending import events, watching
from tests.integration.share.running_share import ShareService

PASSWORD = {"X-Share-Password": "open"}


def sent(client: httpx.Client, **terms: str) -> dict[str, Any]:
    answer = client.post("/v1/shares", json={"items": [{"text": "a text"}], **terms})
    assert answer.status_code == 201, answer.text
    return answer.json()


def names(answer: httpx.Response) -> Iterator[str]:
    """The names of the events of a stream, until it ends."""
    assert answer.status_code == 200
    return (line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: "))


def test_a_stream_ends_with_the_session_that_watches(service: ShareService) -> None:
    account = service.sign_up()
    client = service.client(account=account)
    share = sent(client)
    signed_out = service.client(account=account)
    with client.stream("GET", f"/v1/shares/{share['id']}/events") as answer:
        heard = names(answer)
        assert next(heard) == "share"
        assert signed_out.post(f"{service.auth_url}/v1/auth/logout").status_code == 204
        # It does not say that the share has ended.
        assert list(heard) == []
    assert client.get(f"/v1/shares/{share['id']}/events").status_code == 401


def test_the_key_of_a_share_watches_on_when_a_session_ends(service: ShareService) -> None:
    account, guest = service.sign_up(), service.client()
    share = sent(service.client(account=account))
    key = {"Share-Key": share["key"]}
    with guest.stream("GET", f"/v1/shares/{share['id']}/events", headers=key) as answer:
        heard = names(answer)
        assert next(heard) == "share"
        assert service.client(account=account).post(f"{service.auth_url}/v1/auth/logout").status_code == 204
        assert guest.patch(f"/v1/shares/{share['id']}", json={"title": "on"}, headers=key).status_code == 200
        assert next(heard) == "share"


def test_a_stream_lives_for_a_while_and_can_be_opened_again(
    service: ShareService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LIFE_SECONDS", 0.2)
    # It looks at its life when it looks at the share.
    monkeypatch.setattr(watching, "RESTING_SECONDS", 0.05)
    client = service.client()
    share = sent(client)
    for path in (f"/v1/codes/{share['code']}/events", f"/v1/shares/{share['id']}/events"):
        for _ in range(2):
            with client.stream("GET", path, headers={"Share-Key": share["key"]}) as answer:
                assert list(names(answer)) == ["share"]


def test_a_ticket_ends_with_the_password_that_it_was_given_out_for(service: ShareService) -> None:
    client = service.client()
    share = sent(client, password="open")
    path, key = f"/v1/codes/{share['code']}", {"Share-Key": share["key"]}
    ticket = {"ticket": client.post(f"{path}/tickets", headers=PASSWORD).json()["ticket"]}
    text = f"{path}/items/{share['items'][0]['id']}"
    assert client.get(text, params=ticket).text == "a text"
    change = {"password": "another"}
    assert client.patch(f"/v1/shares/{share['id']}", json=change, headers=key).status_code == 200
    for address in (path, text, f"{path}/zip", f"{path}/events"):
        answer = client.get(address, params=ticket)
        assert (answer.status_code, answer.json()["code"]) == (401, "password_needed"), address
    assert client.get(text, headers={"X-Share-Password": "another"}).text == "a text"
