"""Drop-offs on the running systems: anybody sends to an account by a code, within the limits of its owner."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import Visitor, client_of
from tests.contract.filecodebox.test_filecodebox_limits import CLOSED, settings
from tests.contract.files.items import fill, opened
from tests.contract.fileuploader import wire
from tests.contract.traces import Traces


@pytest.fixture(scope="module")
def owner(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    with client_of(stack, **wire.bearer(wire.register(client))) as owner:
        yield owner


def dropped(owner: httpx.Client, **limits: Any) -> dict[str, Any]:
    answer = owner.post("/v1/drops", json={"title": "Photos", **limits})
    assert answer.status_code == 201, answer.text
    return answer.json()


def deliver(client: httpx.Client, code: str, *items: dict[str, Any], **more: Any) -> httpx.Response:
    return client.post(f"/v1/drops/{code}/shares", json={"items": items, **more})


def test_what_anybody_sends_by_a_drop_off_is_its_owner_s(owner: httpx.Client, client: httpx.Client) -> None:
    drop = dropped(owner, greeting="Hello", code="Anns-Box")
    shown = client.get("/v1/drops/anns-box").json()
    assert (shown["title"], shown["greeting"], shown["is_open"]) == ("Photos", "Hello", True)
    assert "received" not in shown
    assert drop["url"].endswith("/d/Anns-Box")
    answer = deliver(client, "anns-BOX", {"name": "a.png", "size": 5}, {"text": "from Bob"}, message="For you")
    assert answer.status_code == 201, answer.text
    share = answer.json()
    assert fill(client, share["items"][0], b"image").status_code == 201
    [received] = owner.get("/v1/drops/Anns-Box/shares").json()["shares"]
    assert (received["id"], received["message"]) == (share["id"], "For you")
    assert opened(owner, received["code"])["complete"]
    assert [file["name"] for file in owner.get("/v1/files").json()["files"]] == ["a.png"]
    # The sender sees it, and cannot keep its owner from it.
    path, key = f"/v1/shares/{share['id']}", {"Share-Key": share["key"]}
    assert client.get(path, headers=key).json()["complete"]
    assert client.patch(path, json={"password": "x"}, headers=key).status_code == 403
    assert client.post(f"{path}/items", json={"items": [{"text": "more"}]}, headers=key).status_code == 409
    assert owner.patch(path, json={"title": "Bob's"}).json()["title"] == "Bob's"
    assert client.delete(path, headers=key).status_code == 204
    assert client.get("/v1/drops/nobodys").json()["code"] == "unknown_code"


@pytest.mark.parametrize(
    ("limits", "items", "refusal"),
    [
        ({"size_limit": 9}, [{"name": "a", "size": 5}, {"name": "b", "size": 5}], "size_refused"),
        ({"item_limit": 1}, [{"text": "a"}, {"text": "b"}], "too_many_items"),
        ({"types": ["zip", "image/*"]}, [{"name": "a.exe", "size": 5}], "type_refused"),
        ({}, [{"file_id": "7f9c24e8-3b1f-4f0e-8d5e-0d9a5b1c2d3e"}], "forbidden"),
        ({}, [{"name": "a"}], "invalid_input"),
    ],
)
def test_a_drop_off_takes_nothing_beyond_its_limits(
    owner: httpx.Client, client: httpx.Client, limits: dict[str, Any], items: list[dict[str, Any]], refusal: str
) -> None:
    code = dropped(owner, **limits)["code"]
    answer = deliver(client, code, *items)
    assert answer.json()["code"] == refusal
    assert answer.status_code in (400, 403, 413)
    assert owner.get(f"/v1/drops/{code}/shares").json()["shares"] == []


def test_no_more_deliveries_come_than_a_drop_off_takes(owner: httpx.Client, client: httpx.Client) -> None:
    code = dropped(owner, share_limit=2)["code"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: deliver(client, code, {"text": str(number)}), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 410, 410, 410, 410]
    assert len(owner.get(f"/v1/drops/{code}/shares").json()["shares"]) == 2
    assert not client.get(f"/v1/drops/{code}").json()["is_open"]
    assert owner.patch(f"/v1/drops/{code}", json={"share_limit": 3}).json()["is_open"]
    asked, key = {"items": [{"text": "once"}]}, {"Idempotency-Key": "a delivery"}
    first, again = (client.post(f"/v1/drops/{code}/shares", json=asked, headers=key).json() for _ in range(2))
    assert first["id"] == again["id"]
    assert owner.delete(f"/v1/drops/{code}").status_code == 204
    late = deliver(client, code, {"text": "late"})
    assert (late.status_code, late.json()["code"]) == (410, "drop_ended")
    assert len(owner.get(f"/v1/drops/{code}/shares").json()["shares"]) == 3
    newest, *_ = (drop for drop in owner.get("/v1/drops").json()["drops"] if drop["code"] == code)
    assert (newest["received"], newest["is_open"]) == (3, False)


def test_only_its_owner_changes_a_drop_off(owner: httpx.Client, client: httpx.Client, stack: StartedStack) -> None:
    code = dropped(owner)["code"]
    with client_of(stack, **wire.bearer(wire.register(client))) as stranger:
        for method, path in (("PATCH", ""), ("DELETE", ""), ("GET", "/shares")):
            body: dict[str, Any] = {"json": {"title": "mine"}} if method == "PATCH" else {}
            assert stranger.request(method, f"/v1/drops/{code}{path}", **body).status_code == 404
            assert client.request(method, f"/v1/drops/{code}{path}", **body).status_code == 401
        assert stranger.get("/v1/drops").json()["drops"] == []
    assert owner.post("/v1/drops", json={"title": "again", "code": code}).json()["code"] == "code_taken"
    past = owner.post("/v1/drops", json={"title": "late", "expires_at": "2020-01-01T00:00:00Z"})
    assert past.json()["code"] == "invalid_input"


def test_a_drop_off_ends_with_its_account(client: httpx.Client, stack: StartedStack) -> None:
    with client_of(stack, **wire.bearer(wire.register(client))) as leaver:
        code = dropped(leaver)["code"]
        assert leaver.request("DELETE", "/v1/account", json={"password": wire.PASSWORD}).status_code == 204
    assert deliver(client, code, {"text": "late"}).status_code == 410


def test_a_drop_off_works_where_guests_may_not_upload(visitor: Visitor, narrow_traces: Traces) -> None:
    owner, guest = visitor(), visitor()
    owner.headers.update(wire.bearer(wire.register(owner)))
    code = dropped(owner)["code"]
    with settings(narrow_traces, visitor(), CLOSED, open_upload=False):
        refused = guest.post("/v1/shares", json={"items": [{"text": "a"}]})
        assert (refused.status_code, refused.json()["code"]) == (403, "guests_refused")
        share = deliver(guest, code, {"name": "a.txt", "size": 5}).json()
        assert fill(guest, share["items"][0], b"bytes").status_code == 201
        assert opened(guest, share["code"])["complete"]
