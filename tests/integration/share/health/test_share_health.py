"""`/health` tells the truth about the system, in FileCodeBox's shape; operators see every part."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from share_service.health import looking
from tests.integration.share.asking import nowhere
from tests.integration.share.running_share import ShareService, Start

SHAPE = {"version": "2.5.4", "storage": "local", "theme": "themes/2024"}


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch, service: ShareService) -> Iterator[None]:
    monkeypatch.setattr(looking, "KEPT_SECONDS", 0.0)
    yield
    service.upload.is_down = False
    service.upload.abilities = {"sending": "ok", "fetching": "ok"}


def detail(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == status
    assert ("retry-after" in answer.headers) == (status == 503)
    return answer.json()["detail"]


@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_all_is_well(client: httpx.Client, path: str) -> None:
    assert detail(client.get(path)) == {"status": "ok", **SHAPE}
    inside = client.get("/internal/health/system")
    assert inside.status_code == 200
    assert inside.json() == {
        "status": "ok",
        "abilities": dict.fromkeys(("sending", "fetching", "accounts", "rooms"), "ok"),
        "services": {
            "share": {"database": "ok", "limits": "ok"},
            "auth": {"database": "ok", "credentials": "ok"},
            "upload": {"database": "ok"},
            "chat": {"database": "ok"},
        },
    }


def test_a_full_disk_is_told(service: ShareService, client: httpx.Client) -> None:
    service.upload.abilities["sending"] = "storage_full"
    assert detail(client.get("/health")) == {"status": "degraded", **SHAPE, "degraded": ["sending"]}
    inside = client.get("/internal/health/system").json()
    assert (inside["status"], inside["abilities"]["sending"]) == ("degraded", "storage_full")


@pytest.mark.parametrize("how", ["upload is down", "its store is down"])
def test_without_content_the_system_is_out_of_order(service: ShareService, client: httpx.Client, how: str) -> None:
    service.upload.is_down = how == "upload is down"
    service.upload.abilities = dict.fromkeys(("sending", "fetching"), "unavailable")
    found = detail(client.get("/health"), 503)
    assert found == {"status": "unavailable", **SHAPE, "degraded": ["sending", "fetching"]}
    assert client.get("/internal/health/system").status_code == 503


def test_without_limits_the_system_is_out_of_order(start: Start) -> None:
    with start(valkey_url=f"redis://{nowhere()}/0") as service:
        found = detail(service.client().get("/health"), 503)
        assert found["degraded"] == ["sending", "fetching", "accounts"]


def test_a_service_that_is_down_is_told(start: Start) -> None:
    with start(chat_url=f"http://{nowhere()}") as service:
        client = service.client()
        assert detail(client.get("/health"))["degraded"] == ["rooms"]
        inside = client.get("/internal/health/system").json()
        assert inside["services"]["chat"] == {"service": "unavailable"}


def test_many_who_ask_are_answered_from_one_look(
    service: ShareService, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert detail(client.get("/health"))["status"] == "ok"
    monkeypatch.setattr(looking, "KEPT_SECONDS", 600.0)
    service.upload.is_down = True
    assert detail(client.get("/health"))["status"] == "ok"
