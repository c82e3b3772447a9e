"""FileCodeBox, section 3: texts, files by form, expiry, codes."""

import re
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import detail, misshaped, refused
from tests.contract.traces import Traces

TOO_LONG = "限制最长时间为 7，可换用其他方式"


@pytest.mark.parametrize("path", ["/share/text/", "/share/text", "/api/share/text/", "/api/share/text"])
@pytest.mark.parametrize("encoding", ["data", "files"])
def test_a_text_is_shared_by_either_kind_of_form(client: httpx.Client, path: str, encoding: str) -> None:
    fields = {"text": "héllo\r\n世界", "expire_value": "2", "expire_style": "count"}
    form: Any = {name: (None, value) for name, value in fields.items()} if encoding == "files" else fields
    answer = detail(client.post(path, follow_redirects=True, **{encoding: form}))
    found = wire.select(client, answer["code"])
    assert found["text"] == found["content"] == "héllo\r\n世界"
    assert (found["size"], found["remaining_downloads"]) == (len("héllo\r\n世界".encode()), 1)


@pytest.mark.parametrize("path", ["/share/file/", "/share/file", "/api/share/file/", "/api/share/file"])
def test_a_file_is_shared_by_form(client: httpx.Client, path: str) -> None:
    body = wire.content()
    answer = client.post(path, files={"file": ("资料.tar.gz", body)}, follow_redirects=True)
    shared = detail(answer)
    assert shared == {"code": shared["code"], "name": "资料.tar.gz"}
    assert wire.fetch(client, shared["code"]) == body


def test_fields_may_come_before_the_file_or_after_it(client: httpx.Client) -> None:
    for names in (["expire_style", "expire_value", "file"], ["file", "expire_value", "expire_style"]):
        body = wire.content()
        parts = {"file": ("a.txt", body), "expire_style": (None, "count"), "expire_value": (None, "3")}
        code = detail(client.post("/share/file/", files=[(name, parts[name]) for name in names]))["code"]
        assert wire.metadata(client, code)["remaining_downloads"] == 3
        assert wire.fetch(client, code) == body


def test_a_share_lasts_one_day_by_default(client: httpx.Client) -> None:
    for code in (wire.share_text(client), wire.share_file(client, wire.content())):
        found = wire.metadata(client, code)
        assert lifetime(found) == timedelta(days=1)
        assert found["remaining_downloads"] is None


def lifetime(found: dict[str, str]) -> timedelta:
    """The time until a share expires, rounded to minutes."""
    lasts = datetime.fromisoformat(found["expired_at"]) - datetime.fromisoformat(found["created_at"])
    return timedelta(minutes=round(lasts / timedelta(minutes=1)))


@pytest.mark.parametrize(
    ("style", "value", "lasts", "count"),
    [
        ("day", 3, timedelta(days=3), -1),
        ("hour", 5, timedelta(hours=5), -1),
        ("minute", 90, timedelta(minutes=90), -1),
        ("count", 4, timedelta(days=1), 4),
        ("day", 7, timedelta(days=7), -1),
        ("hour", 7 * 24, timedelta(days=7), -1),
        ("minute", 7 * 24 * 60, timedelta(days=7), -1),
        ("count", 10**6, timedelta(days=1), 10**6),
    ],
)
@pytest.mark.parametrize("way", ["text", "file", "chunks", "presign"])
def test_each_style_sets_time_and_count(
    client: httpx.Client, way: str, style: str, value: int, lasts: timedelta, count: int
) -> None:
    found = wire.metadata(client, share(client, way, style, value))
    assert lifetime(found) == lasts
    assert found["expired_count"] == count
    assert found["remaining_downloads"] == (None if count == -1 else count)
    assert found["used_count"] == 0


def share(client: httpx.Client, way: str, style: str, value: int | str) -> str:
    answer = try_to_share(client, way, style, value)
    return detail(answer)["code"]


def try_to_share(client: httpx.Client, way: str, style: str, value: int | str) -> httpx.Response:
    """Share something small in one of the four ways. Returns the answer to the request that names the expiry."""
    body = b"0123456789"
    if way == "text":
        return client.post("/share/text/", data={"text": "a", "expire_style": style, "expire_value": value})
    if way == "file":
        return wire.post_file(client, body, expire_style=style, expire_value=value)
    expiry = {"expire_style": style, "expire_value": value}
    if way == "chunks":
        upload_id = wire.init(client, body, file_hash=wire.NAME_HASH)
        wire.send_chunk(client, upload_id, 0, body)
        return client.post(f"/chunk/upload/complete/{upload_id}", json=expiry)
    begun = client.post("/presign/upload/init", json={"file_name": "a", "file_size": len(body)} | expiry)
    if begun.status_code != 200:
        return begun
    return wire.put_file(client, begun.json()["detail"]["upload_url"], body)


@pytest.mark.parametrize("way", ["text", "file", "chunks", "presign"])
def test_a_permanent_share_has_no_end_and_no_longest_time(client: httpx.Client, way: str) -> None:
    found = wire.metadata(client, share(client, way, "forever", 10**6))
    assert (found["expired_at"], found["expires_at"], found["expired_count"]) == (None, None, -1)


@pytest.mark.parametrize("way", ["text", "file", "chunks", "presign"])
@pytest.mark.parametrize(
    ("style", "value"), [("day", 8), ("hour", 7 * 24 + 1), ("minute", 7 * 24 * 60 + 1), ("day", 10**9)]
)
def test_a_time_over_seven_days_is_refused(client: httpx.Client, way: str, style: str, value: int) -> None:
    refused(try_to_share(client, way, style, value), 403, TOO_LONG)


@pytest.mark.parametrize("way", ["text", "file", "chunks", "presign"])
def test_an_unknown_style_is_refused_and_leaves_nothing(client: httpx.Client, traces: Traces, way: str) -> None:
    with traces_of_shares(traces, way):
        for style in ("week", "Day", "day ", "count\0"):
            refused(try_to_share(client, way, style, 1), 400, "Invalid expiration type")


@pytest.mark.parametrize("way", ["text", "file", "chunks", "presign"])
def test_a_wrong_value_is_refused_and_leaves_nothing(client: httpx.Client, traces: Traces, way: str) -> None:
    with traces_of_shares(traces, way):
        for value in ("many", "1.5", "1.", str(10**30), "9" * 5000, "1e3"):
            misshaped(try_to_share(client, way, "day", value), "expire_value")
        for value in ("0", "-1"):
            answer = try_to_share(client, way, "day", value)
            if way in ("text", "file"):
                misshaped(answer, "expire_value")
            else:
                refused(answer, 400)


def traces_of_shares(traces: Traces, way: str) -> AbstractContextManager[None]:
    """Assert that no share is left. Chunks, which were sent before the expiry was known, stay for another try."""
    return traces.nothing_left("share ") if way == "chunks" else traces.nothing_left()


def test_json_values_of_other_types_are_malformed(client: httpx.Client) -> None:
    upload_id = wire.init(client, wire.content(10))
    wire.send_chunk(client, upload_id, 0, b"0123456789")

    def completed(**fields: object) -> httpx.Response:
        return client.post(f"/chunk/upload/complete/{upload_id}", json=fields)

    for value in (None, True, 1.5, [1], {"a": 1}):
        misshaped(completed(expire_value=value, expire_style="day"), "expire_value")
    misshaped(completed(expire_value=1), "expire_style")
    misshaped(completed(expire_style="day"), "expire_value")
    misshaped(completed(expire_value=1, expire_style=1), "expire_style")


def test_codes_are_five_of_a_to_z_and_digits(client: httpx.Client) -> None:
    codes = [wire.share_text(client) for _ in range(20)]
    assert all(re.fullmatch("[A-Z0-9]{5}", code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_a_code_is_trimmed_and_case_sensitive(client: httpx.Client) -> None:
    code = wire.share_text(client, "found")
    while not re.search("[A-Z]", code):
        code = wire.share_text(client, "found")
    assert wire.select(client, f" {code}\n")["text"] == "found"
    assert client.get("/share/select/", params={"code": f"\t{code} "}).text == "found"
    assert client.post("/share/select/", json={"code": code.lower()}).json() == wire.UNKNOWN


def test_a_text_may_have_227328_bytes_and_not_one_more(client: httpx.Client, traces: Traces) -> None:
    text = "é" * (227_328 // 2)
    assert wire.select(client, wire.share_text(client, text))["text"] == text
    with traces.nothing_left():
        for long in (text + "x", "x" * 10_000_000):
            refused(client.post("/share/text/", data={"text": long}), 403, "内容过多,建议采用文件形式")
            refused(client.post("/share/text/", files={"text": (None, long)}), 403, "内容过多,建议采用文件形式")


def test_equal_files_have_separate_codes_and_expiries(client: httpx.Client, traces: Traces) -> None:
    body = wire.content(6000)
    first = wire.share_file(client, body, "first.txt")
    with traces.nothing_left("object "):
        second = detail(wire.share_in_chunks(client, body, "second.txt"))["code"]
        third = detail(wire.put_file(client, wire.presign(client, len(body))["upload_url"], body))["code"]
    assert len({first, second, third}) == 3
    assert [wire.fetch(client, code) for code in (first, second, third)] == [body] * 3
    end(traces, first)
    assert client.post("/share/select/", json={"code": first}).json() == wire.ENDED
    assert [wire.fetch(client, code) for code in (second, third)] == [body] * 2


def end(traces: Traces, code: str) -> None:
    """Make a share expire."""
    traces.change("share", "update share set expires_at = now() - interval '1 s' where code = %s", code)


@pytest.mark.parametrize("way", ["text", "file"])
def test_an_expired_share_is_answered_differently_from_an_unknown_one(
    client: httpx.Client, traces: Traces, way: str
) -> None:
    code = share(client, way, "minute", 1)
    url = wire.select(client, code)["download_url"]
    end(traces, code)
    assert client.post("/share/select/", json={"code": code}).json() == wire.ENDED
    assert client.get("/share/select/", params={"code": code}).json() == wire.ENDED
    assert client.post("/share/metadata/", json={"code": code}).json() == wire.ENDED
    assert url is None or client.get(url).json() == wire.ENDED


def test_a_count_share_ends_with_its_last_use_or_its_day(client: httpx.Client, traces: Traces) -> None:
    code = share(client, "text", "count", 2)
    assert wire.select(client, code)["remaining_downloads"] == 1
    spent = wire.select(client, code)
    assert (spent["remaining_downloads"], spent["expired_count"]) == (None, 0)
    assert client.post("/share/select/", json={"code": code}).json() == wire.ENDED
    other = share(client, "file", "count", 5)
    end(traces, other)
    assert client.post("/share/select/", json={"code": other}).json() == wire.ENDED
