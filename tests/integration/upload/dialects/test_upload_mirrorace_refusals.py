"""MirrorAce's upload: its refusals, which are ordinary answers and leave nothing, and races."""

import asyncio
import itertools
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from common.http import bodies
from tests.conftest import Engines, MakeDatabase
from tests.contract.mirrorace.clients import Fields, curl_form
from tests.contract.mirrorace.wire import Sender, refused, succeeded
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.content.reservation import Reservation
from upload_service.dialects.mirrorace import chunks

LIMIT = 1000
LARGEST = 5000
ANY_WAY = pytest.mark.parametrize("content_range", [None, "bytes 0-9/10"], ids=["whole", "chunk"])


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    limits: dict[str, Any] = {"mirrorace_max_chunk_size": LIMIT, "mirrorace_max_file_size": LARGEST}
    with running_upload_service(make_database, engines, **limits) as service:
        yield service


@pytest.fixture
def sender(service: UploadService) -> Sender:
    person = service.auth.sign_up()
    return Sender.of_token(person.client, service.client(), person.token)


def changed(fields: Fields, **changes: str | None) -> list[tuple[str, str]]:
    """Fields with other values; None leaves one out."""
    values = [(name, changes.get(name, value)) for name, value in fields]
    return [(name, value) for name, value in values if value is not None]


@ANY_WAY
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"api_key": None}, "api_key is missing"),
        ({"api_token": None}, "api_token is missing"),
        ({"cTracker": None}, "cTracker is missing"),
        ({"upload_key": ""}, "upload_key is missing"),
        ({"api_key": "0" * 32}, "Invalid api_key or api_token"),
        ({"api_token": "0" * 32}, "Invalid api_key or api_token"),
        ({"api_key": "nonsense"}, "Invalid api_key or api_token"),
        ({"cTracker": "0" * 32}, "upload key"),
        ({"cTracker": "nonsense"}, "upload key"),
        ({"upload_key": "0" * 32}, "upload key"),
        ({"upload_key": "\u0661"}, "upload key"),
    ],
)
def test_wrong_fields_are_told(
    service: UploadService, sender: Sender, content_range: str | None, changes: dict[str, str | None], text: str
) -> None:
    fields = sender.fields(sender.variables())
    with service.nothing_left():
        refused(sender.post(changed(fields, **changes), bytes(10), content_range), text)
    succeeded(sender.post(fields, secrets.token_bytes(10), content_range))


@ANY_WAY
def test_a_password_that_cannot_be_one_is_refused_before_the_file(
    service: UploadService, sender: Sender, content_range: str | None
) -> None:
    fields = sender.fields(sender.variables(), file_password="x" * 2000)
    with service.nothing_left():
        refused(sender.post(fields, bytes(10), content_range), "password")


@ANY_WAY
def test_a_form_has_its_fields_first_and_one_file(
    service: UploadService, sender: Sender, content_range: str | None
) -> None:
    fields = sender.fields(sender.variables())
    kind, body = curl_form(fields, "a.bin", bytes(10))
    boundary = kind.partition("boundary=")[2].encode()
    *texts, file = [part for part in body.split(b"--" + boundary) if part.startswith(b"\r\n") and len(part) > 4]

    def form(*parts: bytes) -> bytes:
        return b"".join(b"--" + boundary + part for part in parts) + b"--" + boundary + b"--\r\n"

    password = b'\r\nContent-Disposition: form-data; name="file_password"\r\n\r\nsecret\r\n'
    text = b'\r\nContent-Disposition: form-data; name="files"\r\n\r\ntext\r\n'
    other = file.replace(b'name="files[]"', b'name="other"')
    for parts, expected in (
        ((file, *texts), "api_key is missing before the file"),
        ((*texts[:3], file, *texts[3:]), "upload_key is missing before the file"),
        ((*texts, file, password), "file_password comes after the file"),
        ((*texts, file, file), "Only one file"),
        (texts, "files is missing"),
        ((*texts, text), "files is missing"),
        ((*texts, other), "files is missing"),
        ((*texts, file.replace(b'filename="a.bin"', b'filename=""')), "files is missing"),
        ((*texts, file.replace(b"a.bin", b"x" * 9000)), "file name"),
    ):
        with service.nothing_left():
            refused(sender.send((kind, form(*parts)), content_range), expected)
    succeeded(sender.send((kind, form(*texts, text, file, text)), content_range))


@ANY_WAY
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"api_key=1"),
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ],
)
def test_what_is_no_form_is_refused(
    service: UploadService, sender: Sender, content_range: str | None, kind: str, body: bytes
) -> None:
    with service.nothing_left():
        refused(sender.send((kind, body), content_range))


@pytest.mark.parametrize(
    ("content_range", "size", "text"),
    [
        (None, LIMIT + 2, f"at most {LIMIT} bytes"),
        (None, 100_000, f"at most {LIMIT} bytes"),
        (f"bytes 0-1/{LARGEST}", LIMIT + 2, f"at most {LIMIT} bytes"),
        ("bytes 0-1/10", 11, "beyond the end"),
        ("bytes 0-1/10", 100_000, "chunk"),
        (f"bytes 0-1/{LARGEST + 1}", 10, f"at most {LARGEST} bytes"),
        ("bytes 1-9/10", 9, "does not follow"),
        ("bytes 10-10/10", 1, "does not follow"),
        ("bytes 11-12/10", 1, "after the end"),
        ("bytes 0-9", 10, "Invalid Content-Range"),
        ("bytes 0-9/*", 10, "Invalid Content-Range"),
        ("chunks 0-9/10", 10, "Invalid Content-Range"),
    ],
)
def test_chunks_that_cannot_be_are_refused(
    service: UploadService, sender: Sender, content_range: str | None, size: int, text: str
) -> None:
    fields = sender.fields(sender.variables())
    with service.nothing_left():
        refused(sender.post(fields, bytes(size), content_range), text)
    # The same tracker still serves.
    succeeded(sender.post(fields, secrets.token_bytes(LIMIT + 1), f"bytes 0-{LIMIT}/{LIMIT + 1}"))


def test_a_body_that_is_too_long_is_refused_by_what_it_announces(service: UploadService, sender: Sender) -> None:
    with service.nothing_left(), _connected(service) as connection:
        head = "POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        connection.sendall(f"{head}Content-Length: 1000000000\r\n\r\n".encode())
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"status":"error"' in answer


def _connected(service: UploadService) -> socket.socket:
    address = urlsplit(service.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=20)


def test_a_second_chunk_keeps_to_the_first(service: UploadService, sender: Sender) -> None:
    fields, content = sender.fields(sender.variables()), secrets.token_bytes(20)
    succeeded(sender.post(fields, content[:10], "bytes 0-9/20"))
    with service.nothing_left():
        for payload, content_range, text in (
            (10, "bytes 10-19/21", "has changed"),
            (10, "bytes 0-9/21", "has changed"),
            (0, "bytes 10-19/21", "has changed"),
            (11, "bytes 10-19/20", "beyond the end"),
            (9, "bytes 12-19/20", "does not follow"),
            (1, "bytes 20-20/20", "does not follow"),
            (0, "bytes 20-20/20", "does not follow"),
        ):
            refused(sender.post(fields, bytes(payload), content_range), text)
    last = succeeded(sender.post(fields, content[10:], "bytes 11-19/20"))
    assert last["info"] == "complete"


def test_another_verb_is_no_upload(service: UploadService, sender: Sender) -> None:
    for path in ("file/upload", "upload", "upload/remote"):
        answer = sender.client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["status"]) == (405, "error")


@pytest.mark.parametrize("content_range", [None, "bytes 0-499/500"], ids=["whole", "chunk"])
@pytest.mark.parametrize("stalls", [True, False])
def test_a_body_that_breaks_off_leaves_nothing(
    service: UploadService,
    sender: Sender,
    content_range: str | None,
    stalls: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.3)
    fields = sender.fields(sender.variables())
    kind, body = curl_form(fields, "a.bin", bytes(500))
    with service.nothing_left(), _connected(service) as connection:
        head = f"POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        ranged = f"Content-Range: {content_range}\r\n" if content_range else ""
        connection.sendall(f"{head}{ranged}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-200])
        if stalls:
            answer = b""
            while b"}" not in answer and (block := connection.recv(65536)):
                answer += block
            assert b'"status":"error"' in answer
    succeeded(sender.post(fields, secrets.token_bytes(500), content_range))


def slow(form: tuple[str, bytes], pause: threading.Event) -> tuple[str, Iterator[bytes]]:
    """A form whose file stops in its middle until `pause` is set."""
    kind, body = form

    def parts() -> Iterator[bytes]:
        yield body[:-200]
        assert pause.wait(20)
        yield body[-200:]

    return kind, parts()


def sent_twice(service: UploadService, sender: Sender, form: tuple[str, bytes], content_range: str) -> list[Any]:
    """The answers to a chunk and to its repetition, which comes while the service is still receiving the first."""
    pause, person = threading.Event(), service.client()
    with ThreadPoolExecutor(2) as pool:
        kind, body = slow(form, pause)
        headers = {"Content-Type": kind, "Content-Range": content_range, "Content-Length": str(len(form[1]))}
        first = pool.submit(lambda: person.post("/api/v1/upload", content=body, headers=headers))
        _until(lambda: service.ask("select 1 from part where stored_at is null and lease_until > now()") != [])
        second = pool.submit(sender.send, form, content_range)
        time.sleep(0.3)
        pause.set()
        return [succeeded(answer.result()) for answer in (first, second)]


def test_a_chunk_that_is_sent_twice_at_once_is_there_once(service: UploadService, sender: Sender) -> None:
    fields, content = sender.fields(sender.variables()), secrets.token_bytes(1000)
    first = sent_twice(service, sender, curl_form(fields, "a.bin", content[:500]), "bytes 0-499/1000")
    assert [result["info"] for result in first] == ["continue"] * 2
    last, again = sent_twice(service, sender, curl_form(fields, "a.bin", content[500:]), "bytes 500-999/1000")
    assert last["info"] == "complete"
    assert again == last


def test_a_last_chunk_whose_twin_completes_the_file_meanwhile_gets_the_same_answer(
    service: UploadService, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are stored, one after the other, before the first one completes the file; then the second is recorded."""
    stored, completed, turns = asyncio.Event(), asyncio.Event(), itertools.count()
    record, finish = Reservation.record_appended, chunks._finish

    async def record_after(self: Reservation, at: int, size: int, sha256: bytes) -> list[int]:
        if next(turns):
            stored.set()
            await completed.wait()
        return await record(self, at, size, sha256)

    async def finish_between(*asked: Any) -> Any:
        await stored.wait()
        try:
            return await finish(*asked)
        finally:
            completed.set()

    monkeypatch.setattr(Reservation, "record_appended", record_after)
    monkeypatch.setattr(chunks, "_finish", finish_between)
    form = curl_form(sender.fields(sender.variables()), "a.bin", secrets.token_bytes(100))
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(sender.send, form, "bytes 0-99/100") for _ in range(2)]
        one, other = (succeeded(answer.result()) for answer in answers)
    assert one["info"] == "complete"
    assert one == other


def test_a_refusal_comes_when_the_body_has_been_sent(service: UploadService, sender: Sender) -> None:
    """If it came earlier, clients would take the answer and the end of the connection for a failure of their own."""
    fields = sender.fields(sender.variables() | {"upload_key": "0" * 32})
    kind, body = curl_form(fields, "a.bin", bytes(500_000))
    for content_range in ("", "Content-Range: bytes 5-9/7\r\n"):
        with _connected(service) as connection:
            head = f"POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{content_range}"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-200])
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                connection.recv(65536)
            connection.sendall(body[-200:])
            connection.settimeout(20)
            assert b'"status":"error"' in connection.recv(65536)


def test_a_chunk_that_waited_for_one_that_failed_begins_by_itself(
    service: UploadService, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request is cut off when the second one has come: the session that it began ends under the second."""
    monkeypatch.setattr(bodies, "STALL_SECONDS", 1.0)
    fields, content = sender.fields(sender.variables()), secrets.token_bytes(1000)
    kind, body = curl_form(fields, "a.bin", content[:500])
    with _connected(service) as connection:
        head = f"POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Range: bytes 0-499/1000\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-200])
        _until(lambda: service.ask("select 1 from part where stored_at is null and lease_until > now()") != [])
        assert succeeded(sender.send((kind, body), "bytes 0-499/1000"))["info"] == "continue"
    last = succeeded(sender.post(fields, content[500:], "bytes 500-999/1000", "a.bin"))
    assert last["info"] == "complete"


def _until(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_many_wrong_files_at_once(service: UploadService, sender: Sender) -> None:
    """Refusals in parallel with a good upload do not touch it."""
    good = sender.fields(sender.variables())
    succeeded(sender.post(good, bytes(10), "bytes 0-9/20"))
    with ThreadPoolExecutor(4) as pool:

        def wrong(_: int) -> httpx.Response:
            return sender.post(sender.fields(sender.variables()), bytes(11), "bytes 0-9/10")

        for answer in pool.map(wrong, range(12)):
            refused(answer, "beyond the end")
    assert succeeded(sender.post(good, bytes(10), "bytes 10-19/20"))["info"] == "complete"
