"""File Uploader's links, over HTTP on real engines: fetching, deleting by key and listing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from common.errors import Gone, NotFound, NotReady
from tests.conftest import MakeDatabase
from tests.integration.share.asking import change, is_page, said, served
from tests.integration.share.running_share import ShareService, running_share_service

NO_FILE = (404, {"status": "error", "message": "File not found"})
PAST = "2020-01-01T00:00:00Z"
PREVIEW_POLICY = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"


# --- fetching


@pytest.mark.parametrize("path", ["/file", "/f"])
def test_a_link_leads_to_its_file_by_both_paths(client: httpx.Client, service: ShareService, path: str) -> None:
    link = service.share_link(name="A Page.HTML")
    answer = client.get(f"{path}/{link.code}")
    assert served(answer)
    assert answer.headers["x-store-path"] == f"/bucket/{link.file_id}?for=GET"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert client.head(f"{path}/{link.code}").headers["x-store-path"].endswith("?for=HEAD")


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xml", "a.png", "a.mp4", "a.txt", "a.exe", "a", "a.js", "a.pdf"])
def test_what_a_browser_gets_is_sandboxed_whatever_it_is(
    client: httpx.Client, service: ShareService, name: str
) -> None:
    headers = client.get(f"/file/{service.share_link(name=name).code}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == PREVIEW_POLICY
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["repr-digest"].startswith("sha-256=:")
    assert "access-control-allow-credentials" not in headers
    if name in ("a.exe", "a", "a.js", "a.pdf"):
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    else:
        assert headers["content-type"] != "application/octet-stream"
        assert "content-disposition" not in headers


def test_plus_and_equals_stand_raw_or_encoded_in_a_link(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(extension=".mp4")
    assert len(link.code) == 14
    change(service, "update share set code = 'a+b=c-d+e=.mp4' where code = %s", link.code)
    for spelling in ("a+b=c-d+e=.mp4", "a%2Bb%3Dc-d%2be%3d.mp4"):
        assert served(client.get(f"/f/{spelling}"))
    for other in ("a%20b=c-d+e=.mp4", "a+b=c-d+e=", "A+b=c-d+e=.mp4", "a+b=c-d+e=.MP4"):
        assert said(client.get(f"/f/{other}"))[0] == 404


@pytest.mark.parametrize("code", ["aaaaaaaaaa", "x", "ABCDE", "a%00aaaaaaaa", "' or 1=1", "٣٣٣٣٣٣٣٣٣٣", "a" * 5000])
def test_a_link_to_nothing_is_404_in_the_dialect_s_shape(client: httpx.Client, code: str) -> None:
    assert said(client.get(f"/file/{code}")) == NO_FILE
    assert client.head(f"/file/{code}").status_code == 404
    assert said(client.get(f"/api/delete/{code}?key=x")) == NO_FILE


def test_a_browser_is_told_in_words_and_in_its_language_that_a_file_is_not_here_any_more(
    client: httpx.Client, service: ShareService
) -> None:
    ended, missing, locked = service.share_link(), service.share_link(), service.share_link()
    change(service, "update share set state = 'ended', ended_for = 'owner' where id = %s", ended.id)
    service.upload.says[missing.file_id] = Gone()
    change(service, "update share set password_hash = 'x' where id = %s", locked.id)
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for link, languages, lang, words in (
        ("aaaaaaaaaa", "de, en;q=0.5", "en", "There is no file here"),
        (ended.code, "", "en", "ended by its owner"),
        (missing.code, "en;q=0.3,zh-TW;q=0.9,*;q=0.1", "zh-CN", "这里没有文件"),
        (ended.code, "zh;q=0,fr", "en", "not here any more"),
    ):
        for path in (f"/f/{link}", f"/file/{link}"):
            answer = client.get(path, headers={"Accept": browser, "Accept-Language": languages})
            assert is_page(answer, 404)
            assert f'<html lang="{lang}">' in answer.text
            assert words in answer.text
            assert '<a href="/">' in answer.text
            assert answer.headers["vary"].startswith("Accept, Accept-Language")
            assert client.head(path, headers={"Accept": browser}).status_code == 404
    asked = client.get(f"/f/{locked.code}", headers={"Accept": browser})
    assert is_page(asked, 401)
    assert asked.headers["www-authenticate"] == 'Basic realm="share"'
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0, */*", "text/*;q=x"):
        answer = client.get(f"/f/{ended.code}", headers={"Accept": accept})
        assert said(answer) == NO_FILE
        assert answer.headers["vary"].startswith("Accept")
    assert said(client.get(f"/api/delete/{ended.code}", headers={"Accept": browser})) == NO_FILE


def test_no_code_is_found_as_a_link_and_no_link_as_a_code(client: httpx.Client, service: ShareService) -> None:
    code, link = service.share_file(), service.share_link().code
    # Even where each looks like the other, the form decides.
    disguised = service.shared().code
    change(service, "update share set code = 'codecodeco' where code = %s", disguised)
    for path in (f"/file/{code}", f"/f/{code}", f"/f/{code}.bin", "/f/codecodeco", "/api/delete/codecodeco"):
        assert said(client.get(path)) == NO_FILE
    assert client.get("/v1/links/codecodeco").status_code == 404
    assert client.get(f"/v1/links/{code}").status_code == 404
    change(service, "update share set code = 'LINKX' where code = %s", link)
    for answer in (
        client.get("/share/select/", params={"code": "LINKX"}),
        client.post("/share/select/", json={"code": "LINKX"}),
        client.post("/share/metadata/", json={"code": "LINKX"}),
        client.get("/share/download", params={"code": "LINKX", "key": service.keys.issue("LINKX", datetime.now(UTC))}),
    ):
        assert answer.json()["code"] == 404


def test_so_many_reads_and_then_404_however_many_come_at_once(service: ShareService) -> None:
    link = service.share_link(uses=7)
    clients = [service.client() for _ in range(20)]
    barrier = threading.Barrier(len(clients))

    def fetch(client: httpx.Client) -> httpx.Response:
        barrier.wait()
        return client.get(f"/f/{link.code}")

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(fetch, clients))
    assert sum(served(answer) for answer in answers) == 7
    assert [said(answer) for answer in answers if not served(answer)] == [NO_FILE] * 13
    assert said(service.client().get(f"/f/{link.code}")) == NO_FILE


def test_head_and_resumes_take_no_use(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(uses=1)
    for _ in range(3):
        assert served(client.head(f"/f/{link.code}"))
    assert served(client.get(f"/f/{link.code}"))
    assert served(client.get(f"/f/{link.code}", headers={"Range": "bytes=50-"}))
    assert said(service.client().get(f"/f/{link.code}", headers={"Range": "bytes=50-"})) == NO_FILE
    assert said(client.get(f"/f/{link.code}")) == NO_FILE
    assert said(client.get(f"/api/delete/{link.code}", params={"key": link.delete_key})) == NO_FILE


def test_more_than_sixteen_ranges_are_refused(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(uses=1)
    header = "bytes=" + ",".join(f"{n}-{n}" for n in range(17))
    status, body = said(client.get(f"/f/{link.code}", headers={"Range": header}))
    assert (status, body["status"]) == (416, "error")
    assert served(client.get(f"/f/{link.code}"))


@pytest.mark.parametrize("error", [NotFound(), Gone()])
def test_a_file_that_is_gone_is_404_and_costs_nothing(
    client: httpx.Client, service: ShareService, error: NotFound | Gone
) -> None:
    link = service.share_link(uses=1)
    service.upload.says[link.file_id] = error
    assert said(client.get(f"/f/{link.code}")) == NO_FILE
    assert client.get(f"/v1/links/{link.code}").status_code == 404
    del service.upload.says[link.file_id]
    assert served(client.get(f"/f/{link.code}"))


def test_a_file_under_verification_is_425(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(uses=1)
    service.upload.says[link.file_id] = NotReady()
    answer = client.get(f"/f/{link.code}")
    assert (answer.status_code, answer.json()["status"]) == (425, "error")
    assert int(answer.headers["retry-after"]) >= 1


def test_an_upload_service_that_is_down_is_503(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(uses=1)
    service.upload.is_down = True
    try:
        answers = [client.get(f"/f/{link.code}"), client.get(f"/v1/links/{link.code}")]
    finally:
        service.upload.is_down = False
    for answer in answers:
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert served(client.get(f"/f/{link.code}"))


def test_an_ended_share_is_404(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(expires_at=PAST)
    assert said(client.get(f"/f/{link.code}")) == NO_FILE
    assert said(client.get(f"/api/delete/{link.code}", params={"key": link.delete_key})) == NO_FILE


# --- deleting


def test_only_the_right_key_deletes(client: httpx.Client, service: ShareService) -> None:
    link, other = service.share_link(), service.share_link()
    wrong = (400, {"status": "error", "message": "Invalid unique key"})
    path = f"/api/delete/{link.code}"
    for query in ("", "?key=", "?key=x", f"?key={other.delete_key}", f"?key={link.delete_key.upper()}x", "?key=%ff%00"):
        assert said(client.get(path + query)) == wrong
    assert served(client.get(f"/f/{link.code}"))
    assert said(client.get(path, params={"key": link.delete_key})) == (200, {"status": "success", "message": "deleted"})
    assert said(client.get(f"/f/{link.code}")) == NO_FILE
    assert said(client.get(path, params={"key": link.delete_key})) == NO_FILE
    assert client.head(path, params={"key": link.delete_key}).status_code == 405


def test_the_key_also_deletes_what_belongs_to_an_account(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(service.sign_up())
    assert client.get(f"/api/delete/{link.code}", params={"key": link.delete_key}).status_code == 200
    assert said(client.get(f"/f/{link.code}")) == NO_FILE


# --- listing


def test_an_account_sees_its_own_living_links_the_oldest_first(service: ShareService) -> None:
    me, other = service.sign_up(), service.sign_up()
    mine = [service.share_link(me, name=f"{n}.TXT", size=1024 * n) for n in range(3)]
    service.share_link(other)
    service.share_link(me, expires_at=PAST)
    service.shared(owner=str(me.id))
    ended = service.share_link(me)
    service.client().get(f"/api/delete/{ended.code}", params={"key": ended.delete_key})
    client = service.client(account=me)
    lists = [client.get(path).json() for path in ("/api/get_files", "/api/getFiles", "/api/get_files/private")]
    for found in lists:
        assert (found["status"], found["message"]) == ("success", "files got successfully")
        assert found["username"] == me.name
        assert [row["file_url"] for row in found["data"]] == [link.code for link in mine]
    assert set(lists[0]) == set(lists[1]) == {"status", "message", "username", "data"}
    assert lists[2]["is_group_owner"] is None
    assert {row["username"] for row in lists[2]["data"]} == {me.name}
    row = lists[0]["data"][2]
    at = datetime.fromtimestamp(row["created_at"], UTC)
    assert row == {
        "file_url": mine[2].code,
        "file_url_full": f"{service.url}/file/{mine[2].code}",
        "key": mine[2].delete_key,
        "ext": ".txt",
        "user_filename": "2.TXT",
        "creation_date": f"{at.day}.{at.month}.{at.year} {at.hour}:{at.minute}:{at.second}",
        "size": "2.0KB",
        "craeted_at": row["created_at"],
        "created_at": row["created_at"],
        "synced": True,
    }
    assert served(client.get(row["file_url_full"]))


def test_a_list_holds_the_newest_ten_thousand(service: ShareService) -> None:
    me = service.sign_up()
    change(
        service,
        "insert into share (id, form, code, kind, owner, file_id, name, size, created_at)"
        " select gen_random_uuid(), 'link', 'many' || n, 'file', %s, gen_random_uuid(), 'x', 1,"
        " now() - interval '1 day' + n * interval '1 second' from generate_series(1, 10003) n",
        me.id,
    )
    rows = service.client(account=me).get("/api/get_files").json()["data"]
    assert [row["file_url"] for row in rows] == [f"many{n}" for n in range(4, 10004)]


@pytest.mark.parametrize(
    ("header", "number", "message"),
    [
        (None, -1, "No Authorization header provided"),
        ("", -1, "No Authorization header provided"),
        ("Bearer", -2, "Authorization header must have Bearer <token> format"),
        ("Bearer a b", -2, "Authorization header must have Bearer <token> format"),
        ("Basic dTpw", -2, "Authorization header must have Bearer <token> format"),
        ("Bearer null", -4, "Invalid access token"),
        ("Bearer " + "x" * 10_000, -4, "Invalid access token"),
    ],
)
def test_what_needs_an_account_says_what_is_wrong_with_the_header(
    client: httpx.Client, header: str | None, number: int, message: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in (
        ("GET", "/api/get_files"),
        ("GET", "/api/getFiles"),
        ("GET", "/api/get_files/private"),
        ("GET", "/api/get_files/7"),
        ("GET", "/api/get_groups"),
        ("POST", "/api/transfer"),
    ):
        status, body = said(client.request(method, path, headers=headers))
        assert (status, body["status"]) == (401, "error")
        assert body["auth_error"] == {"message": message, "errorId": number}


# --- the rest


def test_monitors_hear_that_it_is_there(client: httpx.Client, service: ShareService) -> None:
    status, body = said(client.get("/api"))
    assert (status, body["status"], body["message"]) == (200, "success", "File uploader RESTful API")
    assert client.get(body["docs"]).json()["info"]["title"] == "Waystation share"


def test_there_are_no_groups(client: httpx.Client, service: ShareService) -> None:
    signed_in = service.client(account=service.sign_up())
    assert said(signed_in.get("/api/get_groups")) == (
        200,
        {"status": "success", "message": "groups got successfully", "groups": []},
    )
    no_group = (404, {"status": "error", "message": "Group not found"})
    assert said(signed_in.get("/api/get_files/7")) == no_group
    assert said(signed_in.get("/api/get_files/x"))[0] == 400
    for method, path in (
        ("POST", "/api/create_group"),
        ("DELETE", "/api/delete_group/7"),
        ("POST", "/api/delete_group/7"),
        ("GET", "/api/generate_invite/7"),
        ("POST", "/api/join/abc"),
        ("GET", "/api/invite_info/abc"),
        ("POST", "/api/leave/7"),
        ("GET", "/invite/abc"),
    ):
        assert said(client.request(method, path)) == no_group
        assert said(signed_in.request(method, path)) == no_group


def test_a_wrong_method_is_answered_405_in_the_dialect_s_shape(client: httpx.Client) -> None:
    for method, path in (("POST", "/f/aaaaaaaaaa"), ("PUT", "/api/transfer"), ("POST", "/api/delete/aaaaaaaaaa")):
        assert said(client.request(method, path)) == (405, {"status": "error", "message": "Method Not Allowed"})


def test_links_are_absolute_under_the_configured_address(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_share_service(make_database, valkey_url, public_url="https://files.example.org/") as service:
        me = service.sign_up()
        link = service.share_link(me)
        client = service.client(account=me)
        row = client.get("/api/get_files").json()["data"][0]
        assert row["file_url_full"] == f"https://files.example.org/file/{link.code}"
        assert client.get("/v1/shares").json()["shares"][0]["url"] == f"https://files.example.org/f/{link.code}"
        assert client.get("/api").json()["docs"].startswith("https://files.example.org/")


def test_a_share_lives_until_its_very_moment(client: httpx.Client, service: ShareService) -> None:
    link = service.share_link(expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert served(client.get(f"/f/{link.code}"))
    change(service, "update share set expires_at = now() where id = %s", link.id)
    assert said(client.get(f"/f/{link.code}")) == NO_FILE
