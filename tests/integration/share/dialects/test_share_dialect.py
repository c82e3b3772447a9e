"""FileCodeBox's share side, over HTTP on real engines. The upload service is a stand-in that says what a test needs."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.errors import Gone, NotFound, NotReady
from tests.conftest import MakeDatabase
from tests.integration.share.running_share import SHA256, ShareService, running_share_service

UNKNOWN = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件不存在"}
ENDED = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件已过期"}
BLOCKED = {"detail": "请求次数过多，请稍后再试"}


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, valkey_url: str) -> Iterator[ShareService]:
    with running_share_service(make_database, valkey_url) as service:
        yield service


@pytest.fixture
def client(service: ShareService) -> httpx.Client:
    return service.client()


def share_text(client: httpx.Client, text: str = "a text", **fields: Any) -> str:
    answer = client.post("/share/text/", data={"text": text, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["detail"]["code"]


def download_url(client: httpx.Client, code: str) -> str:
    return client.post("/share/select/", json={"code": code}).json()["detail"]["download_url"]


def uses_left(client: httpx.Client, code: str) -> int | None:
    return client.get("/share/metadata/", params={"code": code}).json()["detail"]["remaining_downloads"]


def served(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and "x-store-path" in answer.headers


# --- configuration and health


def test_the_configuration_has_every_field_under_both_addresses(client: httpx.Client) -> None:
    old = client.post("/", content=b"ignored").json()["detail"]
    new = client.get("/api/v1/config").json()["detail"]
    assert new["config"] == old
    assert set(old) == {
        "name", "description", "explain", "uploadSize", "allowedFileTypes", "expireStyle", "enableChunk", "openUpload",
        "notify_title", "notify_content", "show_admin_address", "max_save_seconds",
    }  # fmt: skip
    assert (old["enableChunk"], old["openUpload"], old["uploadSize"]) == (1, 1, 10 * 1024**3)
    assert set(new["meta"]) == {"version", "api", "features", "limits"}
    assert set(new["meta"]["limits"]) == {
        "uploadSize", "allowedFileTypes", "maxSaveSeconds", "uploadWindowMinutes", "uploadWindowCount",
    }  # fmt: skip


def test_health_is_an_envelope(client: httpx.Client) -> None:
    assert client.get("/health").json()["detail"]["status"] == "ok"
    assert client.get("/internal/health/ready").json() == {"database": "ok", "limits": "ok"}


def test_any_origin_may_call(client: httpx.Client) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "DELETE"}
    answer = client.options("/share/select/", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


# --- texts


@pytest.mark.parametrize("path", ["/share/text/", "/share/text", "/api/share/text/", "/api/share/text"])
@pytest.mark.parametrize("form", ["data", "json", "files"])
def test_a_text_is_shared_by_any_path_and_any_kind_of_body(client: httpx.Client, path: str, form: str) -> None:
    fields: dict[str, Any] = {"text": "hello", "expire_value": "2", "expire_style": "count"}
    if form == "files":
        fields = {name: (None, value) for name, value in fields.items()}
    code = client.post(path, **{form: fields}).json()["detail"]["code"]
    assert len(code) == 5
    detail = client.post("/share/select/", json={"code": code}).json()["detail"]
    assert (detail["text"], detail["content"], detail["download_url"]) == ("hello", "hello", None)
    assert (detail["name"], detail["type"], detail["is_text"], detail["size"]) == ("Text", "text", True, 5)
    assert (detail["expired_count"], detail["used_count"], detail["remaining_downloads"]) == (1, 1, 1)


def test_a_text_comes_back_exactly(client: httpx.Client) -> None:
    text = '‮ "quotes" <script> \\ 🐈\r\n\t\x01é' * 100
    code = share_text(client, text, expire_style="forever")
    answer = client.get("/share/select/", params={"code": f" {code}\n"})
    assert answer.content.decode() == text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Text.txt" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.post("/share/select/", json={"code": code}).json()["detail"]["content"] == text


def test_a_text_may_have_227328_bytes_and_not_one_more(client: httpx.Client) -> None:
    assert share_text(client, "é" * (227_328 // 2))
    answer = client.post("/share/text/", data={"text": "é" * (227_328 // 2) + "x"})
    assert (answer.status_code, answer.json()) == (403, {"detail": "内容过多,建议采用文件形式"})


def test_the_last_use_of_a_text_erases_it(client: httpx.Client, service: ShareService) -> None:
    code = share_text(client, "a secret text", expire_style="count")
    assert client.head("/share/select/", params={"code": code}).status_code == 200
    assert client.get("/share/select/", params={"code": code}).text == "a secret text"
    assert client.get("/share/select/", params={"code": code}).json() == ENDED
    with psycopg.connect(service.database_url) as connection:
        assert connection.execute("select body from share where code = %s", [code]).fetchone() == (None,)


@pytest.mark.parametrize(
    ("fields", "status", "detail"),
    [
        ({"text": "x", "expire_style": "week"}, 400, "Invalid expiration type"),
        ({"text": "x", "expire_style": "day", "expire_value": "8"}, 403, "限制最长时间为 7，可换用其他方式"),
        ({"text": "x", "expire_style": "count", "expire_value": "0"}, 422, None),
        ({"text": "x", "expire_value": "many"}, 422, None),
        ({"text": "x", "expire_value": "9" * 5000}, 422, None),
        ({"text": ""}, 422, None),
        ({"other": "x"}, 422, None),
        ({"text": "a\0b"}, 400, None),
        ({"text": "x" * 10_000_000}, 403, None),
    ],
    ids=["style", "too long", "no use", "no number", "a huge number", "empty", "missing", "NUL", "10 MB"],
)
def test_a_bad_text_is_refused(client: httpx.Client, fields: dict[str, str], status: int, detail: str | None) -> None:
    multipart = {name: (None, value) for name, value in fields.items()}
    for answer in (client.post("/share/text/", data=fields), client.post("/share/text/", files=multipart)):
        assert answer.status_code == status, answer.text
        if detail:
            assert answer.json() == {"detail": detail}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"text": NaN}'),
        ("application/json", b'{"text": "\\ud800"}'),
        ("application/json", b'{"text": ["x"]}'),
        ("application/json", b'["text"]'),
        ("application/json", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"text=%ff"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(1000))),
        ("multipart/form-data; boundary=x", b"--x\r\nno header"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--'),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\na\r\n--x--'),
        ("multipart/form-data", b"--x--"),
        ("text/plain", b"hello"),
        ("", b""),
    ],
)
def test_a_malformed_body_is_refused_in_the_dialect_s_shape(client: httpx.Client, kind: str, body: bytes) -> None:
    for path in ("/share/text/", "/share/select/", "/share/metadata/"):
        answer = client.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code in (400, 413, 422), answer.text
        assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/share/text/"), ("PUT", "/share/select/"), ("DELETE", "/share/download"), ("POST", "/share/download")],
)
def test_a_wrong_method_is_answered_405(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})


# --- codes


@pytest.mark.parametrize("code", ["ZZZZ0", "", "abcde", "ABCDEF", "٣٣٣٣٣", "A\0BCD", "' or 1=1"])
def test_an_unknown_code_is_a_miss_and_no_http_error(client: httpx.Client, code: str) -> None:
    assert client.get("/share/select/", params={"code": code}).json() == UNKNOWN
    assert client.post("/share/select/", json={"code": code}).json() == UNKNOWN
    assert client.post("/share/metadata/", json={"code": code}).json() == UNKNOWN
    assert client.get("/share/metadata/", params={"code": code}).json() == UNKNOWN


def test_codes_are_case_sensitive(client: httpx.Client) -> None:
    code = share_text(client)
    if code.lower() != code:
        assert client.get("/share/select/", params={"code": code.lower()}).json() == UNKNOWN


def test_a_missing_code_or_key_is_a_missing_field(client: httpx.Client) -> None:
    for answer in (client.get("/share/select/"), client.get("/share/download", params={"code": "ABCDE"})):
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == "missing"
        assert set(answer.json()["detail"][0]) == {"type", "loc", "msg", "input"}


def test_metadata_tells_all_and_takes_nothing(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=2, name="ü.bin", size=77)
    for _ in range(3):
        detail = client.post("/share/metadata", json={"code": code}).json()["detail"]
    assert set(detail) == {
        "code", "name", "size", "type", "is_text", "created_at", "expired_at", "expires_at", "expired_count",
        "used_count", "remaining_downloads",
    }  # fmt: skip
    assert (detail["name"], detail["size"], detail["type"], detail["is_text"]) == ("ü.bin", 77, "file", False)
    assert (detail["used_count"], detail["remaining_downloads"]) == (0, 2)
    assert detail["created_at"].endswith("+08:00")


def test_a_share_whose_time_is_over_is_not_served_though_no_sweep_ran(
    client: httpx.Client, service: ShareService
) -> None:
    ended = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    code = service.share_file(expires_at=ended)
    assert client.get("/share/metadata/", params={"code": code}).json() == ENDED
    assert client.post("/share/select/", json={"code": code}).json() == ENDED
    assert client.get("/share/select/", params={"code": code}).json() == ENDED


# --- downloads


def test_a_download_is_handed_to_the_gateway_with_its_headers(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(name='a "ü"\r\n.bin')
    detail = client.post("/share/select/", json={"code": code}).json()["detail"]
    assert detail["text"] == detail["download_url"]
    assert detail["content"] is None
    parts = urlsplit(detail["download_url"])
    assert parts.path == "/share/download"
    assert parse_qs(parts.query)["code"] == [code]
    assert len(parse_qs(parts.query)["key"][0]) == 64
    answer = client.get(detail["download_url"])
    assert served(answer)
    assert answer.headers["x-store-path"].endswith("?for=GET")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20%22%C3%BC%22%0D%0A.bin"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "repr-digest" in answer.headers
    assert len(SHA256) == 32


def test_a_wrong_key_is_refused_alike_for_codes_that_exist_and_not(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file()
    other = parse_qs(urlsplit(download_url(client, service.share_file())).query)["key"][0]
    answers = [
        client.get("/share/download", params={"key": key, "code": one})
        for key in ("0" * 64, "x", other)
        for one in (code, "ZZZZ0")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(403, '{"detail":"下载鉴权失败"}')}


def test_each_new_download_takes_a_use(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=3)
    url = download_url(client, code)
    assert served(client.get(url))
    assert served(client.get(url, headers={"Range": "bytes=0-9"}))
    assert uses_left(client, code) == 1
    assert served(client.get("/share/select/", params={"code": code}))
    assert client.get(url).json() == ENDED


def test_a_resume_takes_nothing_even_after_the_last_use(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    assert served(client.get(url))
    assert served(client.get(url, headers={"Range": "bytes=50-"}))
    assert served(client.get(url, headers={"Range": "bytes=-50"}))
    assert served(client.head(url))
    for ranges in ("bytes=0-", "bytes=-100", "bytes=50-60,70-80"):
        assert client.get(url, headers={"Range": ranges}).json() == ENDED
    assert client.get("/share/metadata/", params={"code": code}).json() == ENDED


def test_a_resume_is_for_whoever_paid(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=2)
    mine, other = download_url(client, code), download_url(client, code)
    assert served(client.get(mine))
    assert served(client.get(other, headers={"Range": "bytes=50-"}))
    with_another_key = client.get(other.replace(other[20:30], "0" * 10), headers={"Range": "bytes=50-"})
    assert with_another_key.status_code == 403


def test_a_middle_part_without_a_lease_takes_a_use_and_opens_one(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    assert served(client.get(url, headers={"Range": "bytes=10-19"}))
    assert served(client.get(url, headers={"Range": "bytes=20-29"}))
    assert client.get(url).json() == ENDED


def test_an_old_key_starts_nothing_but_resumes_what_it_has_paid_for(
    client: httpx.Client, service: ShareService
) -> None:
    code = service.share_file(uses=5)
    issued_at = datetime.now(UTC) - timedelta(seconds=1805)
    old = service.keys.issue(code, issued_at)
    url = f"/share/download?key={old}&code={code}"
    for headers in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=50-"}):
        assert client.get(url, headers=headers).status_code == 403
    assert client.head(url).status_code == 403
    with psycopg.connect(service.database_url) as connection:
        connection.execute(
            "insert into lease (share_id, holder, expires_at) select id, %s, now() + interval '1 minute' from share"
            " where code = %s",
            [service.keys.check(old, code).holder, code],
        )
    assert served(client.get(url, headers={"Range": "bytes=50-"}))
    assert served(client.head(url))
    assert client.get(url).status_code == 403
    assert uses_left(client, code) == 5


def test_a_resume_ends_with_the_share_s_time(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=2, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    url = download_url(client, code)
    assert served(client.get(url))
    assert served(client.get(url, headers={"Range": "bytes=50-"}))
    with psycopg.connect(service.database_url) as connection:
        connection.execute("update share set expires_at = now() where code = %s", [code])
    assert client.get(url, headers={"Range": "bytes=50-"}).json() == ENDED


def test_without_a_key_the_lease_is_the_address_s(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    assert served(client.get("/share/select", params={"code": code}))
    assert served(client.get("/share/select", params={"code": code}, headers={"Range": "bytes=5-"}))
    elsewhere = service.client()
    assert elsewhere.get("/share/select", params={"code": code}, headers={"Range": "bytes=5-"}).json() == ENDED


def test_head_takes_nothing(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    for answer in (client.head(url), client.head("/share/select/", params={"code": code})):
        assert served(answer)
        assert answer.headers["x-store-path"].endswith("?for=HEAD")
    assert uses_left(client, code) == 1


def test_more_than_sixteen_ranges_are_refused(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    for ranges, status in ((17, 416), (16, 200)):
        header = "bytes=" + ",".join(f"{n}-{n}" for n in range(ranges))
        assert client.get(url, headers={"Range": header}).status_code == status


@pytest.mark.parametrize(("error", "kind"), [(NotFound(), "gone"), (Gone(), "corrupt")])
def test_a_file_that_cannot_be_served_is_unknown_and_costs_nothing(
    client: httpx.Client, service: ShareService, error: NotFound | Gone, kind: str
) -> None:
    file_id = uuid4()
    code = service.share_file(uses=1, file_id=str(file_id))
    service.upload.says[file_id] = error
    assert client.get(download_url(client, code)).json() == UNKNOWN, kind
    assert uses_left(client, code) == 1


def test_a_file_under_verification_is_425_and_costs_nothing(client: httpx.Client, service: ShareService) -> None:
    file_id = uuid4()
    code = service.share_file(uses=1, file_id=str(file_id))
    service.upload.says[file_id] = NotReady()
    for _ in range(20):
        answer = client.get(download_url(client, code))
        assert answer.status_code == 425
        assert int(answer.headers["retry-after"]) >= 1
    del service.upload.says[file_id]
    assert served(client.get(download_url(client, code)))


def test_an_upload_service_that_is_down_is_503_and_costs_nothing(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    service.upload.is_down = True
    try:
        # Without it nobody knows whether the file has a password, so not even its name is told.
        asked = {"code": code}
        answers = [
            client.get(url),
            client.post("/share/select/", json=asked),
            client.get("/share/select/", params=asked),
        ]
    finally:
        service.upload.is_down = False
    for answer in answers:
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert served(client.get(download_url(client, code)))


def test_of_many_redemptions_of_the_last_use_at_once_one_wins(service: ShareService) -> None:
    code = service.share_file(uses=1)
    clients = [service.client() for _ in range(12)]
    urls = [download_url(client, code) for client in clients]
    barrier = threading.Barrier(len(clients))

    def redeem(client: httpx.Client, url: str) -> httpx.Response:
        barrier.wait()
        return client.get(url)

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(redeem, clients, urls))
    assert sum(served(answer) for answer in answers) == 1
    assert sum(not served(answer) and answer.json() == ENDED for answer in answers) == len(clients) - 1


def test_a_text_is_read_by_one_of_many_at_once(service: ShareService) -> None:
    code = share_text(service.client(), "once", expire_style="count")
    clients = [service.client() for _ in range(12)]
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lambda client: client.post("/share/select/", json={"code": code}).json(), clients))
    assert sorted(answer["code"] for answer in answers) == [200] + [404] * 11
