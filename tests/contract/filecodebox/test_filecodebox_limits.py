"""FileCodeBox, section 7 and the settings of section 3, on a system whose limits are reached at once."""

import re
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest
from psycopg.types.json import Jsonb

from deploy.local.stack import StartedStack
from tests.contract.conftest import Visitor
from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import MIB, detail, misshaped, refused
from tests.contract.traces import Traces

OVERSIZE = "Size exceeds limit, maximum is 1.00 MB"
UPLOADS = "Upload rate limit"
BLOCKED = "请求次数过多，请稍后再试"
CLOSED = "本站未开启游客上传，如需上传请先登录后台"
SETTLES_SECONDS = 30
"""The longest wait for a changed setting to take effect: two caches keep the old value for two seconds each."""


@contextmanager
def settings(traces: Traces, client: httpx.Client, seen: str, **values: object) -> Generator[None]:
    """Change settings while the system runs; `seen` is the message that an oversize upload then gets."""
    traces.change("share", "insert into policy_revision (version, changes) values (1, %s)", Jsonb(values))
    wait_for(client, seen)
    try:
        yield
    finally:
        traces.database("share").execute("delete from policy_revision")
        wait_for(client, OVERSIZE)


def wait_for(client: httpx.Client, text: str) -> None:
    """Wait until the upload service, which notices a change last, refuses an upload with this text."""
    until = time.monotonic() + SETTLES_SECONDS
    asked = {"file_name": "a.txt", "file_size": 10**15}
    while client.post("/presign/upload/init", json=asked).json()["detail"] != text:
        assert time.monotonic() < until, "the settings do not take effect"
        time.sleep(0.2)


def test_the_public_configuration_shows_the_settings(visitor: Visitor) -> None:
    config = detail(visitor().get("/api/v1/config"))
    assert config["config"]["uploadSize"] == MIB
    assert config["config"]["expireStyle"] == ["day", "hour", "count"]
    assert config["config"]["allowedFileTypes"] == ["txt", ".ZIP"]
    assert config["meta"]["limits"]["uploadWindowCount"] == 3


def test_codes_consist_of_digits_if_so_configured(visitor: Visitor) -> None:
    for code in (wire.share_text(visitor()), wire.share_file(visitor(), b"1234567890")):
        assert re.fullmatch("[1-9][0-9]{4}", code)


# --- size and type


@pytest.mark.parametrize("way", ["announced", "a little", "chunked transfer"])
def test_a_file_over_the_limit_is_refused(visitor: Visitor, narrow_traces: Traces, way: str) -> None:
    client = visitor()
    with narrow_traces.nothing_left():
        if way == "chunked transfer":
            head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
            body = iter([head, bytes(MIB // 2), bytes(MIB // 2), b"x", b"\r\n--x--\r\n"])
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            refused(client.post("/share/file/", content=body, headers=headers), 403, OVERSIZE)
        else:
            size = MIB + 1 if way == "a little" else 3 * MIB
            refused(wire.post_file(client, bytes(size)), 403, OVERSIZE)


def test_a_file_of_exactly_the_limit_passes(visitor: Visitor) -> None:
    client, body = visitor(), wire.content(MIB)
    assert wire.fetch(client, wire.share_file(client, body)) == body


def test_a_presigned_file_may_not_use_its_tolerance_to_pass_the_limit(visitor: Visitor, narrow_traces: Traces) -> None:
    client = visitor()
    url = wire.presign(client, MIB, "a.txt")["upload_url"]
    with narrow_traces.nothing_left():
        refused(wire.put_file(client, url, bytes(MIB + 1)), 403, OVERSIZE)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("a.txt", True), ("A.TXT", True), ("b.zip", True), ("c.exe", False), ("txt", False), ("a.txt.exe", False)],
)
def test_only_the_allowed_types_pass(visitor: Visitor, name: str, allowed: bool) -> None:
    client = visitor()
    asked = {"file_name": name, "file_size": 5, "file_hash": wire.NAME_HASH}
    for answer in (
        wire.post_file(client, b"12345", name),
        client.post("/chunk/upload/init/", json=asked),
        client.post("/presign/upload/init", json=asked),
    ):
        if allowed:
            detail(answer)
        else:
            refused(answer, 403, "不允许上传该类型文件")


def test_a_style_that_is_not_configured_is_refused(visitor: Visitor) -> None:
    for style in ("minute", "forever"):
        refused(
            visitor().post("/share/text/", data={"text": "a", "expire_style": style}), 400, "Invalid expiration type"
        )
        refused(wire.post_file(visitor(), b"12345", expire_style=style), 400, "Invalid expiration type")


# --- the order of the checks of /share/file/


def test_a_missing_file_is_reported_before_a_wrong_style(visitor: Visitor) -> None:
    misshaped(visitor().post("/share/file/", files={"expire_style": (None, "week")}), "file")


@pytest.mark.parametrize("first", ["file", "expire_value"])
def test_field_types_are_checked_before_size_and_file_type(visitor: Visitor, narrow_traces: Traces, first: str) -> None:
    with narrow_traces.nothing_left():
        for name, size in (("a.txt", MIB + 1), ("a.exe", 5)):
            parts = [("file", (name, bytes(size))), ("expire_value", (None, "many"))]
            ordered = parts if first == "file" else parts[::-1]
            misshaped(visitor().post("/share/file/", files=ordered), "expire_value")


def test_size_type_style_and_longest_time_are_checked_in_this_order(visitor: Visitor) -> None:
    wrong_time = {"expire_style": "day", "expire_value": "8"}
    refused(wire.post_file(visitor(), bytes(3 * MIB), "a.exe", expire_style="week"), 403, OVERSIZE)
    refused(wire.post_file(visitor(), b"12345", "a.exe", expire_style="week"), 403, "不允许上传该类型文件")
    refused(wire.post_file(visitor(), b"12345", "a.exe", **wrong_time), 403, "不允许上传该类型文件")
    refused(wire.post_file(visitor(), b"12345", expire_style="week", expire_value=8), 400, "Invalid expiration type")
    assert wire.post_file(visitor(), b"12345", **wrong_time).status_code == 403


def test_the_rate_is_checked_before_field_types(visitor: Visitor) -> None:
    client = visitor()
    for _ in range(3):
        wire.share_text(client)
    refused(client.post("/share/file/", data={"expire_value": "many"}), 403, UPLOADS)


# --- rates


def upload(client: httpx.Client, way: str) -> httpx.Response:
    """Upload in one of the ways that count as one upload. Returns the answer to the request that is counted."""
    if way == "text":
        return client.post("/share/text/", data={"text": "a"})
    if way == "file":
        return wire.post_file(client, b"12345")
    upload_id = wire.init(client, wire.content(5), "a.txt", file_hash=wire.NAME_HASH, chunk_size=5)
    wire.send_chunk(client, upload_id, 0, b"12345")
    return wire.complete(client, upload_id)


@pytest.mark.parametrize("way", ["text", "file", "chunks"])
def test_uploads_are_limited(visitor: Visitor, narrow_traces: Traces, way: str) -> None:
    client = visitor()
    for _ in range(3):
        detail(upload(client, way))
    with narrow_traces.nothing_left("share "):
        refused(upload(client, way), 403, UPLOADS)
    refused(upload(client, "text"), 403, UPLOADS)
    refused(client.post("/presign/upload/init", json={"file_name": "a.txt", "file_size": 5}), 403, UPLOADS)
    detail(upload(visitor(), way))


def test_a_presigned_upload_counts_twice(visitor: Visitor) -> None:
    client = visitor()
    url = wire.presign(client, 5, "a.txt")["upload_url"]
    detail(wire.put_file(client, url, b"12345"))
    second = wire.presign(client, 5, "a.txt")["upload_url"]
    refused(wire.put_file(client, second, b"12345"), 403, UPLOADS)
    refused(client.post("/presign/upload/init", json={"file_name": "a.txt", "file_size": 5}), 403, UPLOADS)


def test_uploads_that_fail_do_not_count(visitor: Visitor) -> None:
    client = visitor()
    for _ in range(5):
        refused(wire.post_file(client, b"12345", expire_style="week"), 400)
        misshaped(client.post("/share/text/", data={}), "text")
        misshaped(client.post("/share/file/", data={}), "file")
        refused(wire.complete(client, wire.init(client, b"12345", "a.txt")), 400, "Incomplete chunks")
    detail(upload(client, "text"))


def test_beginning_and_sending_chunks_is_not_counted(visitor: Visitor) -> None:
    client = visitor()
    for number in range(6):
        upload_id = wire.init(client, b"12345", f"{number}.txt")
        detail(wire.send_chunk(client, upload_id, 0, b"12345"))
    detail(wire.complete(client, upload_id))


@pytest.mark.parametrize("way", ["select", "get", "key"])
def test_wrong_codes_and_keys_are_limited_and_block_right_ones(visitor: Visitor, way: str) -> None:
    client, code = visitor(), wire.share_file(visitor(), b"12345")

    def guess() -> httpx.Response:
        if way == "select":
            return client.post("/share/select/", json={"code": "00000"})
        if way == "get":
            return client.get("/share/select/", params={"code": "00000"})
        return client.get("/share/download", params={"code": code, "key": "0" * 64})

    right = wire.select(client, code)["download_url"]
    for _ in range(3):
        assert guess().status_code == (403 if way == "key" else 200)
    for blocked in (
        guess(),
        client.post("/share/select/", json={"code": code}),
        client.get("/share/select/", params={"code": code}),
        client.get(right),
    ):
        refused(blocked, 423, BLOCKED)
    assert wire.fetch(visitor(), code) == b"12345"


def test_right_codes_are_not_limited(visitor: Visitor) -> None:
    client, code = visitor(), wire.share_file(visitor(), b"12345")
    for _ in range(5):
        assert wire.fetch(client, code) == b"12345"


def test_requests_for_metadata_have_a_limit_of_their_own(visitor: Visitor) -> None:
    client, code = visitor(), wire.share_file(visitor(), b"12345")
    for _ in range(3):
        wire.metadata(client, code)
    refused(client.post("/share/metadata/", json={"code": code}), 423, BLOCKED)
    refused(client.get("/share/metadata/", params={"code": code}), 423, BLOCKED)
    assert wire.fetch(client, code) == b"12345"


@pytest.mark.parametrize(
    ("kind", "budget"), [("upload", "upload"), ("error", "guess-address"), ("metadata", "inspection")]
)
def test_a_block_ends_one_window_after_the_last_counted_event(
    visitor: Visitor, narrow_traces: Traces, kind: str, budget: str
) -> None:
    """The test simulates the passing of time: it shortens the remaining lifetime of the counters."""
    client, code = visitor(), wire.share_text(visitor(), "for all")

    def act() -> httpx.Response:
        if kind == "upload":
            return client.post("/share/text/", data={"text": "a"})
        if kind == "error":
            return client.post("/share/select/", json={"code": "00000"})
        return client.post("/share/metadata/", json={"code": code})

    cache = narrow_traces.cache()
    try:
        address = client.headers["X-Forwarded-For"]
        act()
        (counter,) = list(cache.scan_iter(f"*{budget}*{address}*"))
        assert 50 < cache.ttl(counter) <= 60
        cache.expire(counter, 20)
        act()
        act()
        assert cache.ttl(counter) > 50
        cache.expire(counter, 20)
        assert act().status_code in (403, 423)
        assert cache.ttl(counter) <= 20
        cache.expire(counter, 0)
        assert act().status_code == 200
    finally:
        cache.close()


# --- settings that an administrator changes while the system runs


def test_a_site_closed_to_guests_serves_its_shares_and_takes_no_uploads(
    visitor: Visitor, narrow_traces: Traces
) -> None:
    uploads = [
        ("POST", "/share/text/"), ("POST", "/share/file/"), ("POST", "/chunk/upload/init/"),
        ("POST", f"/chunk/upload/complete/{wire.UNKNOWN_ID}"), ("POST", "/presign/upload/init"),
        ("PUT", f"/presign/upload/proxy/{wire.UNKNOWN_ID}"),
    ]  # fmt: skip
    code = wire.share_text(visitor(), "shared before")
    client = visitor()
    with settings(narrow_traces, client, CLOSED, open_upload=False):
        assert detail(client.post("/"))["openUpload"] == 0
        assert detail(client.get("/api/v1/config"))["meta"]["features"]["guestUpload"] in (False, 0)
        for method, path in uploads:
            refused(client.request(method, path), 403, CLOSED)
            refused(client.request(method, path, headers={"Authorization": "Basic eDp5"}), 403, CLOSED)
            wrong = client.request(method, path, headers={"Authorization": "Bearer null"})
            refused(wrong, 401, "未授权或授权校验失败")
        assert wire.select(client, code)["text"] == "shared before"


def test_a_longest_time_of_half_a_day_and_disabled_chunks_take_effect(visitor: Visitor, narrow_traces: Traces) -> None:
    client, half = visitor(), "Size exceeds limit, maximum is 0.50 MB"
    changed = {"max_save_seconds": 12 * 3600, "enable_chunk": False, "upload_count": 100, "upload_size": MIB // 2}
    with settings(narrow_traces, client, half, **changed):
        assert detail(client.post("/"))["max_save_seconds"] == 12 * 3600
        wire.share_text(client, expire_style="hour", expire_value=12)
        for style, value in (("hour", 13), ("day", 1), ("count", 1)):
            answer = client.post("/share/text/", data={"text": "a", "expire_style": style, "expire_value": value})
            assert answer.status_code == 403
            assert answer.json()["detail"].startswith("限制最长时间为")
        assert detail(client.post("/"))["enableChunk"] == 0
        asked = {"file_name": "a.txt", "file_size": 5, "file_hash": wire.NAME_HASH}
        refused(client.post("/chunk/upload/init/", json=asked), 403)
        url = wire.presign(client, 5, "a.txt", expire_style="hour")["upload_url"]
        assert wire.fetch(client, detail(wire.put_file(client, url, b"12345"))["code"]) == b"12345"


def test_a_file_of_60_gb_has_more_chunks_than_a_store_has_parts(
    visitor: Visitor, narrow_stack: StartedStack, narrow_traces: Traces
) -> None:
    client, size = visitor(), 60 * 10**9
    if shutil.disk_usage(narrow_stack.folder).free < size + 10**9:
        pytest.skip("so much is refused here, as the disk has no room for it")
    limit = "Size exceeds limit, maximum is 61440.00 MB"
    with settings(narrow_traces, client, limit, upload_size=60 * 1024**3), narrow_traces.nothing_left():
        asked = {"file_name": "large.zip", "file_size": size, "file_hash": wire.NAME_HASH}
        begun = detail(client.post("/chunk/upload/init/", json=asked))
        assert (begun["chunk_size"], begun["total_chunks"]) == (wire.CHUNK, 11445)
        last = wire.content(size - 11444 * wire.CHUNK)
        assert detail(wire.send_chunk(client, begun["upload_id"], 11444, last)) == {"chunk_hash": wire.sha256(last)}
        assert wire.send_chunk(client, begun["upload_id"], 11445, last).json() == {"detail": "Invalid chunk index"}
        status = detail(client.get(f"/chunk/upload/status/{begun['upload_id']}"))
        assert (status["uploaded_chunks"], status["total_chunks"]) == ([11444], 11445)
        detail(client.delete(f"/chunk/upload/{begun['upload_id']}"))
