"""FileCodeBox, section 6: presigned upload, always in proxy mode here."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import detail, misshaped, refused
from tests.contract.traces import Traces

WRONG_SIZE = "文件大小与声明不符"


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize("encoding", ["json", "data", "files"])
def test_an_upload_is_presigned_in_any_encoding(client: httpx.Client, prefix: str, encoding: str) -> None:
    body = wire.content(2000)
    asked = {"file_name": "p ä.bin", "file_size": "2000", "expire_value": "3", "expire_style": "count"}
    form: Any = {name: (None, value) for name, value in asked.items()} if encoding == "files" else asked
    begun = detail(client.post(f"{prefix}/presign/upload/init", **{encoding: form}))
    upload_id = begun["upload_id"]
    assert re.fullmatch("[0-9a-f]{32}", upload_id)
    assert begun == {
        "upload_id": upload_id,
        "upload_url": f"/presign/upload/proxy/{upload_id}",
        "mode": "proxy",
        "expires_in": 900,
        "proxy_upload_url": f"/presign/upload/proxy/{upload_id}",
        "legacy_proxy_upload_url": f"/api/presign/upload/proxy/{upload_id}",
    }
    shared = detail(wire.put_file(client, f"{prefix}/presign/upload/proxy/{upload_id}", body))
    assert shared == {"code": shared["code"], "name": "p ä.bin"}
    assert wire.metadata(client, shared["code"])["remaining_downloads"] == 3
    assert wire.fetch(client, shared["code"]) == body


def test_one_day_is_the_default(client: httpx.Client) -> None:
    body = wire.content(100)
    code = detail(wire.put_file(client, wire.presign(client, len(body))["upload_url"], body))["code"]
    found = wire.metadata(client, code)
    assert (found["remaining_downloads"], found["expired_count"]) == (None, -1)
    assert found["expires_at"] > found["created_at"]


def test_the_status_of_an_upload(client: httpx.Client) -> None:
    upload_id = wire.presign(client, 2000, "status.bin")["upload_id"]
    for prefix in ("", "/api"):
        status = detail(client.get(f"{prefix}/presign/upload/status/{upload_id}"))
        assert set(status) == {"upload_id", "file_name", "file_size", "mode", "created_at", "expires_at", "is_expired"}
        assert (status["upload_id"], status["file_name"], status["file_size"]) == (upload_id, "status.bin", 2000)
        assert (status["mode"], status["is_expired"]) == ("proxy", False)
        assert status["expires_at"] > status["created_at"]


@pytest.mark.parametrize("difference", [-1024, 0, 1024])
def test_a_size_may_differ_by_a_kibibyte(client: httpx.Client, difference: int) -> None:
    body = wire.content(3000)
    url = wire.presign(client, len(body) + difference)["upload_url"]
    assert wire.fetch(client, detail(wire.put_file(client, url, body))["code"]) == body


@pytest.mark.parametrize("actual", [0, 3000 - 1025, 3000 + 1025, 6 * wire.MIB])
def test_a_size_that_differs_by_more_is_refused(client: httpx.Client, traces: Traces, actual: int) -> None:
    begun = wire.presign(client, 3000)
    with traces.nothing_left():
        refused(wire.put_file(client, begun["upload_url"], wire.content(actual)), 400, WRONG_SIZE)
    body = wire.content(3000)
    assert wire.fetch(client, detail(wire.put_file(client, begun["upload_url"], body))["code"]) == body


def test_an_empty_file(client: httpx.Client) -> None:
    code = detail(wire.put_file(client, wire.presign(client, 0, "empty")["upload_url"], b""))["code"]
    answer = wire.download(client, code)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


def test_proxying_twice_at_once_makes_one_share(client: httpx.Client) -> None:
    body = wire.content(5000)
    url = wire.presign(client, len(body))["upload_url"]
    with ThreadPoolExecutor(3) as sending:
        answers = list(sending.map(lambda target: wire.put_file(client, target, body), [url] * 3))
    codes = {detail(answer)["code"] for answer in answers}
    assert len(codes) == 1
    assert wire.fetch(client, codes.pop()) == body


def test_a_confirmation_is_refused_in_proxy_mode(client: httpx.Client) -> None:
    upload_id = wire.presign(client, 10)["upload_id"]
    for prefix in ("", "/api"):
        refused(client.post(f"{prefix}/presign/upload/confirm/{upload_id}"), 400, "此会话不支持direct模式")


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_cancelling_removes_everything(client: httpx.Client, traces: Traces, prefix: str) -> None:
    with traces.nothing_left():
        upload_id = wire.presign(client, 10)["upload_id"]
        cancelled = client.delete(f"{prefix}/presign/upload/{upload_id}")
        assert detail(cancelled) == {"message": "上传会话已取消"}
        assert wire.put_file(client, f"/presign/upload/proxy/{upload_id}", b"0123456789").status_code == 404
        assert client.get(f"/presign/upload/status/{upload_id}").status_code == 404
        assert client.delete(f"/presign/upload/{upload_id}").status_code == 404


@pytest.mark.parametrize("upload_id", [wire.UNKNOWN_ID, "x", "%00", "g" * 32])
def test_an_unknown_or_malformed_upload_is_not_found(client: httpx.Client, upload_id: str) -> None:
    refused(wire.put_file(client, f"/presign/upload/proxy/{upload_id}", b"x"), 404)
    refused(client.post(f"/presign/upload/confirm/{upload_id}"), 404)
    refused(client.get(f"/presign/upload/status/{upload_id}"), 404)
    refused(client.delete(f"/presign/upload/{upload_id}"), 404)


def test_an_upload_expires_after_a_quarter_of_an_hour(client: httpx.Client, traces: Traces) -> None:
    upload_id = wire.presign(client, 10)["upload_id"]
    lasts = traces.ask("upload", "select expires_at - created_at from upload_session where id = %s::uuid", upload_id)
    assert round(lasts[0][0].total_seconds()) == 900
    traces.change("upload", "update upload_session set expires_at = now() where id = %s::uuid", upload_id)
    expired = "上传会话已过期"
    refused(wire.put_file(client, f"/presign/upload/proxy/{upload_id}", b"0123456789"), 404, expired)
    refused(client.post(f"/presign/upload/confirm/{upload_id}"), 404, expired)
    refused(client.get(f"/presign/upload/status/{upload_id}"), 404, expired)


def test_a_body_without_the_file_is_a_malformed_request(client: httpx.Client, traces: Traces) -> None:
    url = wire.presign(client, 10)["upload_url"]
    with traces.nothing_left():
        misshaped(client.put(url, content=b"0123456789"), "file")
        misshaped(client.put(url, files={"chunk": ("blob", b"0123456789")}), "file")
        misshaped(client.put(url, data={"file": "0123456789"}), "file")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"file_size": "many"}, "file_size"),
        ({"file_size": None}, "file_size"),
        ({"file_name": None}, "file_name"),
        ({"expire_value": "many"}, "expire_value"),
        ({"expire_style": 7}, "expire_style"),
    ],
)
def test_a_field_of_the_wrong_type_is_a_malformed_request(
    client: httpx.Client, traces: Traces, fields: dict[str, Any], field: str
) -> None:
    asked = {"file_name": "a", "file_size": 10} | fields
    with traces.nothing_left():
        misshaped(client.post("/presign/upload/init", json=asked), field)


def test_invalid_sizes_are_refused(client: httpx.Client, traces: Traces) -> None:
    with traces.nothing_left():
        refused(client.post("/presign/upload/init", json={"file_name": "a", "file_size": -1}), 400)
        too_large = {"file_name": "a", "file_size": 10 * 1024**3 + 1}
        limit = "Size exceeds limit, maximum is 10240.00 MB"
        refused(client.post("/presign/upload/init", json=too_large), 403, limit)
