"""File Uploader's upload: what it answers, in which order it refuses, and that a refusal leaves nothing behind."""

import re
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common.http import bodies
from tests.conftest import Engines, MakeDatabase
from tests.contract.fileuploader.wire import AUTH_ERRORS
from tests.integration.upload.running_upload import UploadService, running_upload_service

LIMIT = 200_000
TOO_LARGE = "File size exceeds the limit (0.19MB)"
NOTHING = "No file uploaded"
PATHS = ("/api/upload", "/api/upload/private")


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines, file_uploader_size=LIMIT) as service:
        yield service


@pytest.fixture
def client(service: UploadService) -> httpx.Client:
    return service.client()


def post(
    client: httpx.Client, content: bytes = b"content", name: str = "a.txt", path: str = PATHS[0], **query: str
) -> Any:
    return client.post(path, params=query, files={"file": (name, content)})


def done(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["status"], body["message"]) == ("success", "File uploaded successfully")
    return body


def refused(answer: httpx.Response, status: int, message: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["status"] == "error"
    assert body["message"]
    assert message in (None, body["message"])
    assert "auth_error" not in body


def test_an_upload_of_nobody_is_a_link_of_nobody(service: UploadService, client: httpx.Client) -> None:
    before = datetime.now(UTC).timestamp()
    body = done(post(client, b"hello", "My File.MP4"))
    made = service.share.made[-1]
    assert (made["form"], made["owner"], made["name"], made["size"]) == ("link", None, "My File.MP4", 5)
    assert (made["expires_at"], made["uses"], made["extension"]) == (None, None, "")
    assert UUID(body.pop("key")).version == 4
    assert before <= body.pop("craeted_at") <= datetime.now(UTC).timestamp()
    assert before <= body.pop("created_at")
    code = f"code{len(service.share.made)}"
    assert body == {
        "status": "success",
        "message": "File uploaded successfully",
        "file_url": code,
        "file_url_full": f"{service.url}/file/{code}",
        "ext": ".mp4",
        "size": "5B",
        "user_filename": "My File.MP4",
        "synced": False,
        "auth_error": {"message": AUTH_ERRORS[-1], "errorId": -1},
    }


@pytest.mark.parametrize("path", PATHS)
def test_an_upload_with_a_token_joins_the_account(service: UploadService, path: str) -> None:
    account = service.auth.sign_up()
    body = done(post(service.client(account), path=path))
    assert (body["synced"], body["auth_error"]) == (True, {})
    assert service.share.made[-1]["owner"] == account.id.hex
    assert service.ask("select owner from file where id = %s", service.share.made[-1]["file_id"]) == [(account.id,)]
    assert body.get("username") == (account.name if path.endswith("private") else None)


def expired(service: UploadService) -> str:
    """A token whose time is over, signed by the system itself."""
    person = service.auth.sign_up()
    kid, seed = service.auth.rows("select kid, private_key from signing_key where retired_at is null")[0]
    claims = jwt.decode(person.token, options={"verify_signature": False})
    return jwt.encode({**claims, "exp": 1}, Ed25519PrivateKey.from_private_bytes(seed), "EdDSA", {"kid": kid})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("number", [-1, -2, -3, -4, -5])
def test_a_token_that_is_not_valid_never_blocks(service: UploadService, number: int, path: str) -> None:
    gone = service.signed_out()
    headers = {
        -1: "",
        -2: gone.token,
        -3: f"Bearer {expired(service)}",
        -4: "Bearer null",
        -5: f"Bearer {gone.token}",
    }
    client = service.client()
    files = {"file": ("a.txt", b"x")}
    body = done(client.post(path, files=files, headers={"Authorization": headers[number]}))
    assert body["synced"] is False
    assert body["auth_error"] == {"message": AUTH_ERRORS[number], "errorId": number}
    assert service.share.made[-1]["owner"] is None
    if path.endswith("private"):
        assert body["username"] is None


@pytest.mark.parametrize(("wish", "extension"), [("true", ".gz"), ("1", ".gz"), ("false", ""), ("nonsense", "")])
def test_a_link_ends_in_the_extension_if_wished(
    service: UploadService, client: httpx.Client, wish: str, extension: str
) -> None:
    done(post(client, name="A.TAR.GZ", include_ext=wish))
    assert service.share.made[-1]["extension"] == extension


@pytest.mark.parametrize(("text", "uses"), [("0", None), ("1", 1), ("10000", 10_000)])
def test_reads_may_be_limited(service: UploadService, client: httpx.Client, text: str, uses: int | None) -> None:
    done(post(client, max_uses=text))
    assert service.share.made[-1]["uses"] == uses


@pytest.mark.parametrize("text", ["10001", "-1", "x", "", "1.5", "9" * 5000, "٣", "0x1"])
def test_limits_of_reads_that_cannot_be_are_refused(service: UploadService, client: httpx.Client, text: str) -> None:
    with service.nothing_left():
        refused(post(client, max_uses=text), 400, "Invalid max_uses parameter")


@pytest.mark.parametrize("name", ["README", "no dot at all", "ä"])
def test_the_reference_path_wants_an_extension(service: UploadService, client: httpx.Client, name: str) -> None:
    with service.nothing_left():
        refused(post(client, name=name), 400, "Bad file extension")
        # what is wrong first is told first: the name comes before the size
        refused(post(client, b"x" * (LIMIT + 1), name), 400, "Bad file extension")
    body = done(post(client, name=name, path=PATHS[1]))
    assert (body["ext"], body["user_filename"]) == ("", name)


@pytest.mark.parametrize(
    ("name", "shown", "ending"),
    [
        ("n" * 50, "n" * 50, ""),
        ("n" * 60 + ".Txt", "n" * 50 + "...", ".txt"),
        ("../../etc/passwd.d", "passwd.d", ".d"),
        # An old browser sends the whole path.
        ("C:\\x\\y.exe", "y.exe", ".exe"),
        ("..", "unnamed", ""),
        ("a/b\\c.txt", "c.txt", ".txt"),
        ("😀" * 60 + ".😀", "😀" * 50 + "...", ".😀"),
    ],
)
def test_names_are_data(client: httpx.Client, name: str, shown: str, ending: str) -> None:
    body = done(post(client, name=name, path=PATHS[1]))
    assert (body["user_filename"], body["ext"]) == (shown, ending)


@pytest.mark.parametrize("name", ["x" * 9000 + ".txt", "x" * 20_000 + ".txt"])
def test_names_that_cannot_be_kept_are_refused(service: UploadService, client: httpx.Client, name: str) -> None:
    with service.nothing_left():
        refused(post(client, name=name), 400)


def blocks(size: int) -> Iterator[bytes]:
    """A form with a file of `size` bytes, whose length nobody is told."""
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    for start in range(0, size, 50_000):
        yield b"\0" * min(50_000, size - start)
    yield b"\r\n--x--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("told", [True, False], ids=["with a length", "without"])
def test_the_largest_file_passes_and_one_byte_more_does_not(
    service: UploadService, client: httpx.Client, path: str, told: bool
) -> None:
    def send(size: int) -> httpx.Response:
        content = b"".join(blocks(size)) if told else blocks(size)
        return client.post(path, content=content, headers=FORM)

    assert done(send(LIMIT))["size"] == "195.31KB"
    with service.nothing_left():
        refused(send(LIMIT + 1), 413, TOO_LARGE)
        refused(send(10 * LIMIT), 413, TOO_LARGE)


def raw(client: httpx.Client, body: bytes, *headers: str, path: str = PATHS[0], end: bool = False) -> bytes:
    """Send a request as it is, whatever its headers say; what is answered."""
    host, port = client.base_url.host, client.base_url.port
    assert port
    head = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}", "Content-Type: multipart/form-data; boundary=x", *headers]
    with socket.create_connection((host, port), timeout=20) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'


def test_what_is_too_large_by_its_length_is_refused_before_it_comes(
    service: UploadService, client: httpx.Client
) -> None:
    with service.nothing_left():
        answer = raw(client, HEAD + b"only the beginning", f"Content-Length: {10**12}")
    assert answer.startswith(b"HTTP/1.1 413")
    assert TOO_LARGE.encode() in answer


def part(header: str, body: bytes = b"x") -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + header.encode() + b"\r\n\r\n" + body + b"\r\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", None),
        (b"", FORM["Content-Type"]),
        (b"{}", "application/json"),
        (b"file=x", "application/x-www-form-urlencoded"),
        (b"x" * 1000, "text/plain"),
        (b"--x\r\n", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary="),
        (b"--x--\r\n", FORM["Content-Type"]),
        (part('name="other"; filename="a.txt"') + b"--x--\r\n", FORM["Content-Type"]),
        (part('name="file"') + b"--x--\r\n", FORM["Content-Type"]),
        (part('name="file"; filename=""') + b"--x--\r\n", FORM["Content-Type"]),
        (part('name="FILE"; filename="a.txt"') + b"--x--\r\n", FORM["Content-Type"]),
        (part('filename="a.txt"') + b"--x--\r\n", FORM["Content-Type"]),
    ],
    ids=lambda value: repr(value)[:60],
)
@pytest.mark.parametrize("path", PATHS)
def test_a_form_without_a_file_is_refused(
    service: UploadService, client: httpx.Client, path: str, content: bytes, kind: str | None
) -> None:
    with service.nothing_left():
        answer = client.post(path, content=content, headers={"Content-Type": kind} if kind else None)
        # A form of no parts at all is malformed: it does not even end.
        refused(answer, 400, NOTHING if content or kind != FORM["Content-Type"] else None)


def test_the_file_may_stand_anywhere_in_the_form(client: httpx.Client) -> None:
    content = (
        part('name="a"')
        + part('name="file"; filename=""')
        + part('name="other"; filename="o.txt"', b"1234567")
        + part('name="file"; filename="first.txt"', b"123")
        + part('name="b"')
        + b"--x--\r\n"
    )
    body = done(client.post(PATHS[0], content=content, headers=FORM))
    assert (body["user_filename"], body["size"]) == ("first.txt", "3B")


@pytest.mark.parametrize(
    "content",
    [
        HEAD,
        HEAD + b"x" * 100,
        HEAD + b"x" * 100_000 + b"\r\n--x",
        HEAD + b"x" * 100 + b"\r\n--x\r\n",
        HEAD + b"x\r\n" + part('name="b"') + b"--x\r\nContent-",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n",
        b"--x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        HEAD + b"x\r\n" + part('name="b"') * 70 + b"--x--\r\n",
        HEAD + b"x\r\n" + part('name="b"', b"\xff") + b"--x--\r\n",
        part('name="file"; filename="a\0b.txt"') + b"--x--\r\n",
        b"no form at all",
    ],
    ids=lambda content: repr(content[-40:]),
)
def test_a_malformed_form_leaves_nothing(service: UploadService, client: httpx.Client, content: bytes) -> None:
    with service.nothing_left():
        refused(client.post(PATHS[0], content=content, headers=FORM), 400)


def test_a_body_that_is_cut_off_leaves_nothing(service: UploadService, client: httpx.Client) -> None:
    with service.nothing_left():
        raw(client, HEAD + b"x" * 100_000, "Content-Length: 150000", end=True)
        raw(client, HEAD + b"x" * 1000, "Content-Length: 150000", end=True)


def test_a_body_that_stalls_is_given_up(
    service: UploadService, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.2)
    with service.nothing_left():
        answer = raw(client, HEAD + b"x" * 100_000, "Content-Length: 150000")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"status":"error"' in answer


@pytest.mark.parametrize("size", [10, 150_000])
def test_an_upload_that_cannot_be_shared_leaves_nothing(
    service: UploadService, client: httpx.Client, size: int
) -> None:
    with service.nothing_left():
        service.share.is_down = True
        try:
            answer = post(client, secrets.token_bytes(size))
        finally:
            service.share.is_down = False
        service.sweep()
    refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_a_share_that_was_made_but_not_heard_of_is_ended(service: UploadService, client: httpx.Client) -> None:
    service.share.loses_answers = True
    try:
        refused(post(client), 503)
    finally:
        service.share.loses_answers = False
    assert service.share.ended[-1] == UUID(service.share.made[-1]["file_id"])


@pytest.mark.parametrize(
    ("group", "signed_in", "status", "message"),
    [
        ("17", True, 404, "Group not found"),
        ("9" * 3000, True, 404, "Group not found"),
        ("nonsense", True, 400, "Invalid group id"),
        ("-1", True, 400, "Invalid group id"),
        ("٣", True, 400, "Invalid group id"),
        ("Private", True, 400, "Invalid group id"),
        ("nonsense", False, 400, "Invalid group id"),
    ],
)
def test_there_are_no_groups(service: UploadService, group: str, signed_in: bool, status: int, message: str) -> None:
    client = service.client(service.auth.sign_up() if signed_in else None)
    with service.nothing_left():
        refused(post(client, path=f"/api/upload/{group}"), status, message)


def test_a_group_wants_a_token(service: UploadService, client: httpx.Client) -> None:
    with service.nothing_left():
        answer = post(client, path="/api/upload/17")
    assert answer.status_code == 401
    assert answer.json()["auth_error"] == {"message": AUTH_ERRORS[-1], "errorId": -1}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_refused_in_the_dialects_shape(client: httpx.Client, path: str, method: str) -> None:
    refused(client.request(method, path), 405)


def test_a_link_never_names_a_host_that_could_not_be_one(client: httpx.Client) -> None:
    files = {"file": ("a.txt", b"x")}
    body = done(client.post(PATHS[0], files=files, headers={"Host": 'evil"><script>'}))
    assert re.fullmatch(r"http://localhost/file/code\d+", body["file_url_full"])


@pytest.mark.parametrize("path", PATHS)
def test_a_second_file_in_one_form_is_refused(service: UploadService, client: httpx.Client, path: str) -> None:
    files = [("file", ("a.txt", b"first")), ("file", ("b.txt", b"second"))]
    with service.nothing_left():
        refused(client.post(path, files=files), 400, "Only one file can be uploaded at a time")
    # An input of a page that nobody has filled in comes as a file without a name.
    empty = ("file", ("", b""))
    for sent in ([files[0], empty], [empty, files[0]]):
        assert done(client.post(path, files=sent))["user_filename"] == "a.txt"
