"""FileCodeBox's share side, over HTTP on real engines. The upload service is a stand-in that says what a test needs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.share.asking import share_text
from tests.integration.share.running_share import ShareService

UNKNOWN = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件不存在"}
ENDED = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件已过期"}


def uses_left(client: httpx.Client, code: str) -> int | None:
    return client.get("/share/metadata/", params={"code": code}).json()["detail"]["remaining_downloads"]


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


def test_search_engines_are_kept_away(client: httpx.Client) -> None:
    answer = client.get("/robots.txt")
    assert (answer.status_code, answer.text) == (200, "User-agent: *\nDisallow: /\n")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/share/download/", "/api/share/download/", "/health/"])
def test_a_slash_too_many_is_accepted(client: httpx.Client, service: ShareService, path: str) -> None:
    url = client.post("/share/select/", json={"code": service.share_file()}).json()["detail"]["download_url"]
    query = url.partition("?")[2]
    plain, slashed = (client.get(f"{form}?{query}") for form in (path.rstrip("/"), path))
    assert plain.status_code == slashed.status_code != 404


def test_any_origin_may_call(client: httpx.Client) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "DELETE"}
    answer = client.options("/share/select/", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


# --- texts


@pytest.mark.parametrize("path", ["/share/text/", "/share/text", "/api/share/text/", "/api/share/text"])
@pytest.mark.parametrize("form", ["data", "json", "files"])
def test_a_text_is_shared_by_any_path_and_any_kind_of_body(client: httpx.Client, path: str, form: str) -> None:
    fields: Any = {"text": "hello", "expire_value": "2", "expire_style": "count"}
    if form == "files":
        fields = {name: (None, value) for name, value in fields.items()}
    body: dict[str, Any] = {form: fields}
    code = client.post(path, **body).json()["detail"]["code"]
    assert len(code) == 5
    detail = client.post("/share/select/", json={"code": code}).json()["detail"]
    assert (detail["text"], detail["content"], detail["download_url"]) == ("hello", "hello", None)
    assert (detail["name"], detail["type"], detail["is_text"], detail["size"]) == ("Text", "text", True, 5)
    assert (detail["expired_count"], detail["used_count"], detail["remaining_downloads"]) == (1, 1, 1)


@pytest.mark.parametrize("form", ["data", "json"])
def test_an_expiry_that_nobody_filled_in_is_a_day(client: httpx.Client, form: str) -> None:
    body: dict[str, Any] = {form: {"text": "hello", "expire_value": "", "expire_style": ""}}
    code = client.post("/share/text/", **body).json()["detail"]["code"]
    detail = client.post("/share/metadata/", json={"code": code}).json()["detail"]
    lifetime = datetime.fromisoformat(detail["expired_at"]) - datetime.fromisoformat(detail["created_at"])
    assert timedelta(hours=23) < lifetime <= timedelta(days=1)


@pytest.mark.parametrize("value", [2.0, "2.0", "2.000", " 2 ", 2])
def test_a_value_may_be_written_as_a_decimal_number(client: httpx.Client, value: object) -> None:
    asked = {"text": "hello", "expire_value": value, "expire_style": "count"}
    code = client.post("/share/text/", json=asked).json()["detail"]["code"]
    assert uses_left(client, code) == 2


@pytest.mark.parametrize("value", [1.5, "1.5", "1.", ".0", "1.0.0", "1e0", True, [1], 1e308])
def test_a_value_that_is_no_integer_is_refused(client: httpx.Client, value: object) -> None:
    answer = client.post("/share/text/", json={"text": "hello", "expire_value": value, "expire_style": "count"})
    assert answer.status_code == 422, answer.text


def test_the_last_use_of_a_text_leaves_no_number(client: httpx.Client) -> None:
    code = share_text(client, expire_style="count")
    spent = client.post("/share/select/", json={"code": code}).json()["detail"]
    assert (spent["content"], spent["expired_count"], spent["remaining_downloads"]) == ("a text", 0, None)


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
    details = [client.post("/share/metadata", json={"code": code}).json()["detail"] for _ in range(3)]
    detail = details[-1]
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
