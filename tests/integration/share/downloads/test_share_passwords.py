"""Passwords of shares and of files, over every way of redeeming, on real engines."""

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.passwords import Passwords
from tests.conftest import MakeDatabase
from tests.integration.share.asking import uses_left
from tests.integration.share.running_share import Account, SharedFile, ShareService, running_share_service

PASSWORD = "öffne dich ☂"
CHALLENGE = 'Basic realm="share"'

Ask = Callable[[httpx.Client, str, dict[str, str]], httpx.Response]


@pytest.fixture(scope="module")
def owner(service: ShareService) -> Account:
    return service.sign_up()


@pytest.fixture(scope="module")
def hashed() -> str:
    return asyncio.run(Passwords().hash(PASSWORD))


def basic(password: str, user: str = "anyone") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def header(password: str) -> dict[str, Any]:
    return {"X-Share-Password": password.encode()}


def protect(service: ShareService, share: SharedFile, hashed: str, by: str) -> SharedFile:
    """Give the share a password of its own, or its file."""
    if by == "file":
        service.upload.passwords[share.file_id] = hashed
        return share
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        connection.execute("update share set password_hash = %s where id = %s", [hashed, share.id])
    return share


def opened(answer: httpx.Response) -> bool:
    if answer.status_code != 200:
        return False
    return "x-store-path" in answer.headers or "detail" in answer.json()


def post(path: str) -> Ask:
    return lambda client, code, headers: client.post(path, json={"code": code}, headers=headers)


def get(path: str) -> Ask:
    return lambda client, code, headers: client.get(path, params={"code": code}, headers=headers)


def link(path: str) -> Ask:
    return lambda client, code, headers: client.get(f"{path}/{code}", headers=headers)


WAYS: dict[str, tuple[str, Ask]] = {
    "select": ("code", post("/share/select/")),
    "content": ("code", get("/share/select/")),
    "metadata": ("code", get("/share/metadata/")),
    "posted metadata": ("code", post("/share/metadata/")),
    "file": ("link", link("/file")),
    "f": ("link", link("/f")),
}


@pytest.mark.parametrize("by", ["share", "file"])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_told_or_taken_without_the_password(service: ShareService, hashed: str, way: str, by: str) -> None:
    form, ask = WAYS[way]
    share = protect(service, service.shared(form=form, uses=3, name="secret.bin"), hashed, by)
    client = service.client()
    for headers in ({}, basic("wrong"), header("wrong"), basic(""), {"Authorization": "Basic !"}, basic("x" * 5000)):
        answer = ask(client, share.code, headers)
        # FileCodeBox's pages sign out whoever is answered 401.
        assert answer.status_code == (403 if form == "code" else 401)
        assert answer.headers.get("www-authenticate") == (None if form == "code" else CHALLENGE)
        assert "secret.bin" not in answer.text + str(answer.headers)
        expected = {"detail"} if form == "code" else {"status", "message"}
        assert set(answer.json()) == expected
    assert uses_left(service, share) == 3
    for headers in (basic(PASSWORD), basic(PASSWORD, ""), header(PASSWORD)):
        assert opened(ask(client, share.code, headers))


@pytest.mark.parametrize("way", ["content", "file"])
def test_head_needs_it_too(service: ShareService, hashed: str, way: str) -> None:
    share = protect(service, service.shared(form=WAYS[way][0]), hashed, "share")
    path = f"/file/{share.code}" if way == "file" else f"/share/select/?code={share.code}"
    assert service.client().head(path).status_code == (401 if way == "file" else 403)
    assert service.client().head(path, headers=basic(PASSWORD)).status_code == 200


def test_a_resume_needs_it_too(service: ShareService, hashed: str) -> None:
    share = protect(service, service.share_link(uses=1), hashed, "share")
    client, rest = service.client(), {"Range": "bytes=50-"}
    assert opened(client.get(f"/f/{share.code}", headers=basic(PASSWORD)))
    assert client.get(f"/f/{share.code}", headers=rest).status_code == 401
    assert opened(client.get(f"/f/{share.code}", headers=rest | basic(PASSWORD)))


@pytest.mark.parametrize("kind", ["json", "data"])
@pytest.mark.parametrize("path", ["/share/select/", "/share/metadata/"])
def test_it_may_be_a_field_of_what_is_posted(service: ShareService, hashed: str, kind: str, path: str) -> None:
    share = protect(service, service.shared(), hashed, "share")
    client = service.client()
    right: dict[str, Any] = {kind: {"code": share.code, "password": PASSWORD}}
    wrong: dict[str, Any] = {kind: {"code": share.code, "password": "wrong"}}
    assert client.post(path, **right).json()["code"] == 200
    refused = client.post(path, **wrong)
    assert (refused.status_code, refused.json()) == (403, {"detail": "密码错误"})
    refused = client.post(path, json={"code": share.code})
    assert (refused.status_code, refused.json()) == (403, {"detail": "需要密码"})
    assert client.post(path, json={"code": share.code, "password": ["x"]}).status_code == 422


@pytest.mark.parametrize("by", ["share", "file"])
def test_a_key_that_the_password_was_given_for_is_enough(service: ShareService, hashed: str, by: str) -> None:
    share = protect(service, service.shared(), hashed, by)
    client = service.client()
    asked = {"code": share.code, "password": PASSWORD}
    url = client.post("/share/select/", json=asked).json()["detail"]["download_url"]
    assert opened(client.get(url))
    assert opened(service.client().get(url, headers={"Range": "bytes=5-"}))


@pytest.mark.parametrize("by", ["share", "file"])
def test_a_key_from_before_the_password_is_not(service: ShareService, hashed: str, by: str) -> None:
    share = service.shared(uses=2)
    client = service.client()
    url = client.post("/share/select/", json={"code": share.code}).json()["detail"]["download_url"]
    assert opened(client.get(url))
    protect(service, share, hashed, by)
    for headers in ({}, {"Range": "bytes=5-"}):
        assert client.get(url, headers=headers).status_code == 403
    assert uses_left(service, share) == 1
    assert opened(client.get(url, headers=basic(PASSWORD)))


def test_a_share_s_own_password_stands_over_its_file_s(service: ShareService, hashed: str) -> None:
    other = asyncio.run(Passwords().hash("the file's"))
    share = protect(service, service.share_link(), hashed, "share")
    service.upload.passwords[share.file_id] = other
    client = service.client()
    assert client.get(f"/f/{share.code}", headers=basic("the file's")).status_code == 401
    assert opened(client.get(f"/f/{share.code}", headers=basic(PASSWORD)))


def test_a_text_has_its_password_too(service: ShareService, owner: Account) -> None:
    mine = service.client(account=owner)
    code = mine.post("/share/text/", data={"text": "a secret", "expire_style": "count"}).json()["detail"]["code"]
    share_id = mine.get("/v1/shares").json()["shares"][0]["id"]
    assert mine.patch(f"/v1/shares/{share_id}", json={"password": PASSWORD}).json()["has_password"]
    client = service.client()
    for answer in (
        client.get("/share/select/", params={"code": code}),
        client.post("/share/select/", json={"code": code}),
        client.get("/share/metadata/", params={"code": code}),
    ):
        assert answer.status_code == 403
    assert client.get("/share/select/", params={"code": code}, headers=header(PASSWORD)).text == "a secret"


def test_a_link_s_description_tells_only_that_there_is_a_password(service: ShareService, hashed: str) -> None:
    for by in ("share", "file"):
        share = protect(service, service.share_link(name="secret.bin"), hashed, by)
        client = service.client()
        assert client.get(f"/v1/links/{share.code}").json() == {"needs_password": True, "mine": False}
        wrong = client.get(f"/v1/links/{share.code}", headers=header("wrong"))
        assert (wrong.status_code, wrong.json()["code"]) == (401, "share_password_wrong")
        # A browser would ask for what the page asks for itself.
        assert not wrong.headers["www-authenticate"].startswith("Basic")
        shown = client.get(f"/v1/links/{share.code}", headers=header(PASSWORD)).json()
        assert (shown["name"], shown["needs_password"], shown["mine"]) == ("secret.bin", True, False)


def test_an_owner_needs_no_password_to_see_what_a_link_names(
    service: ShareService, owner: Account, hashed: str
) -> None:
    share = protect(service, service.share_link(owner, name="secret.bin"), hashed, "share")
    found = service.client(account=owner).get(f"/v1/links/{share.code}").json()
    assert (found["name"], found["needs_password"], found["mine"]) == ("secret.bin", True, True)
    assert service.client(account=owner).get(f"/f/{share.code}").status_code == 401


def test_ten_wrong_ones_keep_an_address_from_a_share_and_from_no_other(service: ShareService, hashed: str) -> None:
    share, other = (protect(service, service.share_link(), hashed, "share") for _ in range(2))
    client = service.client()
    for _ in range(5):
        assert client.get(f"/f/{share.code}").status_code == 401, "none shown is no guess"
        assert opened(client.get(f"/f/{share.code}", headers=basic(PASSWORD))), "a right one is no guess"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get(f"/f/{share.code}", headers=basic("no")).status_code, range(14)))
    assert sorted(answers) == [401] * 10 + [429] * 4
    blocked = client.get(f"/f/{share.code}", headers=basic(PASSWORD))
    assert blocked.status_code == 429
    assert 1 <= int(blocked.headers["retry-after"]) <= 600
    assert client.get(f"/v1/links/{share.code}", headers=header(PASSWORD)).status_code == 429
    assert opened(client.get(f"/f/{other.code}", headers=basic(PASSWORD)))
    assert opened(service.client().get(f"/f/{share.code}", headers=basic(PASSWORD)))


def test_a_code_is_blocked_in_its_dialect_s_words(service: ShareService, hashed: str) -> None:
    share = protect(service, service.shared(), hashed, "share")
    client, asked = service.client(), {"code": share.code, "password": "wrong"}
    answers = [client.post("/share/select/", json=asked).status_code for _ in range(11)]
    assert answers == [403] * 10 + [423]


def test_wrong_ones_from_everywhere_keep_out_nobody_who_knows_the_password(service: ShareService, hashed: str) -> None:
    share = protect(service, service.share_link(), hashed, "share")

    def guess(client: httpx.Client) -> int:
        # What can be no password is refused without being hashed: two hundred of those are sent in no time.
        return client.get(f"/f/{share.code}", headers=header("x" * 2000)).status_code

    for client in (service.client() for _ in range(20)):
        assert [guess(client) for _ in range(10)] == [401] * 10
    stranger, innocent = service.client(), service.client()
    assert [guess(stranger) for _ in range(3)] == [401, 429, 429]
    assert stranger.get(f"/f/{share.code}", headers=basic(PASSWORD)).status_code == 429
    for _ in range(3):
        assert opened(innocent.get(f"/f/{share.code}", headers=basic(PASSWORD)))
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: innocent.get(f"/f/{share.code}", headers=basic(PASSWORD)), range(6)))
    assert all(opened(answer) for answer in answers)


def test_guessing_a_password_is_not_guessing_codes(make_database: MakeDatabase, valkey_url: str, hashed: str) -> None:
    with running_share_service(make_database, valkey_url, error_count=2) as service:
        share = protect(service, service.shared(), hashed, "share")
        client = service.client()
        for _ in range(4):
            assert client.post("/share/select/", json={"code": share.code}, headers=basic("no")).status_code == 403
        assert opened(client.post("/share/select/", json={"code": share.code}, headers=basic(PASSWORD)))


def test_of_what_is_over_no_password_is_asked(service: ShareService, hashed: str) -> None:
    share = protect(service, service.share_link(expires_at="2020-01-01T00:00:00Z"), hashed, "share")
    for headers in ({}, basic("wrong"), basic(PASSWORD)):
        for path in (f"/f/{share.code}", f"/v1/links/{share.code}", "/f/aaaaaaaaaa"):
            assert service.client().get(path, headers=headers if path[1] == "f" else {}).status_code == 404


def test_nothing_is_checked_while_nobody_counts(make_database: MakeDatabase, hashed: str) -> None:
    with running_share_service(make_database, "redis://127.0.0.1:1/0") as service:
        share = protect(service, service.share_link(), hashed, "share")
        assert service.client().get(f"/f/{share.code}").status_code == 401
        answer = service.client().get(f"/f/{share.code}", headers=basic(PASSWORD))
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        open_one = service.share_link(file_id=str(uuid4()))
        assert opened(service.client().get(f"/f/{open_one.code}"))
