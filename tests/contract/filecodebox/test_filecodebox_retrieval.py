"""FileCodeBox, section 4: metadata, select, download, and which of these requests count as a use."""

import base64
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import detail, refused

METADATA = {
    "code", "name", "size", "type", "is_text", "created_at", "expired_at", "expires_at", "expired_count",
    "used_count", "remaining_downloads",
}  # fmt: skip
SENT_WITH_A_FILE = {
    "accept-ranges", "access-control-allow-origin", "access-control-expose-headers", "cache-control",
    "content-disposition", "content-length", "content-security-policy", "content-type", "date", "etag",
    "repr-digest", "vary", "x-content-type-options", "x-request-id",
}  # fmt: skip


def uses_left(client: httpx.Client, code: str) -> int | None:
    return wire.metadata(client, code)["remaining_downloads"]


def test_metadata_by_get_or_post_counts_no_use(client: httpx.Client) -> None:
    code = wire.share_file(client, b"0123456789", "a name.txt", expire_style="count", expire_value=1)
    for _ in range(3):
        found = detail(client.get("/share/metadata/", params={"code": code}))
        assert found == wire.metadata(client, code)
    assert set(found) == METADATA
    assert (found["code"], found["name"], found["size"]) == (code, "a name.txt", 10)
    assert (found["type"], found["is_text"]) == ("file", False)
    assert (found["expired_count"], found["used_count"], found["remaining_downloads"]) == (1, 0, 1)
    lasts = datetime.fromisoformat(found["expires_at"]) - datetime.fromisoformat(found["created_at"])
    assert abs(lasts - timedelta(days=1)) < timedelta(minutes=1)
    assert wire.fetch(client, code) == b"0123456789"


def test_selecting_a_text_returns_it_and_counts_a_use(client: httpx.Client) -> None:
    code = wire.share_text(client, "the text", expire_style="count", expire_value=2)
    found = wire.select(client, code)
    assert set(found) == METADATA | {"text", "content", "download_url"}
    assert (found["name"], found["type"], found["is_text"], found["size"]) == ("Text", "text", True, 8)
    assert (found["text"], found["content"], found["download_url"]) == ("the text", "the text", None)
    assert (found["used_count"], found["remaining_downloads"]) == (1, 1)
    assert client.get("/share/select/", params={"code": code}).text == "the text"
    assert client.post("/share/select/", json={"code": code}).json() == wire.ENDED


def test_selecting_a_file_returns_a_relative_address_and_counts_no_use(client: httpx.Client) -> None:
    code = wire.share_file(client, wire.content(), expire_style="count", expire_value=1)
    for _ in range(3):
        found = wire.select(client, code)
        assert set(found) == METADATA | {"text", "content", "download_url"}
        assert found["text"] == found["download_url"]
        assert re.fullmatch(f"/share/download\\?key=[0-9a-f]{{64}}&code={code}", found["text"])
        assert found["content"] is None
        assert (found["used_count"], found["remaining_downloads"]) == (0, 1)


@pytest.mark.parametrize("path", ["/share/select/", "/share/select", "/api/share/select/", "/api/share/select"])
def test_a_get_of_a_files_code_returns_the_content_and_counts_a_use(client: httpx.Client, path: str) -> None:
    body = wire.content()
    code = wire.share_file(client, body, "s.bin", expire_style="count", expire_value=2)
    answer = client.get(path, params={"code": code}, follow_redirects=True)
    assert answer.content == body
    assert "s.bin" in answer.headers["content-disposition"]
    assert uses_left(client, code) == 1


def test_a_get_of_a_texts_code_returns_a_text_file(client: httpx.Client) -> None:
    text = '‮ "quotes" <script> \\ 🐈\r\n\té'
    answer = client.get("/share/select/", params={"code": wire.share_text(client, text)})
    assert answer.content == text.encode()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Text.txt" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/share/download", "/api/share/download"])
def test_a_download_counts_one_use(client: httpx.Client, path: str) -> None:
    body = wire.content()
    code = wire.share_file(client, body, expire_style="count", expire_value=2)
    url = wire.select(client, code)["download_url"].replace("/share/download", path)
    assert client.get(url).content == body
    assert uses_left(client, code) == 1


def test_a_download_has_the_expected_headers_and_none_of_the_stores_own(client: httpx.Client) -> None:
    body, name = wire.content(100_000), 'a "b" — ü 文件 100%.tar.gz'
    answer = wire.download(client, wire.share_file(client, body, name))
    assert answer.status_code == 200
    assert answer.content == body
    headers = answer.headers
    assert headers["content-type"] == "application/octet-stream"
    plain, encoded = "a _b_ _ _ __ 100%.tar.gz", quote(name, safe="")
    assert headers["content-disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    assert headers["content-length"] == str(len(body))
    assert headers["accept-ranges"] == "bytes"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert headers["repr-digest"] == f"sha-256=:{digest}:"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert "no-store" in headers["cache-control"]
    assert set(headers) <= SENT_WITH_A_FILE
    assert headers["etag"] == f'"{hashlib.sha256(body).hexdigest()}"'


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.js", "a.pdf", "a.txt"])
def test_no_file_is_displayed_inline(client: httpx.Client, name: str) -> None:
    for url in ("/share/select/", "/share/download"):
        code = wire.share_file(client, b"<script>alert(1)</script>", name)
        asked = wire.select(client, code)["download_url"] if url.endswith("download") else f"{url}?code={code}"
        answer = client.get(asked)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=4990-", 4990, 4999), ("bytes=-10", 4990, 4999),
     ("bytes=0-999999", 0, 4999)],
)  # fmt: skip
def test_a_range_of_a_file(client: httpx.Client, wanted: str, first: int, last: int) -> None:
    body = wire.content(5000)
    answer = wire.download(client, wire.share_file(client, body), {"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == body[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/5000"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert "repr-digest" in answer.headers


@pytest.mark.parametrize("wanted", ["bytes=5000-", "bytes=99999-100000"])
def test_a_range_beyond_the_end(client: httpx.Client, wanted: str) -> None:
    answer = wire.download(client, wire.share_file(client, wire.content(5000)), {"Range": wanted})
    refused(answer, 416)
    assert answer.headers["content-range"] == "bytes */5000"


def test_a_request_for_many_ranges_is_refused(client: httpx.Client) -> None:
    code = wire.share_file(client, wire.content(5000), expire_style="count", expire_value=1)
    ranges = "bytes=" + ",".join(f"{start}-" for start in range(1000))
    refused(wire.download(client, code, {"Range": ranges}), 416)
    assert uses_left(client, code) == 1


def test_conditional_requests(client: httpx.Client) -> None:
    body = wire.content(5000)
    code = wire.share_file(client, body)
    tag = wire.download(client, code).headers["etag"]
    assert tag == f'"{hashlib.sha256(body).hexdigest()}"'
    assert wire.download(client, code, {"If-None-Match": tag}).status_code == 304
    assert wire.download(client, code, {"If-None-Match": '"another"'}).content == body
    ranged = wire.download(client, code, {"Range": "bytes=5-9", "If-Range": tag})
    assert (ranged.status_code, ranged.content) == (206, body[5:10])
    changed = wire.download(client, code, {"Range": "bytes=5-9", "If-Range": '"another"'})
    assert (changed.status_code, changed.content) == (200, body)


def test_a_head_counts_no_use_and_has_the_headers_of_a_get(client: httpx.Client) -> None:
    body = wire.content(5000)
    code = wire.share_file(client, body, expire_style="count", expire_value=1)
    for url in (wire.select(client, code)["download_url"], f"/share/select/?code={code}"):
        answer = client.head(url)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == "5000"
        assert set(answer.headers) <= SENT_WITH_A_FILE
    text = wire.share_text(client, expire_style="count")
    assert client.head("/share/select/", params={"code": text}).status_code == 200
    assert (uses_left(client, code), uses_left(client, text)) == (1, 1)
    assert wire.fetch(client, code) == body


def test_after_the_last_use_a_new_download_is_refused(client: httpx.Client) -> None:
    body = wire.content()
    code = wire.share_file(client, body, expire_style="count", expire_value=1)
    first, second = (wire.select(client, code)["download_url"] for _ in range(2))
    assert client.get(first).content == body
    assert client.get(second).json() == wire.ENDED
    assert client.get("/share/select/", params={"code": code}).json() == wire.ENDED
    assert client.post("/share/select/", json={"code": code}).json() == wire.ENDED
    assert client.get("/share/metadata/", params={"code": code}).json() == wire.ENDED


@pytest.mark.parametrize("by", ["key", "code"])
def test_the_last_download_can_be_resumed_without_another_use(client: httpx.Client, by: str) -> None:
    body = wire.content(5000)
    code = wire.share_file(client, body, expire_style="count", expire_value=2)
    url = wire.select(client, code)["download_url"] if by == "key" else f"/share/select/?code={code}"
    wire.fetch(client, code)
    assert client.get(url).content == body
    for start in (1, 2500, 4999):
        answer = client.get(url, headers={"Range": f"bytes={start}-"})
        assert (answer.status_code, answer.content) == (206, body[start:])
    assert client.get(url).json() == wire.ENDED
    refused(client.get(url, headers={"Range": "bytes=0-"}), 404, "文件已过期")
    assert client.get(url).json() == wire.ENDED


def test_exactly_one_of_many_concurrent_requests_gets_the_last_use(client: httpx.Client) -> None:
    body = wire.content()
    for _ in range(3):
        code = wire.share_file(client, body, expire_style="count", expire_value=1)
        urls = [wire.select(client, code)["download_url"] for _ in range(6)]
        with ThreadPoolExecutor(6) as redeeming:
            answers = list(redeeming.map(client.get, urls))
        assert [answer.content for answer in answers].count(body) == 1
        assert [answer.json() for answer in answers if answer.content != body] == [wire.ENDED] * 5

        text = wire.share_text(client, "once", expire_style="count", expire_value=1)
        with ThreadPoolExecutor(6) as redeeming:
            asked = [redeeming.submit(client.post, "/share/select/", json={"code": text}) for _ in range(6)]
        found = [answer.result().json() for answer in asked]
        assert [answer["code"] for answer in found].count(200) == 1
        assert [answer for answer in found if answer["code"] != 200] == [wire.ENDED] * 5


def test_a_bad_key_is_refused(client: httpx.Client) -> None:
    code, other = (wire.share_file(client, wire.content()) for _ in range(2))
    key = parse_qs(urlsplit(wire.select(client, code)["download_url"]).query)["key"][0]
    wrong = ["0" * 64, "", "x", key[:-1], key.upper() if key.upper() != key else "0" * 64, key[:-1] + "é"]
    wrong.append(key[:-1] + ("0" if key[-1] != "0" else "1"))
    for bad in wrong:
        refused(client.get("/share/download", params={"key": bad, "code": code}), 403, "下载鉴权失败")
    refused(client.get("/share/download", params={"key": key, "code": other}), 403, "下载鉴权失败")
    refused(client.get("/share/download", params={"key": "0" * 64, "code": "ZZZZZ"}), 403, "下载鉴权失败")
    assert client.get("/share/download", params={"key": key, "code": code}).status_code == 200
