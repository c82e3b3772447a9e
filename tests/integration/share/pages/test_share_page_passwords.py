"""Pages with a password, over HTTP on real engines: the form, the keys it gives, and how often one may be wrong."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.passwords import Passwords
from share_service.downloads.keys import LIFETIME
from tests.conftest import MakeDatabase
from tests.integration.share.asking import is_page, served, uses_left
from tests.integration.share.running_share import SharedFile, ShareService, running_share_service

PASSWORD = "öffne dich ☂"
CHALLENGE = 'X-Share-Password realm="share"'


@pytest.fixture(scope="module")
def hashed() -> str:
    return asyncio.run(Passwords().hash(PASSWORD))


@pytest.fixture(params=["share", "file"])
def page(request: pytest.FixtureRequest, service: ShareService, hashed: str) -> SharedFile:
    """A page that has a password of its own, or whose file has one."""
    return protected(service, hashed, request.param)


def protected(service: ShareService, hashed: str, by: str = "share", **changes: Any) -> SharedFile:
    if by == "share":
        return service.share_page(name="secret.bin", password_hash=hashed, **changes)
    file_id = uuid4()
    service.upload.passwords[file_id] = hashed
    return service.share_page(name="secret.bin", file_id=str(file_id), **changes)


def header(password: str) -> dict[str, Any]:
    return {"X-Share-Password": password.encode()}


def unlock(client: httpx.Client, page: SharedFile, password: str = PASSWORD) -> httpx.Response:
    return client.post(f"/m/{page.code}", data={"password": password})


def link_in(answer: httpx.Response) -> str:
    """Where the page's button leads."""
    assert is_page(answer, 200)
    return unescape(answer.text.partition('class="button" href="')[2].partition('"')[0])


def test_without_the_password_there_is_only_a_form(client: httpx.Client, page: SharedFile) -> None:
    for answer in (client.get(f"/m/{page.code}"), client.get(f"/m/{page.code}", headers=header(PASSWORD))):
        assert is_page(answer, 200)
        assert f'<form method="post" action="/m/{page.code}">' in answer.text
        assert "secret.bin" not in answer.text
        assert "/download" not in answer.text


def test_the_password_opens_the_page_and_its_download(
    client: httpx.Client, service: ShareService, page: SharedFile
) -> None:
    service.upload.mirrors[page.file_id] = [
        {"id": 1, "name": "first", "state": "verified", "url": "https://one.example/", "bytes_done": 100}
    ]
    answer = unlock(client, page)
    assert "secret.bin" in answer.text
    assert "one.example" in answer.text
    link = link_in(answer)
    assert link.startswith(f"/m/{page.code}/download?key=")
    assert served(client.get(link))
    assert served(service.client().get(link, headers={"Range": "bytes=5-"}))
    assert served(client.head(link))
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("password", ["wrong", "", "x" * 5000, "\0", "<script>", PASSWORD + " "])
def test_a_wrong_one_shows_the_form_again(client: httpx.Client, page: SharedFile, password: str) -> None:
    answer = unlock(client, page, password)
    assert is_page(answer, 401)
    assert answer.headers["www-authenticate"] == CHALLENGE
    assert f'<form method="post" action="/m/{page.code}">' in answer.text
    assert 'role="alert"' in answer.text
    assert "secret.bin" not in answer.text
    assert "<script>" not in answer.text


def test_a_post_that_is_no_such_form_opens_nothing(client: httpx.Client, page: SharedFile) -> None:
    path = f"/m/{page.code}"
    for content, kind, status in (
        (b'{"password": "x"}', "application/json", 400),
        (b"", "", 400),
        (b"password=%ff", "application/x-www-form-urlencoded", 400),
        (b"other=1", "application/x-www-form-urlencoded", 401),
        (b"password=" + b"x" * 100_000, "application/x-www-form-urlencoded", 413),
    ):
        assert is_page(client.post(path, content=content, headers={"Content-Type": kind}), status)
    assert is_page(client.post(path, files={"password": (None, PASSWORD)}), 200)


def test_a_page_without_a_password_is_shown_to_who_sends_one(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page()
    assert link_in(unlock(client, page, "anything")) == f"/m/{page.code}/download"


def test_the_json_is_closed_without_the_password(client: httpx.Client, page: SharedFile) -> None:
    path = f"/v1/pages/{page.code}"
    assert client.get(path).json() == {"needs_password": True, "mine": False}
    wrong = client.get(path, headers=header("wrong"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "share_password_wrong")
    assert wrong.headers["www-authenticate"] == CHALLENGE
    found = client.get(path, headers=header(PASSWORD)).json()
    assert (found["name"], found["needs_password"]) == ("secret.bin", True)
    assert served(client.get(found["download_url"]))


def test_an_owner_sees_the_page_without_the_password_but_gets_no_key(service: ShareService, hashed: str) -> None:
    me = service.sign_up()
    page = service.share_page(me, name="secret.bin", password_hash=hashed)
    client = service.client(account=me)
    found = client.get(f"/v1/pages/{page.code}").json()
    assert (found["name"], found["needs_password"], found["mine"]) == ("secret.bin", True, True)
    assert client.get(found["download_url"]).status_code == 401
    assert served(client.get(client.get(f"/v1/pages/{page.code}", headers=header(PASSWORD)).json()["download_url"]))


def test_a_download_without_a_key_asks_for_the_password(
    client: httpx.Client, service: ShareService, page: SharedFile
) -> None:
    path = f"/m/{page.code}/download"
    for answer in (client.get(path), client.get(path, headers=header("wrong")), client.head(path)):
        assert is_page(answer, 401)
        assert answer.headers["www-authenticate"] == CHALLENGE
        assert "secret.bin" not in answer.text + str(answer.headers)
    assert served(client.get(path, headers=header(PASSWORD)))


def test_only_a_key_of_this_page_for_its_password_opens_it(
    client: httpx.Client, service: ShareService, hashed: str, page: SharedFile
) -> None:
    path, now = f"/m/{page.code}/download", datetime.now(UTC)
    other = link_in(unlock(client, protected(service, hashed))).partition("=")[2]
    for key in ("", "x", "0" * 64, other, link_in(unlock(client, page)).partition("=")[2][:-1] + "g"):
        answer = client.get(path, params={"key": key})
        assert is_page(answer, 403)
        assert f'href="/m/{page.code}"' in answer.text
    assert client.get(path, params={"key": service.keys.issue(page.code, now)}).status_code == 401
    assert served(client.get(path, params={"key": service.keys.issue(page.code, now, password_hash=hashed)}))
    assert client.get(f"/m/{'a' * 12}/download", params={"key": other}).status_code == 403


def test_a_key_starts_downloads_for_half_an_hour_and_resumes_for_longer(
    client: httpx.Client, service: ShareService, hashed: str
) -> None:
    page = protected(service, hashed, uses=2)
    issued = datetime.now(UTC) - LIFETIME - timedelta(seconds=5)
    link = f"/m/{page.code}/download?key={service.keys.issue(page.code, issued, password_hash=hashed)}"
    assert is_page(client.get(link), 403)
    assert uses_left(service, page) == 2
    # Nearly over, but good for one start; its holder may resume when it is.
    nearly = datetime.now(UTC) - LIFETIME + timedelta(seconds=60)
    link = f"/m/{page.code}/download?key={service.keys.issue(page.code, nearly, password_hash=hashed)}"
    assert served(client.get(link))
    assert served(client.get(link, headers={"Range": "bytes=50-"}))
    assert uses_left(service, page) == 1


def test_ten_wrong_ones_keep_an_address_from_a_page_by_every_way_to_it(service: ShareService, hashed: str) -> None:
    page, other = protected(service, hashed), protected(service, hashed)
    client = service.client()
    for _ in range(3):
        assert is_page(client.get(f"/m/{page.code}"), 200)
        assert unlock(client, page, "").status_code == 401, "none shown is no guess"
        assert unlock(client, page).status_code == 200, "a right one is no guess"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: unlock(client, page, f"wrong {n}").status_code, range(14)))
    assert sorted(answers) == [401] * 10 + [429] * 4
    blocked = unlock(client, page)
    assert is_page(blocked, 429)
    assert 1 <= int(blocked.headers["retry-after"]) <= 600
    assert "secret.bin" not in blocked.text
    assert client.get(f"/v1/pages/{page.code}", headers=header(PASSWORD)).status_code == 429
    assert client.get(f"/m/{page.code}/download", headers=header(PASSWORD)).status_code == 429
    assert unlock(client, other).status_code == 200
    assert unlock(service.client(), page).status_code == 200


def test_wrong_ones_from_everywhere_keep_only_those_from_the_page_who_missed(
    service: ShareService, hashed: str
) -> None:
    # What can be no password is refused without being hashed: two hundred of those are sent in no time.
    page, missed = protected(service, hashed), service.client()
    assert unlock(missed, page, "x" * 2000).status_code == 401
    for _ in range(20):
        client = service.client()
        assert [unlock(client, page, "x" * 2000).status_code for _ in range(10)] in ([401] * 10, [401] * 9 + [429])
    assert unlock(missed, page).status_code == 429
    assert unlock(service.client(), page).status_code == 200


def test_nothing_is_checked_while_nobody_counts(make_database: MakeDatabase, hashed: str) -> None:
    with running_share_service(make_database, "redis://127.0.0.1:1/0") as service:
        page = protected(service, hashed)
        assert is_page(service.client().get(f"/m/{page.code}"), 200)
        answer = unlock(service.client(), page)
        assert is_page(answer, 503)
        assert "retry-after" in answer.headers


def test_of_what_is_over_no_password_is_asked(client: httpx.Client, service: ShareService, hashed: str) -> None:
    page = protected(service, hashed, expires_at="2020-01-01T00:00:00Z")
    for answer in (client.get(f"/m/{page.code}"), unlock(client, page, "wrong"), unlock(client, page)):
        assert is_page(answer, 410)
        assert "secret.bin" not in answer.text
    assert client.get(f"/v1/pages/{page.code}").status_code == 410
