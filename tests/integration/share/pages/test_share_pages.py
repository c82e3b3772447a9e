"""Pages of files, over HTTP on real engines: what they say, where they are found, how files are downloaded there."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.db.migrate import migrate
from common.errors import Gone, NotFound, NotReady
from tests.conftest import ROOT, MakeDatabase
from tests.integration.share.asking import change, is_page, served, uses_left
from tests.integration.share.running_share import SHA256, Account, ShareService, running_share_service

PAST = "2020-01-01T00:00:00Z"
MIRRORS = [
    {"id": 1, "name": "first", "state": "verified", "url": "https://one.example/f?a=1&b=2", "bytes_done": 100},
    {"id": 2, "name": "second", "state": "copying", "url": "https://two.example/early", "bytes_done": 45},
    {"id": 3, "name": "third", "state": "queued", "url": None, "bytes_done": 0},
    {"id": 4, "name": "fourth", "state": "failed", "url": None, "bytes_done": 7},
    {"id": 5, "name": "fifth", "state": "verified", "url": "javascript:alert(1)", "bytes_done": 100},
    {"id": 6, "name": "sixth", "state": "verified", "url": None, "bytes_done": 100},
    {"id": 7, "name": "seventh", "state": "removing", "url": "https://seven.example/", "bytes_done": 100},
    {"id": 8, "name": "eighth", "state": "removed", "url": "https://eight.example/", "bytes_done": 0},
]


@pytest.fixture
def me(service: ShareService) -> Account:
    return service.sign_up()


# --- what a page says


def test_a_page_tells_its_file_and_the_mirrors_that_have_it_or_will(
    client: httpx.Client, service: ShareService
) -> None:
    page = service.share_page(name="ü.bin", uses=3, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    service.upload.mirrors[page.file_id] = MIRRORS
    found = client.get(f"/v1/pages/{page.code}").json()
    assert (found["name"], found["size"], found["sha256"]) == ("ü.bin", 100, SHA256.hex())
    assert (found["downloads_left"], found["file_state"]) == (3, "ready")
    assert (found["needs_password"], found["mine"]) == (False, False)
    assert datetime.fromisoformat(found["created_at"]) < datetime.now(UTC) < datetime.fromisoformat(found["expires_at"])
    assert found["download_url"] == f"{service.url}/m/{page.code}/download"
    assert [(each["id"], each["name"], each["state"], each["url"]) for each in found["mirrors"]] == [
        (1, "first", "verified", "https://one.example/f?a=1&b=2"),
        (2, "second", "copying", None),
        (3, "third", "queued", None),
        (4, "fourth", "failed", None),
        (5, "fifth", "verified", None),
        (6, "sixth", "verified", None),
    ]
    assert found["mirrors"][1]["bytes_done"] == 45
    assert served(client.get(found["download_url"]))
    assert client.get(f"/v1/pages/{page.code}").json()["downloads_left"] == 2


def test_a_file_that_is_not_ready_has_no_digest_yet(client: httpx.Client, service: ShareService) -> None:
    pending, corrupt = service.share_page(), service.share_page()
    service.upload.states.update({pending.file_id: "pending", corrupt.file_id: "corrupt"})
    found = client.get(f"/v1/pages/{pending.code}").json()
    assert (found["file_state"], found["sha256"]) == ("pending", None)
    assert found["download_url"].endswith(f"/m/{pending.code}/download")
    found = client.get(f"/v1/pages/{corrupt.code}").json()
    assert (found["file_state"], found["sha256"], found["download_url"]) == ("corrupt", None, None)


def test_an_owner_is_told_that_it_is_theirs(service: ShareService, me: Account) -> None:
    page = service.share_page(me)
    assert service.client(account=me).get(f"/v1/pages/{page.code}").json()["mine"] is True
    bad = service.client().get(f"/v1/pages/{page.code}", headers={"Authorization": "Bearer null"})
    assert bad.status_code == 401


def test_the_document_says_the_same_in_words(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page(name="ü <b>.bin", size=1_572_864, uses=3)
    service.upload.mirrors[page.file_id] = MIRRORS
    answer = client.get(f"/m/{page.code}")
    assert is_page(answer, 200)
    text = answer.text
    for expected in (
        "ü &lt;b&gt;.bin", "1.5 MiB (1,572,864 bytes)", SHA256.hex(), "after 3 more downloads", "copied and verified",
        "being copied, 0 %", "waiting", "failed, will be tried again", f'href="/m/{page.code}/download"',
        'href="https://one.example/f?a=1&amp;b=2" rel="noopener noreferrer nofollow"',
    ):  # fmt: skip
        assert expected in text
    for unexpected in ("<b>", "javascript:", "two.example", "seventh", "eighth", "<script"):
        assert unexpected not in text
    chinese = client.get(f"/m/{page.code}", headers={"Accept-Language": "zh-Hans-CN,zh;q=0.9,en;q=0.8"}).text
    assert '<html lang="zh-CN">' in chinese
    assert "再下载 3 次后" in chinese


def test_head_answers_as_get_does_without_the_document(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page()
    for path, status in ((f"/m/{page.code}", 200), ("/m/aaaaaaaaaaaa", 404)):
        head, get = client.head(path), client.get(path)
        assert is_page(head, status)
        assert head.content == b""
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))


# --- where pages are found, and where not


@pytest.mark.parametrize(
    "path",
    ["/m/aaaaaaaaaaaa", "/m/x", "/m/", "/m/%00", "/m/" + "a" * 5000, "/m/a/b/c", "/m/%3Cscript%3E", "/m/aaaaaaaaaaaa/",
     "/m/aaaaaaaaaaaa/download", "/m/aaaaaaaaaaaa/download/"],
)  # fmt: skip
def test_an_address_of_nothing_is_a_page_too(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert is_page(answer, 404)
    assert "There is no such page" in answer.text
    assert "<script" not in answer.text


def test_a_slash_at_the_end_leads_nowhere(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page()
    for path in (f"/m/{page.code}/", f"/m/{page.code}/download/", f"/m/{page.code.upper()}", f"/m/{page.code}%0A"):
        for method in ("GET", "HEAD", "POST"):
            assert client.request(method, path).status_code == 404
    assert client.get(f"/v1/pages/{page.code.upper()}").status_code == 404


def test_a_wrong_method_is_405(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page()
    for method, path in (("PUT", f"/m/{page.code}"), ("DELETE", f"/m/{page.code}/download"), ("PATCH", "/m/x/")):
        assert client.request(method, path).status_code == 405


def test_no_form_of_share_is_found_as_another(client: httpx.Client, service: ShareService) -> None:
    page, link, code = service.share_page(), service.share_link(), service.shared()
    assert len(page.code) == 12
    # Even where one looks like another, the form decides.
    for share, disguise in ((service.share_link(), "pagepagepage"), (service.share_page(), "LINKLINKLI")):
        change(service, "update share set code = %s where id = %s", disguise, share.id)
    change(service, "update share set code = 'PAGEX' where id = %s", service.share_page().id)
    for slug in (link.code, code.code, "pagepagepage", "PAGEX"):
        assert client.get(f"/v1/pages/{slug}").status_code == 404
        for path in (f"/m/{slug}", f"/m/{slug}/download"):
            assert client.get(path).status_code == 404
    for name in (page.code, "LINKLINKLI"):
        for path in (f"/f/{name}", f"/file/{name}", f"/v1/links/{name}"):
            assert client.get(path).status_code == 404
        assert client.get(f"/api/delete/{name}", params={"key": page.delete_key}).status_code == 404
    for name in (page.code, "PAGEX"):
        assert client.get("/share/select/", params={"code": name}).json()["code"] == 404
        assert client.post("/share/metadata/", json={"code": name}).json()["code"] == 404
    assert is_page(client.get(f"/m/{page.code}"), 200)


def test_a_page_is_nowhere_where_only_links_belong(service: ShareService, me: Account) -> None:
    page, link = service.share_page(me), service.share_link(me)
    client = service.client(account=me)
    rows = client.get("/api/get_files").json()["data"]
    assert [row["file_url"] for row in rows] == [link.code]
    nobodys = service.share_page()
    row = {"file_url": nobodys.code, "key": nobodys.delete_key}
    assert client.post("/api/transfer", json={"data": [row]}).json()["unsuccess"] == [row]
    assert {share["code"] for share in client.get("/v1/shares").json()["shares"]} == {page.code, link.code}


def test_an_owner_shares_a_file_by_a_page(service: ShareService, me: Account) -> None:
    client, first = service.client(account=me), service.share_link(me, name="a.bin")
    made = client.post("/v1/shares", json={"file_id": str(first.file_id), "form": "page", "name": "b.bin"})
    assert made.status_code == 201, made.text
    page = made.json()
    assert (page["form"], page["url"]) == ("page", f"{service.url}/m/{page['code']}")
    assert "b.bin" in service.client().get(page["url"]).text
    assert client.get(f"/v1/shares/{page['id']}").json() == page
    assert client.patch(f"/v1/shares/{page['id']}", json={"password": "pw"}).json()["has_password"]
    assert "b.bin" not in service.client().get(page["url"]).text


def test_pages_are_absolute_under_the_configured_address(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_share_service(make_database, valkey_url, public_url="https://files.example.org/") as service:
        me = service.sign_up()
        page, client = service.share_page(me), service.client(account=me)
        assert client.get("/v1/shares").json()["shares"][0]["url"] == f"https://files.example.org/m/{page.code}"
        url = client.get(f"/v1/pages/{page.code}").json()["download_url"]
        assert url == f"https://files.example.org/m/{page.code}/download"


@pytest.mark.parametrize(
    "changes",
    [
        {"form": "word"},
        {"password_hash": "pw"},
        {"password_hash": "$argon2id$" + "x" * 600},
        {"password_hash": "$2b$x"},
    ],
    ids=range(4),
)
def test_a_page_that_cannot_be_made_is_refused(service: ShareService, changes: dict[str, Any]) -> None:
    body = {"origin": "o", "file_id": str(uuid4()), "name": "a", "size": 1, "expires_at": None, "uses": None}
    assert service.internal("POST", "/internal/shares", {**body, **changes}).status_code == 422


# --- what is over, gone, not ready or down


@pytest.mark.parametrize("error", [NotFound(), Gone()])
def test_a_page_whose_file_is_gone_is_unknown(
    client: httpx.Client, service: ShareService, error: NotFound | Gone
) -> None:
    page = service.share_page(uses=1)
    service.upload.says[page.file_id] = error
    assert client.get(f"/v1/pages/{page.code}").json()["code"] == "not_found"
    assert is_page(client.get(f"/m/{page.code}"), 404)
    assert is_page(client.get(f"/m/{page.code}/download"), 404)
    assert uses_left(service, page) == 1


def test_a_file_under_verification_is_425_and_costs_nothing(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page(uses=1)
    service.upload.says[page.file_id] = NotReady()
    answer = client.get(f"/m/{page.code}/download")
    assert is_page(answer, 425)
    assert int(answer.headers["retry-after"]) >= 1
    del service.upload.says[page.file_id]
    service.upload.states[page.file_id] = "pending"
    text = client.get(f"/m/{page.code}").text
    assert "being verified" in text
    assert "/download" not in text
    assert uses_left(service, page) == 1


def test_an_upload_service_that_is_down_is_503(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page()
    service.upload.is_down = True
    try:
        answers = [client.get(f"/m/{page.code}"), client.get(f"/m/{page.code}/download")]
        problem = client.get(f"/v1/pages/{page.code}")
    finally:
        service.upload.is_down = False
    for answer in answers:
        assert is_page(answer, 503)
    assert problem.headers["content-type"] == "application/problem+json"
    assert all("retry-after" in answer.headers for answer in [*answers, problem])


def test_a_page_lives_until_its_very_moment(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page(expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert is_page(client.get(f"/m/{page.code}"), 200)
    change(service, "update share set expires_at = now() where id = %s", page.id)
    assert is_page(client.get(f"/m/{page.code}"), 410)
    assert is_page(client.get(f"/m/{page.code}/download"), 410)
    assert client.get(f"/v1/pages/{page.code}").status_code == 410


# --- downloading


def test_a_download_is_an_attachment_of_bytes(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page(name="ü.html")
    answer = client.get(f"/m/{page.code}/download")
    assert served(answer)
    assert answer.headers["x-store-path"] == f"/bucket/{page.file_id}?for=GET"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename=\"_.html\"; filename*=UTF-8''%C3%BC.html"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["repr-digest"].startswith("sha-256=:")


def test_head_resumes_and_looks_take_no_use(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page(uses=1)
    path = f"/m/{page.code}/download"
    for _ in range(3):
        assert client.head(path).headers["x-store-path"].endswith("?for=HEAD")
        assert is_page(client.get(f"/m/{page.code}"), 200)
    assert uses_left(service, page) == 1
    assert served(client.get(path))
    assert served(client.get(path, headers={"Range": "bytes=50-"}))
    assert served(client.head(path))
    for other, headers in ((client, {}), (service.client(), {"Range": "bytes=50-"})):
        assert is_page(other.get(path, headers=headers), 410)
    assert is_page(client.get(f"/m/{page.code}"), 410)


def test_so_many_downloads_and_then_410_however_many_come_at_once(service: ShareService) -> None:
    page = service.share_page(uses=7)
    clients = [service.client() for _ in range(20)]
    barrier = threading.Barrier(len(clients))

    def fetch(client: httpx.Client) -> httpx.Response:
        barrier.wait()
        return client.get(f"/m/{page.code}/download")

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(fetch, clients))
    assert sum(served(answer) for answer in answers) == 7
    assert sum(answer.status_code == 410 for answer in answers) == 13


def test_more_than_sixteen_ranges_are_refused(client: httpx.Client, service: ShareService) -> None:
    page = service.share_page(uses=1)
    header = "bytes=" + ",".join(f"{n}-{n}" for n in range(17))
    assert is_page(client.get(f"/m/{page.code}/download", headers={"Range": header}), 416)
    assert served(client.get(f"/m/{page.code}/download"))


def test_looking_for_pages_takes_no_budget_for_guesses(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_share_service(make_database, valkey_url, error_count=2, guess_global_count=2) as service:
        client, page = service.client(), service.share_page()
        for _ in range(10):
            assert client.get("/m/aaaaaaaaaaaa").status_code == 404
        assert is_page(client.get(f"/m/{page.code}"), 200)


# --- rows from before there were pages


def test_shares_from_before_keep_what_they_were_and_get_numbers(make_database: MakeDatabase, tmp_path: Path) -> None:
    folder = Path(ROOT / "services/share/migrations")
    for migration in sorted(folder.glob("000[12]_*.sql")):
        (tmp_path / migration.name).write_bytes(migration.read_bytes())
    url = make_database(tmp_path)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "insert into share (id, form, code, kind, file_id, name, size, created_at)"
            " select gen_random_uuid(), 'link', 'many' || n, 'file', gen_random_uuid(), 'x', 1, now()"
            " from generate_series(1, 50) n"
        )
        assert migrate(url, folder)[0] == "0003_pages.sql"
        rows = connection.execute("select form, ended_for, number from share").fetchall()
        assert {row[:2] for row in rows} == {("link", None)}
        assert len({row[2] for row in rows}) == 50
