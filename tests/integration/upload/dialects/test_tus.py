"""tus: every call and extension, and what is kept and refused, with an S3 server and with a folder."""

import base64
import hashlib
import secrets
import threading
import time
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from common import clock
from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.dialects import tus_client as tus
from tests.integration.upload.dialects.tus_service import LARGEST, is_file, refused
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.dialects.growing import receiving

MIB = 1024 * 1024
Step = tuple[str, int, int]


@pytest.mark.parametrize("base", ["/v1/uploads", "/files", "/files/"])
def test_what_the_server_can_do_and_a_whole_upload(service: UploadService, client: httpx.Client, base: str) -> None:
    able = client.options(base.rstrip("/"))
    assert able.status_code == 204
    assert able.headers["Tus-Version"] == "1.0.0"
    assert int(able.headers["Tus-Max-Size"]) == LARGEST
    assert able.headers["Tus-Checksum-Algorithm"] == "sha1,sha256,md5,crc32"
    content, sent = secrets.token_bytes(1000), tus.metadata(filename="../a ☂.txt", filetype="text/plain")
    answer = tus.create(client, 1000, base=base, Upload_Metadata=sent)
    assert answer.status_code == 201
    url = answer.headers["Location"]
    assert url.startswith(f"{service.url}{base.rstrip('/')}/")
    assert tus.offset(client, url) == 0
    first = tus.patch(client, url, 0, content[:1])
    assert (first.status_code, first.headers["Upload-Offset"], first.content) == (204, "1", b"")
    assert parsedate_to_datetime(first.headers["Upload-Expires"]) > clock.now() + timedelta(hours=23)
    head = client.head(url)
    assert (head.headers["Upload-Length"], head.headers["Upload-Metadata"]) == ("1000", sent)
    last = tus.patch(client, url, 1, content[1:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, "1000")
    made = service.share.made[-1]
    assert (made["name"], made["form"], made["uses"]) == ("a ☂.txt", "code", None)
    assert last.headers["Waystation-Url"] == f"{service.url}/share/select/?code={last.headers['Waystation-Code']}"
    is_file(service, last, content)
    again = client.head(url)
    assert again.headers["Upload-Offset"] == "1000"
    for name in ("Waystation-Code", "Waystation-File", "Waystation-Delete-Key"):
        assert again.headers[name] == last.headers[name]


def test_creation_with_upload_and_an_empty_file(service: UploadService, client: httpx.Client) -> None:
    content = secrets.token_bytes(6 * MIB)
    for sent in (content, b"", b"1"):
        is_file(service, tus.create(client, len(sent), sent), sent)
    part = tus.create(client, 9, b"1234")
    assert (part.status_code, part.headers["Upload-Offset"]) == (201, "4")
    is_file(service, tus.patch(client, part.headers["Location"], 4, b"56789"), b"123456789")
    is_file(service, tus.create(client, 0), b"")


def test_a_length_that_is_told_later(service: UploadService, client: httpx.Client) -> None:
    url = tus.begun(client)
    assert client.head(url).headers["Upload-Defer-Length"] == "1"
    assert tus.patch(client, url, 0, b"123").status_code == 204
    refused(tus.patch(client, url, 3, b"4", Upload_Length="2"), 400, "size_contradicted")
    refused(tus.patch(client, url, 3, b"4", Upload_Length=str(LARGEST + 1)), 413, "size_refused")
    assert tus.patch(client, url, 3, b"4", Upload_Length="6").status_code == 204
    refused(tus.patch(client, url, 4, b"5", Upload_Length="7"), 400, "size_contradicted")
    assert client.head(url).headers["Upload-Length"] == "6"
    refused(tus.patch(client, url, 4, b"567"), 413, "too_large")
    is_file(service, tus.patch(client, url, 4, b"56", Upload_Length="6"), b"123456")
    ended = tus.begun(client)
    tus.patch(client, ended, 0, b"12")
    is_file(service, tus.patch(client, ended, 2, b"", Upload_Length="2"), b"12")


DIGESTS = {
    "sha1": lambda content: hashlib.sha1(content).digest(),
    "sha256": lambda content: hashlib.sha256(content).digest(),
    "md5": lambda content: hashlib.md5(content).digest(),
    "crc32": lambda content: zlib.crc32(content).to_bytes(4, "big"),
}


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_a_wrong_checksum_keeps_nothing(service: UploadService, client: httpx.Client, algorithm: str) -> None:
    def named(content: bytes) -> str:
        return f"{algorithm} {base64.b64encode(DIGESTS[algorithm](content)).decode()}"

    url = tus.begun(client, 6)
    assert tus.patch(client, url, 0, b"123", Upload_Checksum=named(b"123")).status_code == 204
    refused(tus.patch(client, url, 3, b"456", Upload_Checksum=named(b"457")), 460, "checksum_mismatch")
    for wrong in ("sha3 AAAA", algorithm, f"{algorithm} AAAA!", f"{algorithm} AAAA"):
        refused(tus.patch(client, url, 3, b"456", Upload_Checksum=wrong), 400, "invalid_input")
    tus.broken_patch(url, 3, 3, b"4", Upload_Checksum=named(b"456"))
    assert tus.offset(client, url) == 3
    is_file(service, tus.patch(client, url, 3, b"456", Upload_Checksum=named(b"456")), b"123456")


def test_what_is_refused_changes_nothing(service: UploadService, client: httpx.Client) -> None:
    url = tus.begun(client, 6)
    tus.patch(client, url, 0, b"123")
    for at in (0, 2, 4):
        refused(tus.patch(client, url, at, b"456"), 409, "offset_wrong")
    refused(tus.patch(client, url, 3, b"4567"), 413, "too_large")
    refused(client.patch(url, content=b"456", headers={**tus.HEADERS, "Upload-Offset": "3"}), 415, "content_type")
    for wrong in ("-1", "x", "3.0", "9" * 19):
        refused(tus.patch(client, url, 3, b"4", Upload_Offset=wrong), 400, "invalid_input")
    other = client.patch(url, content=b"4", headers={"Upload-Offset": "3", "Content-Type": tus.OFFSET_TYPE})
    refused(other, 412, "tus_version")
    assert other.headers["Tus-Version"] == "1.0.0"
    assert tus.offset(client, url) == 3
    for missing in (uuid4().hex, "x"):
        refused(tus.patch(client, f"{service.url}/files/{missing}", 0, b"1"), 404, "session_not_found")
    for headers in (
        {"Upload-Length": "x"},
        {"Upload-Length": "1", "Upload-Defer-Length": "1"},
        {"Upload-Defer-Length": "2"},
        {},
        {"Upload-Length": "1", "Upload-Metadata": "a !"},
        {"Upload-Length": "1", "Upload-Metadata": "a YQ==,a YQ=="},
        {"Upload-Length": "1", "Upload-Metadata": tus.metadata(share="none")},
        {"Upload-Length": "1", "Upload-Metadata": tus.metadata(expire_value="x")},
    ):
        refused(client.post("/files", headers={**tus.HEADERS, **headers}), 400, "invalid_input")
    refused(tus.create(client, LARGEST + 1), 413, "size_refused")


def test_termination_and_the_method_override(service: UploadService, client: httpx.Client) -> None:
    url = tus.begun(client, 6)

    def post(method: str, content: bytes = b"", **more: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return client.post(url, content=content, headers={**tus.HEADERS, "X-HTTP-Method-Override": method, **named})

    sent = post("PATCH", b"123", Upload_Offset="0", Content_Type=tus.OFFSET_TYPE)
    assert (sent.status_code, sent.headers["Upload-Offset"]) == (204, "3")
    assert post("HEAD").headers["Upload-Offset"] == "3"
    refused(post("PUT"), 400, "invalid_input")
    assert post("DELETE").status_code == 204
    for gone in (client.delete(url, headers=tus.HEADERS), tus.patch(client, url, 3, b"4")):
        refused(gone, 404, "session_not_found")
    assert client.head(url).status_code == 404
    done = tus.create(client, 1, b"1")
    refused(client.delete(done.headers["Location"], headers=tus.HEADERS), 409, "conflict")
    refused(tus.patch(client, done.headers["Location"], 1, b"2"), 413, "too_large")
    assert tus.patch(client, done.headers["Location"], 1, b"").headers["Waystation-Code"]


def test_an_upload_expires(service: UploadService, client: httpx.Client) -> None:
    url = tus.begun(client, 6)
    service.ask("update upload_session set expires_at = now() where id = %s", UUID(url.rpartition("/")[2]))
    refused(tus.patch(client, url, 0, b"1"), 410, "session_expired")
    assert client.head(url).status_code == 410


def test_rights_and_policy(service: UploadService) -> None:
    owner = service.auth.sign_up()
    mine = service.client(owner)
    kept = tus.create(mine, 1, b"1", Upload_Metadata=tus.metadata(share="none", filename="a"))
    assert "Waystation-Code" not in kept.headers
    assert mine.get(f"/v1/files/{kept.headers['Waystation-File']}").json()["name"] == "a"
    url = tus.begun(mine, 6, Upload_Metadata=tus.metadata(share="link", password="secret", expire_style="count"))
    for who in ("nobody", "stranger", "administrator"):
        other = service.caller(who, owner)
        refused(tus.patch(other, url, 0, b"1"), 404, "session_not_found")
        assert other.head(url).status_code == 404
    assert tus.patch(service.caller("signed out", owner), url, 0, b"1").status_code == 401
    assert "password" not in mine.head(url).headers["Upload-Metadata"]
    last = tus.patch(mine, url, 0, b"123456")
    assert last.headers["Waystation-Url"] == f"{service.url}/f/{last.headers['Waystation-Code']}"
    made = service.share.made[-1]
    assert (made["uses"], made["owner"], made["form"]) == (1, owner.id.hex, "link")
    assert made["password_hash"].startswith("$argon2id$")


def test_the_policy(make_database: MakeDatabase, engines: Engines) -> None:
    policy = {"allowed_file_types": ["png"], "open_upload": False, "upload_count": 2}
    with running_upload_service(make_database, engines, policy) as service:
        refused(tus.create(service.client(), 1), 403, "guests_refused")
        mine = service.client(service.auth.sign_up())
        refused(tus.create(mine, 1, Upload_Metadata=tus.metadata(filename="a.txt")), 403, "type_refused")
        named = tus.metadata(filename="a.png")
        for _ in range(2):
            url = tus.begun(mine, 1, Upload_Metadata=named)
        refused(tus.create(mine, 1, Upload_Metadata=named), 429, "rate_limited")
        # What has begun may go on.
        assert tus.patch(mine, url, 0, b"1").status_code == 204
        # However many pieces are sent side by side, they are one upload, refused before the first if it will be.
        refused(tus.create(mine, 1, Upload_Concat="partial"), 429, "rate_limited")
        other = service.client(service.auth.sign_up())
        for _ in range(2):
            urls = [tus.create(other, 1, b"1", Upload_Concat="partial").headers["Location"] for _ in range(4)]
            assert [tus.final(other, urls, Upload_Metadata=named).status_code for _ in range(2)] == [201, 201]
        refused(tus.create(other, 1, Upload_Concat="partial"), 429, "rate_limited")
        many = service.client(service.auth.sign_up())
        pieces = [tus.create(many, 1, Upload_Concat="partial").status_code for _ in range(33)]
        assert pieces == [*[201] * 32, 429]


def test_two_requests_at_once(service: UploadService, client: httpx.Client) -> None:
    url = tus.begun(client, 6)
    with ThreadPoolExecutor(4) as sending:
        answers = list(sending.map(lambda _: tus.patch(client, url, 0, b"123").status_code, range(4)))
    # A later one ends an earlier one of which nothing has come yet.
    assert answers.count(204) == 1
    assert set(answers) <= {204, 409, 423}
    assert tus.offset(client, url) == 3


@contextmanager
def hanging(service: UploadService, url: str) -> Generator["Future[httpx.Response]"]:
    """During the block a request hangs that has brought the first 3 of 6 bytes; then it brings the others."""
    goes_on, upload_id = threading.Event(), UUID(url.rpartition("/")[2])

    def slowly() -> Iterator[bytes]:
        yield b"123"
        goes_on.wait(tus.PATIENCE_SECONDS)
        yield b"456"

    def has_come() -> bool:
        body = receiving._bodies.get(upload_id)  # pyright: ignore[reportPrivateUsage]
        return body is not None and body.received == 3

    headers = {**tus.HEADERS, "Upload-Offset": "0", "Content-Type": tus.OFFSET_TYPE, "Content-Length": "6"}
    with ThreadPoolExecutor(1) as other:
        first = other.submit(service.client().patch, url, content=slowly(), headers=headers)
        until = time.monotonic() + tus.PATIENCE_SECONDS
        try:
            while not has_come():
                assert time.monotonic() < until
                time.sleep(0.005)
            yield first
        finally:
            goes_on.set()


@pytest.mark.parametrize("method", ["HEAD", "PATCH"])
def test_a_client_that_comes_back_ends_its_request_that_hangs(
    service: UploadService, client: httpx.Client, method: str
) -> None:
    url = tus.begun(client, 6)
    with hanging(service, url) as first:
        if method == "HEAD":
            assert tus.offset(client, url) == 3
        # What the first one brought is kept.
        assert tus.patch(client, url, 3, b"xyz").status_code == 204
        ended = first.result()
    refused(ended, 423, "part_busy")
    is_file(service, client.head(url, headers=tus.HEADERS), b"123xyz")


def test_termination_ends_the_request_that_hangs(service: UploadService, client: httpx.Client) -> None:
    url = tus.begun(client, 6)
    with hanging(service, url) as first:
        assert client.delete(url, headers=tus.HEADERS).status_code == 204
        # Whether what it brought was recorded before the upload was gone is a matter of chance.
        assert first.result().status_code in (404, 423)


@pytest.mark.parametrize("method", ["HEAD", "PATCH"])
def test_a_request_beside_one_of_another_process_is_told_when_to_come_again(
    service: UploadService, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    url = tus.begun(client, 6)
    with hanging(service, url) as first:
        receiving._bodies.clear()  # pyright: ignore[reportPrivateUsage]
        monkeypatch.setattr(receiving, "PATIENCE", timedelta(seconds=0.1))
        second = client.head(url, headers=tus.HEADERS) if method == "HEAD" else tus.patch(client, url, 3, b"x")
    assert first.result().status_code == 204
    assert (second.status_code, second.headers["Retry-After"]) == (423, "1")


def test_a_broken_request_leaves_what_it_brought(service: UploadService, client: httpx.Client) -> None:
    content = secrets.token_bytes(12 * MIB)
    url = tus.begun(client, len(content))
    sent = 7 * MIB + 321
    tus.broken_patch(url, 0, len(content), content[:sent])
    # What had not left the server's socket yet is lost.
    at = tus.reaches(client, url, sent - MIB)
    assert at <= sent
    is_file(service, tus.patch(client, url, at, content[at:]), content)


STEPS = st.lists(
    st.tuples(st.sampled_from(["whole", "broken", "early", "late", "chunked"]), st.integers(0, 40), st.integers(0, 40)),
    min_size=1,
    max_size=6,
)


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
)
@given(steps=STEPS, is_deferred=st.booleans())
def test_a_session_is_its_model(
    service: UploadService, client: httpx.Client, steps: list[Step], is_deferred: bool
) -> None:
    """Whatever is cut wherever, the offset never goes back nor beyond what was sent, and the file is what was sent."""
    content = secrets.token_bytes(400)
    url = tus.begun(client, None if is_deferred else 400)
    low = high = 0
    for kind, length, cut in steps:
        match kind:
            case "broken":
                at = tus.offset(client, url)
                assert low <= at <= high
                tus.broken_patch(url, at, length + 1, content[at : at + min(length, cut)])
                low, high = at, max(high, at + min(length, cut))
            case "early" | "late":
                at = high + 1 + cut if kind == "early" else low - 1 - cut
                assert tus.patch(client, url, max(at, 0), b"").status_code in (204, 409)
            case _:
                low = high = _sent(client, url, content, low, high, length, cut if kind == "chunked" else 0)
    _sent(client, url, content, low, high, 400, 0)
    is_file(service, tus.patch(client, url, 400, b"", Upload_Length="400"), content)


def _sent(client: httpx.Client, url: str, content: bytes, low: int, high: int, length: int, cut: int) -> int:
    """Send the next `length` bytes as a client does that may have been cut off before; the new offset."""
    while True:
        at = tus.offset(client, url)
        assert low <= at <= high
        piece = content[at : at + length]
        body = iter([piece[:cut], piece[cut:]]) if cut else piece
        typed = {**tus.HEADERS, "Upload-Offset": str(at), "Content-Type": tus.OFFSET_TYPE}
        answer = client.patch(url, content=body, headers=typed)
        if answer.status_code == 204:
            assert int(answer.headers["Upload-Offset"]) == at + len(piece)
            return at + len(piece)
        # What a request brought that was cut off before has only now been stored.
        assert answer.status_code == 409
        low = at + 1


def test_an_upload_of_which_no_byte_comes_soon_keeps_no_room(service: UploadService, client: httpx.Client) -> None:
    def hours_of(answer: httpx.Response) -> int:
        left = parsedate_to_datetime(answer.headers["Upload-Expires"]) - clock.now()
        return round(left / timedelta(hours=1))

    nothing: list[bytes] = []
    headers = {**tus.HEADERS, "Upload-Length": "100", "Content-Type": tus.OFFSET_TYPE}
    announced = client.post("/files/", content=iter(nothing), headers=headers)
    url = announced.headers["Location"]
    empty = client.patch(url, content=iter(nothing), headers={**headers, "Upload-Offset": "0"})
    assert [answer.headers["Upload-Offset"] for answer in (announced, empty)] == ["0", "0"]
    assert (hours_of(announced), hours_of(empty)) == (1, 1)
    assert service.ask(
        "select count(*) from part where session_id = %s and stored_at is not null", UUID(url.rpartition("/")[2])
    ) == [(0,)]
    assert hours_of(client.patch(url, content=iter([b"a"]), headers={**headers, "Upload-Offset": "0"})) == 24
