"""The ends of pages: their causes, how long those are remembered, and how MirrorAce's clients ask for them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from share_service.context import Context
from share_service.shares.sweeping import sweep
from tests.integration.share.asking import change, is_page
from tests.integration.share.running_share import Account, SharedFile, ShareService

PAST = "2020-01-01T00:00:00Z"
NOT_FOUND = {**dict.fromkeys(("id", "name", "slug", "size", "url"), "null"), "status": "not found"}
Key = dict[str, str]


@pytest.fixture(scope="module")
def me(service: ShareService) -> Account:
    return service.sign_up()


@pytest.fixture(scope="module")
def key(service: ShareService, me: Account) -> Key:
    return service.key_of(me)


@pytest.fixture(scope="module")
def stranger(service: ShareService) -> Key:
    return service.key_of(service.sign_up())


@pytest.fixture(scope="module")
def administrator(service: ShareService) -> httpx.Client:
    return service.client(account=service.administrator())


def ask(service: ShareService, body: dict[str, Any], **how: Any) -> httpx.Response:
    return service.client().post("/api/v1/file/info", data=body, **how)


def info(service: ShareService, key: Key, *slugs: str) -> dict[str, Any]:
    answer = ask(service, {**key, "files": ",".join(slugs)})
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "result"}
    assert answer.json()["status"] == "success", answer.text
    return answer.json()["result"]


def status_of(service: ShareService, key: Key, page: SharedFile) -> str:
    return info(service, key, page.code)[page.code]["status"]


def refusal(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "result"}
    assert answer.json()["status"] == "error"
    assert isinstance(answer.json()["result"], str)
    return answer.json()["result"]


# --- asking


def test_a_file_is_told_in_texts_that_are_numbers_where_numbers_belong(
    service: ShareService, me: Account, key: Key
) -> None:
    page, other = service.share_page(me, name="ü, b.jpg", size=35892), service.share_page(me)
    found = info(service, key, page.code)
    row = found[page.code]
    assert found == {
        page.code: {
            "id": row["id"],
            "name": "ü, b.jpg",
            "slug": page.code,
            "size": "35892",
            "url": f"{service.url}/m/{page.code}",
            "status": "active",
        }
    }
    assert 0 < int(row["id"]) < 2**63
    assert int(info(service, key, other.code)[other.code]["id"]) > int(row["id"])
    assert info(service, key, page.code) == found


def test_several_are_told_in_the_order_asked_and_each_once(service: ShareService, me: Account, key: Key) -> None:
    pages = [service.share_page(me) for _ in range(3)]
    slugs = [pages[2].code, "7hzz", pages[0].code]
    found = info(service, key, f" {slugs[0]} ", *slugs, "", slugs[0])
    assert list(found) == slugs
    assert [found[slug]["status"] for slug in slugs] == ["active", "not found", "active"]


@pytest.mark.parametrize("slug", ["7hzz", "aaaaaaaaaaaa", "x" * 5000, "\0", "ü", "' or 1=1", "a/../b"])
def test_what_is_unknown_is_null_in_words(service: ShareService, key: Key, slug: str) -> None:
    assert info(service, key, slug) == {slug: NOT_FOUND}


def test_codes_and_links_are_no_slugs(service: ShareService, me: Account, key: Key) -> None:
    shares = [service.share_link(me), service.shared(owner=str(me.id))]
    change(service, "update share set code = 'linklinklink' where id = %s", service.share_link(me).id)
    for slug in (*(share.code for share in shares), "linklinklink"):
        assert info(service, key, slug) == {slug: NOT_FOUND}


def test_fifty_are_told_at_once_and_not_one_more(service: ShareService, key: Key) -> None:
    slugs = [f"{number:012}" for number in range(51)]
    assert len(info(service, key, *slugs[:50], *slugs[:50])) == 50
    assert "50" in refusal(ask(service, {**key, "files": ",".join(slugs)}))


@pytest.mark.parametrize("files", [None, "", ",", " , ,"])
def test_no_slug_is_an_error(service: ShareService, key: Key, files: str | None) -> None:
    body = key if files is None else {**key, "files": files}
    assert refusal(ask(service, body)) == "files is missing"


def test_the_form_comes_in_either_encoding_with_fields_nobody_knows(
    service: ShareService, me: Account, key: Key
) -> None:
    page, client = service.share_page(me), service.client()
    body = {**key, "server": "x", "max_chunk_size": "7", "files": page.code, "upload_key_expiry": "2018-10-23 11:07:02"}
    multipart = client.post("/api/v1/file/info", files={name: (None, text) for name, text in body.items()})
    assert multipart.json() == ask(service, body).json()
    assert multipart.json()["result"][page.code]["status"] == "active"


def test_without_a_key_nothing_is_told(service: ShareService, me: Account, key: Key, stranger: Key) -> None:
    files = {"files": service.share_page(me).code}
    for body in (
        files,
        {**files, "api_key": key["api_key"]},
        {**files, "api_key": key["api_key"], "api_token": stranger["api_token"]},
        {**files, "api_key": "0" * 32, "api_token": "0" * 32},
        {**files, "api_key": key["api_token"], "api_token": key["api_key"]},
        {**files, "api_key": "x", "api_token": "\0"},
    ):
        assert refusal(ask(service, body)) == "Invalid api_key or api_token"
    assert refusal(ask(service, files, headers=me.headers)) == "Invalid api_key or api_token"


def test_a_body_that_is_no_form_is_an_error_of_the_dialect(service: ShareService, key: Key) -> None:
    client = service.client()
    for content, kind in (
        (b"", ""),
        (b"{}", "application/json"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=b"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 2_000_000, "application/x-www-form-urlencoded"),
    ):
        refusal(client.post("/api/v1/file/info", content=content, headers={"Content-Type": kind}))
    wrong = client.get("/api/v1/file/info")
    assert (wrong.status_code, wrong.json()) == (405, {"status": "error", "result": "Method Not Allowed"})


def test_a_stranger_is_told_the_name_only_where_the_page_shows_it(
    service: ShareService, me: Account, key: Key, stranger: Key, administrator: httpx.Client
) -> None:
    open_page = service.share_page(me, name="open.bin")
    own, by_file = service.share_page(me, password_hash="$argon2id$x"), service.share_page(me)
    service.upload.passwords[by_file.file_id] = "$argon2id$x"
    over = service.share_page(me, expires_at=PAST)
    hidden = [own, by_file, over]
    slugs = [page.code for page in (open_page, *hidden)]
    told = info(service, stranger, *slugs)
    assert (told[open_page.code]["name"], told[open_page.code]["size"]) == ("open.bin", "100")
    for page in hidden:
        row = told[page.code]
        assert (row["name"], row["size"], row["slug"]) == ("null", "null", page.code)
    assert [row["status"] for row in told.values()] == ["active", "active", "active", "user removed"]
    for body in (key, service.key_of(service.administrator())):
        assert {row["name"] for row in info(service, body, *slugs).values()} == {"open.bin", "a.bin"}


def test_while_upload_is_down_owners_are_answered_all_the_same(
    service: ShareService, me: Account, key: Key, stranger: Key
) -> None:
    page = service.share_page(me)
    service.upload.is_down = True
    try:
        assert status_of(service, key, page) == "active"
        answer = ask(service, {**stranger, "files": page.code})
    finally:
        service.upload.is_down = False
    assert (answer.status_code, answer.json()["status"]) == (503, "error")
    assert "retry-after" in answer.headers


# --- what ended a page


def test_who_ended_a_page_is_told_everywhere(
    service: ShareService, me: Account, key: Key, administrator: httpx.Client
) -> None:
    mine, client = service.client(account=me), service.client()
    pages = {name: service.share_page(me) for name in ("owner", "administrator", "copyright")}
    assert mine.delete(f"/v1/shares/{pages['owner'].id}").status_code == 204
    assert administrator.delete(f"/v1/shares/{pages['administrator'].id}").status_code == 204
    assert administrator.delete(f"/v1/shares/{pages['copyright'].id}?reason=copyright").status_code == 204
    for name, status, words in (
        ("owner", "user removed", "ended by its owner"),
        ("administrator", "admin removed", "ended by an administrator."),
        ("copyright", "copyright removed", "for reasons of copyright"),
    ):
        page = pages[name]
        row = info(service, key, page.code)[page.code]
        assert (row["status"], row["name"], row["slug"]) == (status, "a.bin", page.code)
        for path in (f"/m/{page.code}", f"/m/{page.code}/download"):
            answer = client.get(path)
            assert is_page(answer, 410)
            assert words in answer.text
            assert "a.bin" not in answer.text
        problem = client.get(f"/v1/pages/{page.code}")
        assert (problem.status_code, problem.json()["code"]) == (410, "share_ended")
        assert words in problem.json()["detail"]


def test_the_first_end_stands(service: ShareService, me: Account, key: Key, administrator: httpx.Client) -> None:
    page = service.share_page(me)
    service.client(account=me).delete(f"/v1/shares/{page.id}")
    assert administrator.delete(f"/v1/shares/{page.id}?reason=copyright").status_code == 204
    assert status_of(service, key, page) == "user removed"


def test_only_an_administrator_gives_a_reason(
    service: ShareService, me: Account, key: Key, administrator: httpx.Client
) -> None:
    page = service.share_page(me)
    path = f"/v1/shares/{page.id}"
    assert service.client(account=me).delete(f"{path}?reason=copyright").status_code == 403
    assert service.client(account=service.sign_up()).delete(f"{path}?reason=copyright").status_code == 404
    assert service.client().delete(f"{path}?reason=copyright").status_code == 401
    assert administrator.delete(f"{path}?reason=boredom").status_code == 422
    assert status_of(service, key, page) == "active"


def test_a_deleted_file_says_who_deleted_it(service: ShareService, me: Account, key: Key) -> None:
    for ended_for, status in (
        ("owner", "user removed"),
        ("administrator", "admin removed"),
        ("copyright", "copyright removed"),
        (None, "user removed"),
    ):
        page = service.share_page(me)
        body = {"file_ids": [str(page.file_id)], "ended_for": ended_for}
        assert service.internal("POST", "/internal/shares/end", body).status_code == 200
        assert status_of(service, key, page) == status
    body = {"file_ids": [], "ended_for": "boredom"}
    assert service.internal("POST", "/internal/shares/end", body).status_code == 422


def test_what_ended_by_itself_its_owner_has_removed(service: ShareService, me: Account, key: Key) -> None:
    over, spent = service.share_page(me, expires_at=PAST), service.share_page(me, uses=1)
    client = service.client()
    assert "x-store-path" in client.get(f"/m/{spent.code}/download").headers
    for page in (over, spent):
        assert status_of(service, key, page) == "user removed"
        assert "Its time is over" in client.get(f"/m/{page.code}").text


async def test_an_ended_page_is_remembered_for_thirty_days(
    service: ShareService, me: Account, key: Key, worker: Context
) -> None:
    page, link = service.share_page(me), service.share_link(me)
    for share in (page, link):
        service.client(account=me).delete(f"/v1/shares/{share.id}")
    await sweep(worker)
    assert {page.file_id, link.file_id} <= set(service.upload.released)
    for days, remembered in ((1, [page]), (29, [page]), (30, [])):
        moment = datetime.now(UTC) - timedelta(days=days)
        change(service, "update share set released_at = %s where id = any(%s)", moment, [page.id, link.id])
        await sweep(worker)
        with psycopg.connect(service.database_url) as connection:
            rows = connection.execute("select id from share where id = any(%s)", [[page.id, link.id]]).fetchall()
        assert [row[0] for row in rows] == [share.id for share in remembered]
        assert status_of(service, key, page) == ("user removed" if remembered else "not found")
        assert service.client().get(f"/m/{page.code}").status_code == (410 if remembered else 404)
