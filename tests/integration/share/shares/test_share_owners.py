"""`/v1/shares` and `/v1/links`, and whose FileCodeBox's texts are, over HTTP on real engines."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.conftest import MakeDatabase
from tests.integration.share.asking import served
from tests.integration.share.running_share import Account, ShareService, running_share_service

PAST = "2020-01-01T00:00:00Z"
FIELDS = {
    "id", "form", "code", "url", "kind", "file_id", "name", "size", "created_at", "expires_at", "downloads",
    "downloads_left", "has_password", "state", "title", "message", "key", "used_count", "complete", "items",
}  # fmt: skip


@pytest.fixture
def me(service: ShareService) -> Account:
    return service.sign_up()


@pytest.fixture
def mine(service: ShareService, me: Account) -> httpx.Client:
    return service.client(account=me)


@pytest.fixture(scope="module")
def stranger(service: ShareService) -> httpx.Client:
    return service.client(account=service.sign_up())


@pytest.fixture(scope="module")
def administrator(service: ShareService) -> httpx.Client:
    return service.client(account=service.administrator())


def soon(hours: int = 1) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


# --- seeing


def test_a_share_tells_its_owner_everything(service: ShareService, me: Account, mine: httpx.Client) -> None:
    link = service.share_link(me, name="ü.mp4", size=77, uses=3, extension=".mp4", expires_at=soon())
    service.client().get(f"/f/{link.code}")
    found = mine.get(f"/v1/shares/{link.id}").json()
    assert set(found) == FIELDS
    assert found["url"] == f"{service.url}/f/{link.code}"
    assert found["code"].endswith(".mp4")
    assert (found["form"], found["kind"], found["file_id"]) == ("link", "file", str(link.file_id))
    assert (found["name"], found["size"], found["state"]) == ("ü.mp4", 77, "active")
    assert (found["downloads"], found["downloads_left"], found["has_password"]) == (1, 2, False)
    code = service.shared(owner=str(me.id))
    assert mine.get(f"/v1/shares/{code.id}").json()["url"] == f"{service.url}/c/{code.code}"


def test_a_share_is_shown_and_changed_while_upload_is_away(
    service: ShareService, me: Account, mine: httpx.Client
) -> None:
    link = service.share_link(me)
    service.upload.is_down = True
    try:
        changed = mine.patch(f"/v1/shares/{link.id}", json={"title": "New"})
        assert (changed.status_code, changed.json()["title"], changed.json()["items"]) == (200, "New", [])
    finally:
        service.upload.is_down = False


def test_a_list_holds_an_account_s_own_shares_the_newest_first(
    service: ShareService, me: Account, mine: httpx.Client, stranger: httpx.Client
) -> None:
    made = [str(service.share_link(me).id) for _ in range(5)]
    service.share_link(service.sign_up())
    service.share_link()
    pages: list[list[str]] = []
    after = None
    while True:
        query: dict[str, Any] = {"limit": 2, "after": after} if after else {"limit": 2}
        page = mine.get("/v1/shares", params=query).json()
        pages.append([share["id"] for share in page["shares"]])
        after = page["next"]
        if after is None:
            break
    assert pages == [[made[4], made[3]], [made[2], made[1]], [made[0]]]
    assert mine.get("/v1/shares", params={"limit": 5}).json()["next"] is None
    assert all(share["id"] not in made for share in stranger.get("/v1/shares").json()["shares"])


def test_only_an_administrator_lists_another_s(
    service: ShareService, me: Account, stranger: httpx.Client, administrator: httpx.Client
) -> None:
    link = service.share_link(me)
    found = administrator.get("/v1/shares", params={"owner": str(me.id)}).json()["shares"]
    assert [share["id"] for share in found] == [str(link.id)]
    for owner in (me.id, uuid4()):
        assert problem(stranger.get("/v1/shares", params={"owner": str(owner)})) == (403, "forbidden")
    assert stranger.get("/v1/shares", params={"owner": "nobody"}).status_code == 422


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "9" * 5000}, {"limit": "x"}])
def test_a_limit_beyond_measure_is_refused(mine: httpx.Client, query: dict[str, Any]) -> None:
    assert mine.get("/v1/shares", params=query).status_code == 422


@pytest.mark.parametrize("cursor", ["x", "ü", "\0", "AAAA", "A" * 32, "_" * 32, "/" * 32, "A" * 10_000])
def test_a_made_up_cursor_is_refused_or_leads_nowhere(
    service: ShareService, me: Account, mine: httpx.Client, cursor: str
) -> None:
    service.share_link(me)
    answer = mine.get("/v1/shares", params={"after": cursor})
    assert answer.status_code == 400 or (answer.status_code == 200 and answer.json()["shares"] == [])


def test_nothing_native_is_for_guests(service: ShareService) -> None:
    link, guest = service.share_link(), service.client()
    for method, path in (
        ("GET", "/v1/shares"),
        ("GET", f"/v1/shares/{link.id}"),
        ("PATCH", f"/v1/shares/{link.id}"),
        ("DELETE", f"/v1/shares/{link.id}"),
    ):
        assert problem(guest.request(method, path)) == (401, "credentials_missing")
        bad = guest.request(method, path, headers={"Authorization": "Bearer null"})
        assert problem(bad) == (401, "token_invalid")
    again = guest.post("/v1/shares", json={"file_id": str(link.file_id)})
    assert problem(again) == (401, "credentials_missing")


# --- changing


def test_an_owner_changes_name_end_count_and_password(service: ShareService, me: Account, mine: httpx.Client) -> None:
    link, visitor = service.share_link(me, name="a.exe", expires_at=soon()), service.client()
    path = f"/v1/shares/{link.id}"
    end = soon(5)
    changed = mine.patch(path, json={"name": "ü b.txt", "expires_at": end, "downloads_left": 2, "password": "pw"})
    assert changed.status_code == 200
    found = mine.get(path).json()
    assert found == changed.json()
    assert (found["name"], found["downloads_left"], found["has_password"]) == ("ü b.txt", 2, True)
    assert datetime.fromisoformat(found["expires_at"]) == datetime.fromisoformat(end)
    assert visitor.get(f"/f/{link.code}").status_code == 401
    shown = visitor.get(f"/f/{link.code}", headers={"X-Share-Password": "pw"})
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    again = mine.patch(path, json={"password": None, "expires_at": None, "downloads_left": None}).json()
    assert (again["name"], again["expires_at"]) == ("ü b.txt", None)
    assert (again["downloads_left"], again["has_password"]) == (None, False)
    assert served(visitor.get(f"/f/{link.code}"))
    assert mine.patch(path, json={}).json() == mine.get(path).json()


def test_an_end_in_the_past_ends_it(service: ShareService, me: Account, mine: httpx.Client) -> None:
    for moment in (PAST, "0001-01-01T00:00:00+14:00"):
        link = service.share_link(me)
        assert mine.patch(f"/v1/shares/{link.id}", json={"expires_at": moment}).json()["state"] == "ended"
        assert service.client().get(f"/f/{link.code}").status_code == 404


def test_a_share_that_was_used_up_can_be_given_uses(service: ShareService, me: Account, mine: httpx.Client) -> None:
    link, path = service.share_link(me, uses=1), "/v1/shares/"
    assert served(service.client().get(f"/f/{link.code}"))
    assert mine.get(f"{path}{link.id}").json()["state"] == "spent"
    assert service.client().get(f"/f/{link.code}").status_code == 404
    assert mine.patch(f"{path}{link.id}", json={"downloads_left": 1}).json()["state"] == "active"
    assert served(service.client().get(f"/f/{link.code}"))
    assert service.client().get(f"/f/{link.code}").status_code == 404


def test_what_has_ended_is_seen_but_not_changed(service: ShareService, me: Account, mine: httpx.Client) -> None:
    over, deleted = service.share_link(me, expires_at=PAST), service.share_link(me)
    mine.delete(f"/v1/shares/{deleted.id}")
    for share in (over, deleted):
        assert mine.get(f"/v1/shares/{share.id}").json()["state"] == "ended"
        for change in ({"expires_at": None}, {"downloads_left": 5}, {"name": "b"}):
            assert problem(mine.patch(f"/v1/shares/{share.id}", json=change)) == (410, "share_ended")
    assert {share["state"] for share in mine.get("/v1/shares").json()["shares"]} == {"ended"}


def test_a_stranger_finds_nothing_and_changes_nothing(
    service: ShareService, me: Account, mine: httpx.Client, stranger: httpx.Client
) -> None:
    for link in (service.share_link(me), service.share_link()):
        for answer in (
            stranger.get(f"/v1/shares/{link.id}"),
            stranger.patch(f"/v1/shares/{link.id}", json={"name": "taken"}),
            stranger.delete(f"/v1/shares/{link.id}"),
            stranger.get(f"/v1/shares/{uuid4()}"),
        ):
            assert problem(answer) == (404, "not_found")
        assert served(service.client().get(f"/f/{link.code}"))
    assert mine.get("/v1/shares").json()["shares"][0]["name"] == "a.bin"


@pytest.mark.parametrize("owned", [True, False])
def test_an_administrator_sees_and_deletes_and_does_no_more(
    service: ShareService, me: Account, administrator: httpx.Client, owned: bool
) -> None:
    link = service.share_link(me if owned else None)
    path = f"/v1/shares/{link.id}"
    assert administrator.get(path).json()["id"] == str(link.id)
    assert problem(administrator.patch(path, json={"name": "b"})) == (403, "forbidden")
    assert problem(administrator.post("/v1/shares", json={"file_id": str(link.file_id)})) == (403, "forbidden")
    assert administrator.delete(path).status_code == 204
    assert service.client().get(f"/f/{link.code}").status_code == 404


def test_an_owner_deletes_for_good_and_can_do_it_twice(service: ShareService, me: Account, mine: httpx.Client) -> None:
    link = service.share_link(me)
    for _ in range(2):
        assert mine.delete(f"/v1/shares/{link.id}").status_code == 204
    assert service.client().get(f"/f/{link.code}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"[" * 10_000, b"\xff", b'{"name": ""}', b'{"name": null}', b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}', b'{"name": 7}', b'{"name": "%s"}' % (b"x" * 1025), b'{"downloads_left": 0}',
        b'{"downloads_left": 2147483648}', b'{"downloads_left": %s}' % (b"9" * 5000), b'{"downloads_left": 1.5}',
        b'{"expires_at": "2026-01-01T00:00:00"}', b'{"expires_at": "9999-12-31T23:59:59-12:00"}', b'{"more": 1}',
         b'{"expires_at": "never"}', b'{"expires_at": 1e300}',
        b'{"password": ""}', b'{"password": "%s"}' % (b"x" * 1025), b'{"password": "%s"}' % ("ü" * 1000).encode(),
        b'{"password": "%s"}' % (b"x" * 1_000_000), b" " * 70_000,
    ],
    ids=range(25),
)  # fmt: skip
def test_a_change_that_is_none_is_refused(service: ShareService, me: Account, mine: httpx.Client, body: bytes) -> None:
    link = service.share_link(me)
    before = mine.get(f"/v1/shares/{link.id}").json()
    status, _ = problem(mine.patch(f"/v1/shares/{link.id}", content=body))
    assert status in (400, 413, 422)
    assert mine.get(f"/v1/shares/{link.id}").json() == before


def test_an_id_that_is_none_is_refused(mine: httpx.Client) -> None:
    for share_id in ("x", "%00", "7" * 5000):
        assert mine.get(f"/v1/shares/{share_id}").status_code == 422


# --- making


def test_a_file_is_shared_again_by_whoever_shares_it_already(
    service: ShareService, me: Account, mine: httpx.Client
) -> None:
    first = service.shared(owner=str(me.id), name="a.bin", size=77)
    made = mine.post("/v1/shares", json={"file_id": str(first.file_id)})
    assert made.status_code == 201
    link = made.json()
    assert (link["form"], link["name"], link["size"], link["downloads_left"]) == ("link", "a.bin", 77, None)
    assert link == mine.get(f"/v1/shares/{link['id']}").json()
    assert served(service.client().get(link["url"]))
    wanted = {
        "file_id": str(first.file_id), "form": "code", "name": "b.bin", "expires_at": soon(), "downloads": 2,
        "password": "pw",
    }  # fmt: skip
    code = mine.post("/v1/shares", json=wanted).json()
    assert (code["form"], code["name"], code["downloads_left"]) == ("code", "b.bin", 2)
    assert (code["has_password"], code["url"]) == (True, f"{service.url}/c/{code['code']}")
    asked = {"code": code["code"], "password": "pw"}
    assert service.client().post("/share/select/", json=asked).json()["detail"]["name"] == "b.bin"


def test_what_is_not_one_s_own_or_has_ended_is_not_shared_again(
    service: ShareService, me: Account, mine: httpx.Client, stranger: httpx.Client
) -> None:
    living, over, spent = service.share_link(me), service.share_link(me, expires_at=PAST), service.share_link(me)
    mine.delete(f"/v1/shares/{spent.id}")
    for client, file_id in (
        (stranger, living.file_id),
        (mine, over.file_id),
        (mine, spent.file_id),
        (mine, service.share_link().file_id),
        (mine, uuid4()),
    ):
        assert problem(client.post("/v1/shares", json={"file_id": str(file_id)})) == (404, "not_found")


@pytest.mark.parametrize(
    "change",
    [
        {"file_id": "x"},
        {"form": "word"},
        {"name": "a\0b"},
        {"name": ""},
        {"expires_at": PAST},
        {"expires_at": "2026-01-01"},
        {"expires_at": "9999-12-31T23:59:59Z"},
        {"downloads": 0},
        {"downloads": 2**31},
        {"downloads": 2**70},
        {"password": ""},
        {"password": "\ud800"},
    ],
    ids=ascii,
)
def test_a_share_that_cannot_be_made_is_refused(
    service: ShareService, me: Account, mine: httpx.Client, change: dict[str, Any]
) -> None:
    link = service.share_link(me)
    body = json.dumps({"file_id": str(link.file_id), **change})
    status, _ = problem(mine.post("/v1/shares", content=body))
    assert status in (400, 422)
    assert len(mine.get("/v1/shares").json()["shares"]) == 1


# --- links


def test_anyone_who_has_a_link_sees_what_it_names(
    service: ShareService, me: Account, mine: httpx.Client, stranger: httpx.Client
) -> None:
    link = service.share_link(me, name="a.mp4", size=5, uses=2)
    guest = service.client()
    named = {"name": "a.mp4", "size": 5, "kind": "file", "expires_at": None, "downloads_left": 2}
    for client, is_mine in ((guest, False), (stranger, False), (mine, True)):
        found = client.get(f"/v1/links/{link.code}").json()
        assert found == {**named, "needs_password": False, "mine": is_mine}
    assert served(guest.get(f"/f/{link.code}"))
    assert guest.get(f"/v1/links/{link.code}").json()["downloads_left"] == 1
    bad = guest.get(f"/v1/links/{link.code}", headers={"Authorization": "Bearer null"})
    assert problem(bad) == (401, "token_invalid")
    mine.delete(f"/v1/shares/{link.id}")
    for code in (link.code, "aaaaaaaaaa", "x", "%00", "a" * 5000):
        assert problem(guest.get(f"/v1/links/{code}")) == (404, "not_found")


# --- texts


def test_a_text_belongs_to_whoever_was_signed_in(service: ShareService, me: Account, mine: httpx.Client) -> None:
    code = mine.post("/share/text/", data={"text": "mine"}).json()["detail"]["code"]
    service.client().post("/share/text/", data={"text": "a guest's"})
    bad = service.client().post("/share/text/", data={"text": "x"}, headers={"Authorization": "Bearer null"})
    assert bad.status_code == 200
    found = mine.get("/v1/shares").json()["shares"]
    assert [(share["code"], share["kind"], share["file_id"]) for share in found] == [(code, "text", None)]
    assert mine.get("/api/get_files").json()["data"] == []
    assert mine.delete(f"/v1/shares/{found[0]['id']}").status_code == 204
    assert service.client().get("/share/select/", params={"code": code}).json()["code"] == 404
    with psycopg.connect(service.database_url) as connection:
        assert connection.execute("select body from share where code = %s", [code]).fetchone() == (None,)


def test_where_guests_may_not_share_an_account_may(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_share_service(make_database, valkey_url, open_upload=False) as service:
        signed_in, guest = service.client(account=service.sign_up()), service.client()
        assert signed_in.post("/share/text/", data={"text": "x"}).json()["code"] == 200
        assert guest.post("/share/text/", data={"text": "x"}).status_code == 403
        for header in ("Bearer null", "Bearer x"):
            refused = guest.post("/share/text/", data={"text": "x"}, headers={"Authorization": header})
            assert refused.status_code == 401
        assert len(signed_in.get("/v1/shares").json()["shares"]) == 1


def test_the_native_calls_are_documented_and_nothing_internal_is(service: ShareService) -> None:
    document = service.client().get("/v1/openapi/share.json").json()
    assert all(path.startswith("/v1/") for path in document["paths"])
    for path, method in (
        ("/v1/shares", "post"),
        ("/v1/shares/{share_id}", "patch"),
    ):
        schema = document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        assert "expires_at" in schema["properties"]
