"""FileCodeBox, sections 1, 2 and 9: rules for all endpoints, the public configuration, health."""

import re

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import detail, misshaped, refused

CONFIG = {
    "name": str,
    "description": str,
    "explain": str,
    "uploadSize": int,
    "allowedFileTypes": list,
    "expireStyle": list,
    "enableChunk": int,
    "openUpload": int,
    "notify_title": str,
    "notify_content": str,
    "show_admin_address": int,
    "max_save_seconds": int,
}
ENDPOINTS = [
    ("POST", "/"),
    ("GET", "/api/v1/config"),
    ("GET", "/health"),
    ("POST", "/share/text/"),
    ("POST", "/share/file/"),
    ("GET", "/share/metadata/"),
    ("POST", "/share/metadata/"),
    ("GET", "/share/select/"),
    ("POST", "/share/select/"),
    ("GET", "/share/download"),
    ("POST", "/chunk/upload/init/"),
    ("POST", f"/chunk/upload/chunk/{wire.UNKNOWN_ID}/0"),
    ("GET", f"/chunk/upload/status/{wire.UNKNOWN_ID}"),
    ("POST", f"/chunk/upload/complete/{wire.UNKNOWN_ID}"),
    ("DELETE", f"/chunk/upload/{wire.UNKNOWN_ID}"),
    ("POST", "/presign/upload/init"),
    ("PUT", f"/presign/upload/proxy/{wire.UNKNOWN_ID}"),
    ("POST", f"/presign/upload/confirm/{wire.UNKNOWN_ID}"),
    ("GET", f"/presign/upload/status/{wire.UNKNOWN_ID}"),
    ("DELETE", f"/presign/upload/{wire.UNKNOWN_ID}"),
]
SLASHED = [endpoint for endpoint in ENDPOINTS if endpoint[1].endswith("/") and endpoint[1] != "/"]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+08:00")


@pytest.mark.parametrize("body", [b"", b"{}", b"not JSON"])
def test_the_configuration_for_older_pages_ignores_the_body(client: httpx.Client, body: bytes) -> None:
    config = detail(client.post("/", content=body, headers={"Content-Type": "application/json"}))
    assert {name: type(value) for name, value in config.items()} == CONFIG
    assert config["uploadSize"] == 10 * 1024**3
    assert config["expireStyle"] == ["day", "hour", "minute", "forever", "count"]
    assert (config["enableChunk"], config["openUpload"]) == (1, 1)
    assert config["show_admin_address"] in (0, 1)


def test_the_configuration_for_the_current_page_has_more_fields(client: httpx.Client) -> None:
    answer = detail(client.get("/api/v1/config"))
    assert set(answer) == {"config", "meta"}
    assert answer["config"] == detail(client.post("/"))
    meta = answer["meta"]
    assert set(meta) == {"version", "api", "features", "limits"}
    assert meta["api"] == {"legacyConfig": "/", "publicConfig": "/api/v1/config", "health": "/health"}
    assert set(meta["features"]) == {"chunkUpload", "guestUpload", "adminAddressVisible", "expirationModes"}
    assert meta["features"]["expirationModes"] == answer["config"]["expireStyle"]
    assert meta["limits"] == {
        "uploadSize": answer["config"]["uploadSize"],
        "allowedFileTypes": answer["config"]["allowedFileTypes"],
        "maxSaveSeconds": answer["config"]["max_save_seconds"],
        "uploadWindowMinutes": 1,
        "uploadWindowCount": 100000,
    }


def test_health_names_status_version_storage_and_theme(client: httpx.Client) -> None:
    health = detail(client.get("/health"))
    assert set(health) == {"status", "version", "storage", "theme"}
    assert (health["status"], health["storage"]) == ("ok", "local")


@pytest.mark.parametrize(
    "path",
    ["/nope", "/api/nope", "/share/nope", "/share/textile", "/chunk/nope", "/presign/nope", "/api/v1/nope", "/setup"],
)
def test_an_unknown_path_is_a_json_404(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "json" in answer.headers["content-type"]
    assert answer.json()["detail"] == "Not Found"


def test_internal_routes_cannot_be_reached(client: httpx.Client) -> None:
    for path in ("/internal/policy", "/internal/health/ready", "/share/../internal/policy", "//internal/policy"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(("method", "path"), ENDPOINTS[1:])
def test_a_wrong_method_is_a_405(client: httpx.Client, method: str, path: str) -> None:
    refused(client.request("PATCH", path), 405, "Method Not Allowed")


@pytest.mark.parametrize(("method", "path"), SLASHED)
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_a_path_works_with_and_without_its_slash(client: httpx.Client, prefix: str, method: str, path: str) -> None:
    """A 307 redirect to the path with a slash would do too, because clients follow it."""
    answers = [client.request(method, prefix + form, follow_redirects=True) for form in (path, path[:-1])]
    assert answers[0].status_code in (400, 422)
    assert [answer.status_code for answer in answers] == [answers[0].status_code] * 2
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(("method", "path"), [e for e in ENDPOINTS[3:] if e[1].startswith(("/share", "/presign"))])
def test_every_path_exists_under_api_too(client: httpx.Client, method: str, path: str) -> None:
    bare, twin = client.request(method, path), client.request(method, f"/api{path}")
    assert (bare.status_code, bare.json()) == (twin.status_code, twin.json())
    assert bare.json() != {"detail": "Not Found"}


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("asked", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_preflight_requests_of_any_origin_are_accepted(
    client: httpx.Client, method: str, path: str, asked: str
) -> None:
    headers = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": asked,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    answer = client.options(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert asked in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_any_origin_may_read_answers_errors_and_downloads(client: httpx.Client) -> None:
    code = wire.share_file(client, wire.content())
    url = wire.select(client, code)["download_url"]
    asked = [
        client.post("/", headers={"Origin": "https://elsewhere.example"}),
        client.get("/share/select/", headers={"Origin": "https://elsewhere.example"}),
        client.get(url, headers={"Origin": "https://elsewhere.example"}),
    ]
    assert [answer.status_code for answer in asked] == [200, 422, 200]
    assert {answer.headers["access-control-allow-origin"] for answer in asked} == {"*"}


def test_json_is_compact(client: httpx.Client) -> None:
    code = wire.share_text(client)
    assert f'"code":"{code}"' in client.post("/share/select/", json={"code": code}).text
    assert client.post("/share/select/", json={"code": "zzzzz"}).text.startswith('{"code":404,"message":"ok",')
    assert client.get("/nope").text.strip() == '{"detail":"Not Found"}'


def test_timestamps_have_microseconds_and_the_zone_of_beijing(client: httpx.Client) -> None:
    found = wire.metadata(client, wire.share_text(client))
    presigned = wire.presign(client, 10)
    status = detail(client.get(f"/presign/upload/status/{presigned['upload_id']}"))
    for moment in (found["created_at"], found["expired_at"], found["expires_at"], status["created_at"]):
        assert TIMESTAMP.fullmatch(moment)
    assert found["expired_at"] == found["expires_at"]


def test_a_failed_lookup_has_http_status_200(client: httpx.Client) -> None:
    for answer in (
        client.post("/share/select/", json={"code": "zzzzz"}),
        client.get("/share/select/", params={"code": "ZZZZZ"}),
        client.post("/share/metadata/", json={"code": "no code at all"}),
        client.get("/share/metadata/", params={"code": ""}),
    ):
        assert (answer.status_code, answer.json()) == (200, wire.UNKNOWN)


def test_a_malformed_request_is_answered_with_a_list_of_errors(client: httpx.Client) -> None:
    misshaped(client.get("/share/select/"), "code")
    misshaped(client.post("/share/select/", json={}), "code")
    misshaped(client.post("/share/select/", json={"code": 12345}), "code")
    misshaped(client.get("/share/download", params={"code": "ABCDE"}), "key")
    misshaped(client.post("/share/text/", data={"expire_value": "1"}), "text")
    misshaped(client.post("/share/file/", data={"expire_value": "1"}), "file")
    misshaped(client.post("/chunk/upload/init/", json={"file_size": 1, "file_hash": wire.NAME_HASH}), "file_name")
    misshaped(client.post("/presign/upload/init", json={"file_name": "a"}), "file_size")


@pytest.mark.parametrize("header", ["Bearer null", "Bearer", "Basic eDp5", "nonsense", "Bearer " + "x" * 5000])
def test_a_bad_authorization_is_ignored_while_guests_may_upload(client: httpx.Client, header: str) -> None:
    body = wire.content()
    with httpx.Client(base_url=client.base_url, timeout=60, headers={"Authorization": header}) as signed_in:
        for code in (
            wire.share_file(signed_in, body),
            detail(wire.share_in_chunks(signed_in, body))["code"],
            detail(wire.put_file(signed_in, wire.presign(signed_in, len(body))["upload_url"], body))["code"],
        ):
            assert wire.fetch(signed_in, code) == body
        assert wire.select(signed_in, wire.share_text(signed_in, "text"))["text"] == "text"
