"""The IETF's draft on resumable uploads: every rule that concerns a server, in the versions that clients speak."""

import secrets
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.dialects import tus_client as tus
from tests.integration.upload.dialects.tus_service import LARGEST, content_of, sha256, verify_next
from tests.integration.upload.running_upload import UploadService, running_upload_service

VERSIONS = [3, 4, 5, 6, 7, 8, None]
PROBLEMS = "https://iana.org/assignments/http-problem-types#"
PARTIAL_TYPE = "application/partial-upload"


@pytest.fixture(scope="module")
def service(
    make_database: MakeDatabase, engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UploadService]:
    folder = str(tmp_path_factory.mktemp("store"))
    in_folder: dict[str, Any] = {"store": "folder", "store_folder": folder, "store_sync": False}
    with running_upload_service(make_database, engines, **in_folder) as service:
        yield service


class Draft:
    """A client of one version of the draft."""

    def __init__(self, service: UploadService, version: int | None = None) -> None:
        self.client, self.version = service.client(), version

    def said(self, *, completes: bool, **more: str) -> dict[str, str]:
        headers = {"Upload-Draft-Interop-Version": str(self.version)} if self.version else {}
        if self.version == 3:
            headers["Upload-Incomplete"] = "?0" if completes else "?1"
        else:
            headers["Upload-Complete"] = "?1" if completes else "?0"
        return {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}

    def create(self, content: Any, *, completes: bool, **more: str) -> httpx.Response:
        return self.client.post("/v1/uploads", content=content, headers=self.said(completes=completes, **more))

    def begun(self, content: bytes = b"", **more: str) -> str:
        answer = self.create(content, completes=False, **more)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def append(self, url: str, at: int, content: Any, *, completes: bool, **more: str) -> httpx.Response:
        typed = {"Content_Type": PARTIAL_TYPE} if self.version is None or self.version >= 6 else {}
        headers = self.said(completes=completes, Upload_Offset=str(at), **typed, **more)
        return self.client.patch(url, content=content, headers=headers)

    def head(self, url: str, **more: str) -> httpx.Response:
        headers = {"Upload-Draft-Interop-Version": str(self.version)} if self.version else {}
        return self.client.head(
            url, headers={**headers, **{name.replace("_", "-"): text for name, text in more.items()}}
        )

    def is_complete(self, answer: httpx.Response) -> bool:
        if self.version == 3:
            return answer.headers["Upload-Incomplete"] == "?0"
        return answer.headers["Upload-Complete"] == "?1"


@pytest.fixture
def draft(service: UploadService) -> Draft:
    return Draft(service)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Tus-Resumable" not in answer.headers


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_from_the_beginning_to_the_end(service: UploadService, version: int | None) -> None:
    draft, content = Draft(service, version), secrets.token_bytes(1000)
    # All at once.
    whole = draft.create(content, completes=True, Content_Disposition="inline; filename*=UTF-8''%E2%98%82.txt")
    assert (whole.status_code, draft.is_complete(whole)) == (201, True)
    assert service.share.made[-1]["name"] == "☂.txt"
    assert whole.json()["code"] == whole.headers["Waystation-Code"]
    assert content_of(service, whole.headers["Waystation-File"]) == content
    # Little by little, the length being told at the end.
    url = draft.begun(content[:100])
    begun = draft.head(url)
    assert (begun.status_code, begun.headers["Upload-Offset"], draft.is_complete(begun)) == (204, "100", False)
    assert begun.headers["Cache-Control"] == "no-store"
    assert "Upload-Length" not in begun.headers
    age = "expires" if version and version < 7 else "max-age"
    assert begun.headers["Upload-Limit"].startswith(f"max-size={LARGEST}, {age}=86")
    more = draft.append(url, 100, content[100:400], completes=False)
    assert (more.status_code, more.headers["Upload-Offset"], draft.is_complete(more)) == (204, "400", False)
    last = draft.append(url, 400, content[400:], completes=True)
    assert (last.status_code, draft.is_complete(last), last.headers["Upload-Offset"]) == (201, True, "1000")
    assert content_of(service, last.headers["Waystation-File"]) == content
    again = draft.head(url, Want_Repr_Digest="sha-256=1")
    assert (draft.is_complete(again), again.headers["Upload-Length"]) == (True, "1000")
    assert again.headers["Waystation-Code"] == last.headers["Waystation-Code"]
    assert again.headers["Repr-Digest"] == sha256(content)
    for answer in (whole, begun, more, last, again):
        assert answer.headers.get("Upload-Draft-Interop-Version") == (str(version) if version else None)


def test_it_says_what_it_can_do(draft: Draft) -> None:
    able = draft.client.options("/v1/uploads")
    assert (able.status_code, able.headers["Accept-Patch"]) == (204, PARTIAL_TYPE)
    assert able.headers["Upload-Limit"] == f"max-size={LARGEST}"


def _read_answers(service: UploadService, head: str, body: bytes) -> list[str]:
    """The heads of all answers to one request, interim ones included. The body is sent after the first of them."""
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20) as connection:
        connection.sendall(head.encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(4096)
        connection.sendall(body)
        while block := connection.recv(4096):
            received += block
    return received.decode().split("\r\n\r\n")


@pytest.mark.parametrize("protocol", ["1.1", "1.0"])
def test_the_address_is_told_before_the_body_is_sent(service: UploadService, protocol: str) -> None:
    head = (
        f"POST /v1/uploads HTTP/{protocol}\r\nHost: here\r\nUpload-Complete: ?1\r\nUpload-Draft-Interop-Version: 8\r\n"
        "Content-Length: 5\r\nConnection: close\r\n\r\n"
    )
    if protocol == "1.0":
        first, *_ = _read_answers(service, head + "12345", b"")
        assert first.startswith("HTTP/1.1 201")
        return
    interim, final, *_ = _read_answers(service, head, b"12345")
    lines = interim.split("\r\n")
    assert lines[0] == "HTTP/1.1 104 Upload Resumption Supported"
    said = dict(line.split(": ", 1) for line in lines[1:])
    assert said["Upload-Draft-Interop-Version"] == "8"
    assert said["Upload-Limit"].startswith(f"max-size={LARGEST}, max-age=86")
    assert f"location: {said['Location']}\r\n" in f"{final}\r\n"


def test_a_question_about_the_body_begins_no_upload(service: UploadService, draft: Draft) -> None:
    """The gateway asks so for a client that expects to be asked for its body (`common.http.asking`)."""
    counted = "select count(*) from upload_session"
    before = service.ask(counted)
    headers = draft.said(completes=True, X_Body_Method="POST", X_Body_Length="5")
    answer = draft.client.get("/v1/uploads", headers=headers)
    assert (answer.status_code, answer.headers["X-Body-Wanted"]) == (204, "1")
    assert service.ask(counted) == before


@pytest.mark.parametrize("length", [0, 5])
def test_an_upload_is_complete_when_its_sender_says_so(service: UploadService, draft: Draft, length: int) -> None:
    content = b"12345"[:length]
    url = draft.begun(content, Upload_Length=str(length))
    assert not draft.is_complete(draft.head(url))
    assert draft.head(url).headers["Upload-Length"] == str(length)
    last = draft.append(url, length, b"", completes=True)
    assert draft.is_complete(last), last.text
    assert content_of(service, last.headers["Waystation-File"]) == content


def test_a_body_of_unknown_length(service: UploadService, draft: Draft) -> None:
    url = draft.begun()
    assert draft.append(url, 0, iter([b"12", b"3"]), completes=False).headers["Upload-Offset"] == "3"
    last = draft.append(url, 3, iter([b"45"]), completes=True)
    assert content_of(service, last.headers["Waystation-File"]) == b"12345"


def test_a_wrong_offset_is_corrected(draft: Draft) -> None:
    url = draft.begun(b"123", Upload_Length="5")
    for at in (0, 2, 4):
        for completes in (False, True):
            answer = draft.append(url, at, b"45", completes=completes)
            refused(answer, 409, "offset_wrong")
            assert answer.headers["Upload-Offset"] == "3"
            said = answer.json()
            assert said["type"] == f"{PROBLEMS}mismatching-upload-offset"
            assert (said["expected-offset"], said["provided-offset"]) == (3, at)
    assert draft.head(url).headers["Upload-Offset"] == "3"
    assert draft.append(url, 3, b"45", completes=True).status_code == 201


def test_lengths_that_contradict_one_another(service: UploadService, draft: Draft) -> None:
    def inconsistent(answer: httpx.Response) -> None:
        refused(answer, 400, "inconsistent_length")
        assert answer.json()["type"] == f"{PROBLEMS}inconsistent-upload-length"

    inconsistent(draft.create(b"12345", completes=True, Upload_Length="6"))
    inconsistent(draft.create(b"12345", completes=False, Upload_Length="4"))
    url = draft.begun(b"123", Upload_Length="6")
    inconsistent(draft.append(url, 3, b"45", completes=True))
    inconsistent(draft.append(url, 3, b"4567", completes=False))
    inconsistent(draft.append(url, 3, b"4", completes=False, Upload_Length="7"))
    assert draft.head(url).headers["Upload-Offset"] == "3"
    # Nobody announced how much comes, and it is too much: then nothing more is accepted.
    inconsistent(draft.append(url, 3, iter([b"4567"]), completes=False))
    assert draft.head(url).status_code == 404
    short = draft.begun(b"123", Upload_Length="6")
    inconsistent(draft.append(short, 3, iter([b"45"]), completes=True))
    assert draft.append(short, 5, b"6", completes=True).status_code == 201
    too_large = draft.create(b"", completes=False, Upload_Length=str(LARGEST + 1))
    refused(too_large, 413, "size_refused")
    assert too_large.headers["Upload-Limit"] == f"max-size={LARGEST}"


def test_a_complete_upload_takes_nothing_more(draft: Draft) -> None:
    url = draft.create(b"123", completes=True).headers["Location"]
    more = draft.append(url, 3, b"4", completes=True)
    refused(more, 400, "inconsistent_length")
    nothing = draft.append(url, 3, b"", completes=True)
    refused(nothing, 400, "upload_complete")
    assert nothing.json()["type"] == f"{PROBLEMS}completed-upload"
    refused(draft.client.delete(url), 409, "conflict")
    assert draft.head(url).headers["Upload-Offset"] == "3"


def test_cancellation(draft: Draft) -> None:
    url = draft.begun(b"123")
    refused(draft.client.delete(url, headers={"Upload-Draft-Interop-Version": "9"}), 400, "draft_version")
    assert draft.client.delete(url).status_code == 204
    assert draft.head(url).status_code == 404
    refused(draft.append(url, 3, b"4", completes=False), 404, "session_not_found")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"Content_Type": "application/octet-stream"}, 415, "content_type"),
        ({"Upload_Offset": "x"}, 400, "invalid_input"),
        ({"Upload_Offset": "-3"}, 400, "invalid_input"),
        ({"Upload_Offset": "3" * 16}, 400, "invalid_input"),
        ({"Upload_Complete": "1"}, 400, "invalid_input"),
        ({"Upload_Complete": "?2"}, 400, "invalid_input"),
        ({"Upload_Draft_Interop_Version": "9"}, 400, "draft_version"),
        ({"Upload_Draft_Interop_Version": "x"}, 400, "draft_version"),
        ({"Content_Digest": "sha-256=:AAAA:"}, 400, "invalid_input"),
        ({"Content_Digest": "sha-256=x"}, 400, "invalid_input"),
        ({"Content_Digest": sha256(b"other")}, 400, "checksum_mismatch"),
    ],
)
def test_what_is_refused_changes_nothing(draft: Draft, changed: dict[str, str], status: int, code: str) -> None:
    url = draft.begun(b"123")
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    headers = draft.said(completes=False, Upload_Offset="3", Content_Type=PARTIAL_TYPE)
    answer = draft.client.patch(url, content=b"4", headers={**headers, **named})
    refused(answer, status, code)
    if status == 415:
        assert answer.headers["Accept-Patch"] == PARTIAL_TYPE
    assert draft.head(url).headers["Upload-Offset"] == "3"


def test_parameters_and_unknown_digests_are_ignored(service: UploadService, draft: Draft) -> None:
    url = draft.begun(b"123", Upload_Length="5;a=1")
    assert draft.head(url).headers["Upload-Length"] == "5"
    good = f"unixsum=:AA==:, {sha256(b'45')}"
    last = draft.append(url, 3, b"45", completes=True, Content_Digest=good)
    assert content_of(service, last.headers["Waystation-File"]) == b"12345"


def test_a_digest_of_the_whole_is_compared(service: UploadService, draft: Draft) -> None:
    """In one request it is known at once, otherwise the answer waits for the worker."""
    content = secrets.token_bytes(100)
    assert draft.create(content, completes=True, Repr_Digest=sha256(content)).headers["Repr-Digest"] == sha256(content)
    made = len(service.share.made)
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(draft.create, content, completes=True, Repr_Digest=sha256(b"other"))
        service.run(verify_next)
        wrong = answer.result()
    refused(wrong, 400, "digest_mismatch")
    # Nothing would come of sending it again.
    assert wrong.headers["Upload-Complete"] == "?1"
    assert len(service.share.made) == made


def test_a_client_that_comes_back_does_not_wait_for_the_request_that_hangs(
    service: UploadService, draft: Draft
) -> None:
    url, content = draft.begun(), secrets.token_bytes(1_000_000)
    goes_on = threading.Event()

    def hang(begun: threading.Event) -> int:
        """The status of a request that stops in the middle; 0: its connection was closed."""

        def slowly() -> Iterator[bytes]:
            yield content[:600_000]
            begun.set()
            goes_on.wait(30)
            yield content[600_000:]

        try:
            sent = Draft(service).append(url, 0, slowly(), completes=True, Content_Length=str(len(content)))
            return sent.status_code
        except httpx.TransportError:
            return 0

    at = 0
    hanging: list[Future[int]] = []
    with ThreadPoolExecutor(20) as others:
        # One that is interrupted before its first byte has come leaves nothing.
        while at == 0:
            begun = threading.Event()
            hanging.append(others.submit(hang, begun))
            assert begun.wait(20)
            head = draft.head(url)
            assert head.status_code == 204, head.headers
            at = int(head.headers["Upload-Offset"])
        # What it had brought is kept, and the offset holds.
        assert 0 < at <= 600_000
        last = draft.append(url, at, content[at:], completes=True)
        goes_on.set()
    assert last.status_code == 201, last.text
    assert all(other.result() == 0 or other.result() >= 400 for other in hanging)
    assert content_of(service, last.headers["Waystation-File"]) == content


def test_a_request_that_a_later_one_ended_is_told_to_come_again(service: UploadService, draft: Draft) -> None:
    """The later one may have been cut long ago, and only arrived late. Clients of tus give up after 408."""
    content, at = secrets.token_bytes(1_000_000), 0
    while at == 0:
        # One that is ended before its first byte has come leaves nothing, or a little later: then another is begun.
        url = draft.begun()
        parts = urlsplit(url)
        head = f"PATCH {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        head += f"Content-Type: {tus.OFFSET_TYPE}\r\nContent-Length: {len(content)}\r\n\r\n"
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20) as connection:
            connection.sendall(head.encode() + content[:600_000])
            at = int(draft.head(url).headers["Upload-Offset"])
            said = connection.makefile("rb").read(12) if at else b""
    assert said == b"HTTP/1.1 423"
    assert tus.patch(draft.client, url, at, content[at:]).status_code == 204


def test_each_protocol_continues_what_the_other_began(service: UploadService, draft: Draft) -> None:
    content = secrets.token_bytes(300)
    url = tus.begun(draft.client, 300, Upload_Metadata=tus.metadata(filename="a", share="link"))
    assert tus.patch(draft.client, url, 0, content[:100]).status_code == 204
    last = draft.append(url, 100, content[100:], completes=True)
    assert service.share.made[-1]["form"] == "link"
    assert content_of(service, last.headers["Waystation-File"]) == content
    assert draft.client.head(url, headers=tus.HEADERS).headers["Waystation-Code"] == last.headers["Waystation-Code"]
    other = draft.begun(content[:100])
    assert tus.offset(draft.client, other) == 100
    ended = tus.patch(draft.client, other, 100, content[100:], Upload_Length="300")
    assert content_of(service, ended.headers["Waystation-File"]) == content
    assert draft.is_complete(draft.head(other))


def test_rights_and_expiry(service: UploadService, draft: Draft) -> None:
    owner = service.auth.sign_up()
    url = service.client(owner).post("/v1/uploads", headers={"Upload-Complete": "?0"}).headers["Location"]
    refused(draft.append(url, 0, b"1", completes=False), 404, "session_not_found")
    assert draft.head(url).status_code == draft.client.delete(url).status_code == 404
    own = draft.begun(b"1")
    service.ask("update upload_session set expires_at = now() where id = %s", UUID(own.rpartition("/")[2]))
    refused(draft.append(own, 1, b"1", completes=False), 410, "session_expired")


def test_a_folder_takes_no_parts_from_clients(draft: Draft) -> None:
    """`test_direct_parts` has a store that does."""
    assert draft.client.options("/v1/uploads").headers["Waystation-Direct-Parts"] == "?0"
    refused(draft.client.post("/v1/uploads/direct", json={"size": 3}), 400, "direct_parts_unsupported")
