"""File Uploader's section on files: upload, fetch, delete, list, and the calls that only later clients make."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urljoin

import httpx
import pytest

from tests.contract.fileuploader import wire
from tests.contract.fileuploader.conftest import OWN, ForgeToken
from tests.contract.fileuploader.wire import bearer, refused, succeeded, unauthorized
from tests.contract.traces import Traces

UPLOAD_KEYS = {
    *("status", "message", "file_url", "file_url_full", "key", "ext", "size", "user_filename", "craeted_at"),
    *("synced", "auth_error"),
}
LIMIT = 104_857_600
UNKNOWN = "4yn-8yjhsu"
UNKNOWN_KEY = "6b9a1c1b-5594-4cb9-8d49-99a4c28782a1"
TYPES = {
    "xml": "application/xml",
    "yaml": "application/x-yaml",
    "aac": "audio/aac",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tiff": "image/tiff",
    "ico": "image/vnd.microsoft.icon",
    "wbmp": "image/vnd.wap.wbmp",
    "webp": "image/webp",
    "csv": "text/csv",
    "html": "text/html",
    "md": "text/markdown",
    "txt": "text/plain",
    "mpeg": "video/mpeg",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
}


def test_the_root_says_what_it_is(uploader: httpx.Client) -> None:
    body = succeeded(uploader.get("/api"), "File uploader RESTful API")
    assert body["docs"].startswith("http")


def test_the_answer_to_an_upload_has_all_fields_that_clients_read(uploader: httpx.Client) -> None:
    body = wire.upload(uploader, b"hello", "test.MP4")
    assert set(body) >= UPLOAD_KEYS
    assert re.fullmatch(r"[a-zA-Z1-9\-+=]{10}", body["file_url"])
    assert body["file_url_full"] == f"http://{uploader.headers['Host']}/file/{body['file_url']}"
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", body["key"])
    assert (body["ext"], body["size"], body["user_filename"]) == (".mp4", "5B", "test.MP4")
    assert (body["synced"], body["auth_error"]) == (False, {"message": wire.AUTH_ERRORS[-1], "errorId": -1})
    assert isinstance(body["craeted_at"], float)
    assert abs(body["craeted_at"] - time.time()) < 60


@pytest.mark.parametrize(("size", "text"), [(0, "0B"), (1023, "1023B"), (1536, "1.5KB"), (1_572_864, "1.5MB")])
def test_a_size_is_a_text(uploader: httpx.Client, size: int, text: str) -> None:
    assert wire.upload(uploader, b"x" * size)["size"] == text


def test_a_long_name_is_cut(uploader: httpx.Client) -> None:
    assert wire.upload(uploader, name="n" * 60 + ".txt")["user_filename"] == "n" * 50 + "..."


@pytest.mark.parametrize("wish", ["true", "True", "1"])
def test_a_link_may_end_in_the_extension(uploader: httpx.Client, wish: str) -> None:
    body = wire.upload(uploader, name="Archive.TAR.GZ", include_ext=wish)
    assert re.fullmatch(r"[a-zA-Z1-9\-+=]{10}\.gz", body["file_url"])
    assert uploader.get(f"/file/{body['file_url']}").content == b"content"
    assert uploader.get(f"/file/{body['file_url'][:10]}").status_code == 404
    assert "." not in wire.upload(uploader, include_ext="false")["file_url"]


def test_an_invalid_token_does_not_prevent_an_upload(uploader: httpx.Client, sign_token: ForgeToken) -> None:
    for authorization, error_id in (
        ("Bearer null", -4),
        ("null", -2),
        (f"Bearer {sign_token()}", -5),
        (f"Bearer {sign_token(exp=1, ExpiresAt=1)}", -3),
    ):
        headers = {"Authorization": authorization}
        body = succeeded(uploader.post("/api/upload", files={"file": ("a.txt", b"x")}, headers=headers))
        assert body["synced"] is False
        assert body["auth_error"] == {"message": wire.AUTH_ERRORS[error_id], "errorId": error_id}
        assert uploader.get(f"/file/{body['file_url']}").content == b"x"


def test_a_file_belongs_to_the_account_of_the_token(uploader: httpx.Client) -> None:
    token = wire.register(uploader)
    body = wire.upload(uploader, token=token)
    assert (body["synced"], body["auth_error"]) == (True, {})
    assert [row["file_url"] for row in wire.listed(uploader, token)] == [body["file_url"]]


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"", {}),
        (b"{}", {"Content-Type": "application/json"}),
        (b"", {"Content-Type": "multipart/form-data"}),
        (b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}),
        (
            b'--b\r\nContent-Disposition: form-data; name="other"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n',
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
    ],
    ids=["nothing", "json", "noboundary", "noparts", "othername"],
)
def test_an_upload_of_nothing_is_refused(
    uploader: httpx.Client, traces: Traces, content: bytes, headers: dict[str, str]
) -> None:
    with traces.nothing_left():
        refused(uploader.post("/api/upload", content=content, headers=headers), 400, "No file uploaded")


def test_the_reference_path_requires_an_extension(uploader: httpx.Client, traces: Traces) -> None:
    with traces.nothing_left():
        refused(wire.post(uploader, b"x", "README"), 400, "Bad file extension")
    body = wire.upload(uploader, b"x", "README", path="/api/upload/private")
    assert (body["ext"], body["username"], body["synced"]) == ("", None, False)


@pytest.mark.parametrize("uploader", [OWN], indirect=True)
def test_the_largest_file_passes_and_one_byte_more_does_not(uploader: httpx.Client, traces: Traces) -> None:
    body = wire.upload(uploader, b"\0" * LIMIT, "a.bin")
    assert body["size"] == "100.0MB"
    succeeded(wire.delete(uploader, body["file_url"], body["key"]))
    with traces.nothing_left("share"):
        refused(wire.post(uploader, b"\0" * (LIMIT + 1), "a.bin"), 413, "File size exceeds the limit (100MB)")


def test_a_personal_upload_names_its_account(uploader: httpx.Client) -> None:
    name = wire.new_name()
    token = wire.register(uploader, name)
    assert wire.upload(uploader, path="/api/upload/private", token=token)["username"] == name


def test_uploading_to_a_group_is_refused(uploader: httpx.Client) -> None:
    token = wire.register(uploader)
    refused(wire.post(uploader, b"x", path="/api/upload/17", token=token), 404, "Group not found")
    refused(wire.post(uploader, b"x", path="/api/upload/nonsense", token=token), 400, "Invalid group id")


def test_a_file_is_removed_after_its_last_use(uploader: httpx.Client) -> None:
    body = wire.upload(uploader, b"twice", max_uses="2")
    path = f"/file/{body['file_url']}"
    assert [uploader.get(path).status_code for _ in range(3)] == [200, 200, 404]
    refused(wire.delete(uploader, body["file_url"], body["key"]), 404, "File not found")
    refused(wire.post(uploader, b"x", max_uses="10001"), 400, "Invalid max_uses parameter")


@pytest.mark.parametrize("prefix", ["file", "f"])
def test_files_of_known_types_are_previewed(uploader: httpx.Client, prefix: str) -> None:
    # The prefix and host that it comes by have nothing to do with its type: each of the four has some, and one has all.
    has_all = prefix == "file" and not uploader.headers["Host"].startswith("127.")
    for name in [*(f"a.{ending}" for ending in TYPES if has_all), "a.jpg", "a.txt", "a.PNG", "a.b.Html"]:
        assert_previewed(uploader, prefix, name)


def assert_previewed(uploader: httpx.Client, prefix: str, name: str) -> None:
    content = f"content of {name}".encode()
    answer = uploader.get(f"/{prefix}/{wire.upload(uploader, content, name)['file_url']}")
    assert (answer.status_code, answer.content) == (200, content)
    kind = TYPES[name.rpartition(".")[2].lower()]
    expected = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    assert answer.headers["content-type"] == expected
    assert "content-disposition" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow-" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["a.exe", "a.zip", "a.pdf", "a.xhtml", "a.htm", "a.js", "ä b.tar.gz"])
def test_a_file_of_any_other_type_is_downloaded_under_its_name(uploader: httpx.Client, name: str) -> None:
    answer = uploader.get(f"/f/{wire.upload(uploader, name=name)['file_url']}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    plain, encoded = name.replace("ä", "_"), quote(name, safe="")
    assert answer.headers["content-disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def test_a_file_without_extension_is_downloaded(uploader: httpx.Client) -> None:
    body = wire.upload(uploader, name="README", path="/api/upload/private")
    answer = uploader.get(f"/file/{body['file_url']}")
    assert answer.headers["content-disposition"] == "attachment; filename=\"README\"; filename*=UTF-8''README"


def test_an_unknown_file_is_not_found(uploader: httpx.Client) -> None:
    for path in (UNKNOWN, "AAAAA", "a+b=c-d+e=", "..%2F..%2Fetc%2Fpasswd", "%00", "x" * 5000, "%FF"):
        assert uploader.get(f"/file/{path}").status_code == 404, path


def test_links_may_be_percent_encoded(uploader: httpx.Client, traces: Traces) -> None:
    """`+` and `=` may stand in the path raw or percent-encoded; a `+` never means a space."""
    body = wire.upload(uploader)
    traces.change("share", "update share set code = 'a+b=c-d+=1' where code = %s", body["file_url"])
    try:
        for written in ("a+b=c-d+=1", "a%2Bb%3Dc-d%2B%3D1"):
            assert uploader.get(f"/file/{written}").content == b"content"
        refused(wire.delete(uploader, "a b=c-d =1", body["key"]), 404, "File not found")
    finally:
        traces.change("share", "update share set code = %s where code = 'a+b=c-d+=1'", body["file_url"])


def test_ranges_and_heads_are_answered(uploader: httpx.Client) -> None:
    path = f"/file/{wire.upload(uploader, b'0123456789', 'a.mp4', max_uses='1')['file_url']}"
    assert uploader.head(path).headers["content-length"] == "10"
    whole = uploader.get(path)
    assert (whole.content, whole.headers["repr-digest"][:9]) == (b"0123456789", "sha-256=:")
    resumed = uploader.get(path, headers={"Range": "bytes=4-"})
    assert (resumed.status_code, resumed.content) == (206, b"456789")


def test_a_file_is_deleted_only_with_its_key(uploader: httpx.Client) -> None:
    token = wire.register(uploader)
    for owner in (None, token):
        body = wire.upload(uploader, token=owner)
        for wrong in (None, "", UNKNOWN_KEY, "nonsense", body["key"].replace("-", "")):
            refused(wire.delete(uploader, body["file_url"], wrong), 400, "Invalid unique key")
        assert uploader.get(f"/file/{body['file_url']}").status_code == 200
        succeeded(wire.delete(uploader, body["file_url"], body["key"]), "deleted")
        assert uploader.get(f"/file/{body['file_url']}").status_code == 404
        refused(wire.delete(uploader, body["file_url"], body["key"]), 404, "File not found")
    assert wire.listed(uploader, token) == []


def test_deleting_an_unknown_file_is_refused(uploader: httpx.Client) -> None:
    refused(wire.delete(uploader, UNKNOWN, UNKNOWN_KEY), 404, "File not found")


@pytest.mark.parametrize("path", ["/api/get_files", "/api/getFiles", "/api/get_files/private"])
def test_files_are_listed_oldest_first(uploader: httpx.Client, path: str) -> None:
    name = wire.new_name()
    token = wire.register(uploader, name)
    uploaded = [wire.upload(uploader, b"x" * n, f"{n}.txt", token=token) for n in range(3)]
    wire.upload(uploader, name="nobody's.txt")
    answer = succeeded(uploader.get(path, headers=bearer(token)), "files got successfully")
    assert answer["username"] == name
    rows = answer["data"]
    assert [row["file_url"] for row in rows] == [body["file_url"] for body in uploaded]
    for row, body in zip(rows, uploaded, strict=True):
        same = ("file_url", "file_url_full", "key", "ext", "user_filename", "size")
        assert {name: row[name] for name in same} == {name: body[name] for name in same}
        assert row["synced"] is True
        moment = time.gmtime(row["craeted_at"])
        assert row["creation_date"] == (
            f"{moment.tm_mday}.{moment.tm_mon}.{moment.tm_year} {moment.tm_hour}:{moment.tm_min}:{moment.tm_sec}"
        )
        if path.endswith("private"):
            assert (row["created_at"], row["username"]) == (row["craeted_at"], name)
    if path.endswith("private"):
        assert answer["is_group_owner"] is None


def test_files_without_an_owner_are_transferred_by_their_keys(uploader: httpx.Client) -> None:
    token, other = wire.register(uploader), wire.register(uploader)
    mine, wrong, others = (wire.upload(uploader), wire.upload(uploader), wire.upload(uploader, token=other))
    rows = [{"file_url": body["file_url"], "key": body["key"]} for body in (mine, wrong, others)]
    rows[1]["key"] = UNKNOWN_KEY
    rows += [{"file_url": UNKNOWN, "key": UNKNOWN_KEY}]
    answer = succeeded(uploader.post("/api/transfer", json={"data": rows}, headers=bearer(token)), "transferred")
    assert answer["unsuccess"] == rows[1:]
    assert [row["file_url"] for row in wire.listed(uploader, token)] == [mine["file_url"]]
    assert [row["file_url"] for row in wire.listed(uploader, other)] == [others["file_url"]]


def test_a_malformed_transfer_is_refused(uploader: httpx.Client) -> None:
    headers = bearer(wire.register(uploader))
    for body in (b"", b"x", wire.nested(10_000)):
        answer = uploader.post("/api/transfer", content=body, headers=headers)
        refused(answer, 400, "Couldn't parse request body")
    refused(uploader.post("/api/transfer", json={}, headers=headers), 400, "No `data` field in request body")


def test_there_are_no_groups(uploader: httpx.Client) -> None:
    headers = bearer(wire.register(uploader))
    assert succeeded(uploader.get("/api/get_groups", headers=headers), "groups got successfully")["groups"] == []
    for method, path in (
        ("POST", "/api/create_group"),
        ("DELETE", "/api/delete_group/1"),
        ("POST", "/api/delete_group/1"),
        ("GET", "/api/generate_invite/1"),
        ("POST", "/api/join/link"),
        ("GET", "/api/invite_info/link"),
        ("POST", "/api/leave/1"),
        ("GET", "/invite/link"),
    ):
        answer = uploader.request(method, path, json={"group_name": "x"} if method == "POST" else None, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (404, "error"), path


def test_pages_of_any_origin_may_call(uploader: httpx.Client) -> None:
    origin = {"Origin": "https://page.example.org"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = uploader.options("/api/upload", headers=origin | asked)
    assert allowed.status_code == 200
    for answer in (allowed, uploader.get("/api/get_files", headers=origin)):
        assert answer.headers["access-control-allow-origin"] in ("*", origin["Origin"])
    assert allowed.headers["access-control-allow-credentials"] == "true"


def test_concurrent_uses_are_counted_exactly(uploader: httpx.Client) -> None:
    url = urljoin(str(uploader.base_url), f"/file/{wire.upload(uploader, max_uses='5')['file_url']}")
    host = {"Host": uploader.headers["Host"]}
    with ThreadPoolExecutor(10) as reading:
        answers = list(reading.map(lambda _: httpx.get(url, headers=host).status_code, range(20)))
    assert sorted(answers) == [200] * 5 + [404] * 15


def test_a_signed_out_account_keeps_its_files(uploader: httpx.Client) -> None:
    token = wire.register(uploader)
    body = wire.upload(uploader, token=token)
    succeeded(uploader.post("/api/logout", json={}, headers=bearer(token)))
    unauthorized(uploader.get("/api/get_files", headers=bearer(token)), -5)
    assert uploader.get(f"/file/{body['file_url']}").status_code == 200
