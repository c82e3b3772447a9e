"""Mirage's upload: what it answers, in which order it refuses, and that a refusal leaves nothing behind."""

import re
import secrets
import socket
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from common.http import bodies
from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.running_upload import UploadService, running_upload_service

PATH = "/api/upload_file"
LIMIT = 25_165_824
ROOM = 42
BOTH_ORDERS = pytest.mark.parametrize("room_first", [True, False], ids=["room first", "file first"])


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service:
        yield service


@pytest.fixture
def person(service: UploadService) -> Person:
    """Someone in the room."""
    person = service.auth.sign_up()
    service.chat.members.add((ROOM, person.id))
    return person


def token_of(service: UploadService, person: Person) -> str:
    """A token as Mirage's login gives it."""
    asked = {"username": person.name, "password": person.password}
    return service.auth.client(host="mirage.example.org").post("/api/login", json=asked).json()["token"]


def post(
    service: UploadService,
    token: str | None,
    content: bytes | Iterator[bytes] = b"content",
    name: str = "a.txt",
    room: object = ROOM,
    *,
    room_first: bool = True,
) -> httpx.Response:
    """A form with a room and a file; None leaves either out."""
    parts: list[tuple[str, Any]] = [] if room is None else [("room_id", (None, str(room)))]
    parts.append(("file", (name, content)))
    headers = {} if token is None else {"Authorization": token}
    return service.client().post(PATH, files=parts if room_first else parts[::-1], headers=headers)


def refused(answer: httpx.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"error": error})


@BOTH_ORDERS
def test_a_file_is_stored_shared_and_posted(service: UploadService, person: Person, room_first: bool) -> None:
    answer = post(service, token_of(service, person), b"hello", "My File.PDF", room_first=room_first)
    assert answer.status_code == 200
    made = service.share.made[-1]
    url = f"{service.url}/file/code{len(service.share.made)}"
    assert answer.json() == {"message": "File uploaded successfully", "file_url": url}
    assert (made["form"], made["extension"], made["owner"]) == ("link", ".pdf", person.id.hex)
    assert (made["name"], made["size"], made["expires_at"], made["uses"]) == ("My File.PDF", 5, None, None)
    assert service.ask("select owner from file where id = %s", made["file_id"]) == [(person.id,)]
    room, message = service.chat.posted[-1]
    share_id = message.pop("share_id")
    assert UUID(share_id)
    assert (room, message) == (
        ROOM,
        {
            "account_id": person.id.hex,
            "name": person.name,
            "text": url,
            "file": {"name": "My File.PDF", "size": 5, "type": "application/pdf", "url": url},
        },
    )


def test_a_file_is_posted_under_the_last_component_of_its_name(service: UploadService, person: Person) -> None:
    assert post(service, token_of(service, person), b"hello", "../../etc/x.txt").status_code == 200
    assert service.share.made[-1]["name"] == service.chat.posted[-1][1]["file"]["name"] == "x.txt"


def test_a_signed_token_is_taken_after_its_word(service: UploadService, person: Person) -> None:
    assert post(service, f"Bearer {person.token}").status_code == 200


def test_the_address_is_the_configured_one(make_database: MakeDatabase, engines: Engines) -> None:
    with running_upload_service(make_database, engines, public_url="https://files.example.org/") as service:
        person = service.auth.sign_up()
        service.chat.members.add((ROOM, person.id))
        url = post(service, f"Bearer {person.token}").json()["file_url"]
    assert re.fullmatch(r"https://files\.example\.org/file/code\d+", url)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.PNG", "image/png"),
        ("a.tar.gz", "application/x-tar"),
        ("README", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_the_message_says_what_the_file_is(service: UploadService, person: Person, name: str, kind: str) -> None:
    assert post(service, f"Bearer {person.token}", name=name).status_code == 200
    assert service.chat.posted[-1][1]["file"]["type"] == kind


def test_without_a_token_nothing_is_stored(service: UploadService, person: Person) -> None:
    old = token_of(service, person)
    token_of(service, person)
    with service.nothing_left():
        for missing in (None, ""):
            refused(post(service, missing), 401, "Invalid token or token missing")
        for unknown in (old, "null", "x", "Bearer x", f"Bearer {service.signed_out().token}", person.token):
            refused(post(service, unknown), 401, "Unauthorized access")


def test_the_token_is_looked_at_before_the_form(service: UploadService) -> None:
    refused(service.client().post(PATH), 401, "Invalid token or token missing")
    refused(service.client().post(PATH, headers={"Authorization": "x"}), 401, "Unauthorized access")


FORM = {"Content-Type": "multipart/form-data; boundary=b"}
ROOM_PART = b'--b\r\nContent-Disposition: form-data; name="room_id"\r\n\r\n42\r\n'


def file_part(disposition: bytes, content: bytes = b"x") -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + content + b"\r\n"


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"", {}, "No file provided"),
        (b"{}", {"Content-Type": "application/json"}, "No file provided"),
        (b"", {"Content-Type": "multipart/form-data"}, "No file provided"),
        (b"--b--\r\n", FORM, "No file provided"),
        (ROOM_PART + b"--b--\r\n", FORM, "No file provided"),
        (ROOM_PART + file_part(b'name="file"') + b"--b--\r\n", FORM, "No file provided"),
        (ROOM_PART + file_part(b'name="other"; filename="a"') + b"--b--\r\n", FORM, "No file provided"),
        (ROOM_PART + file_part(b'name="file"; filename=""') + b"--b--\r\n", FORM, "No file name provided"),
        (file_part(b'name="file"; filename=""') + b"--b--\r\n", FORM, "No file name provided"),
        (file_part(b'name="file"; filename="a.txt"') + b"--b--\r\n", FORM, "No room ID provided"),
    ],
    ids=[
        "nothing",
        "json",
        "no boundary",
        "no parts",
        "room",
        "field",
        "other",
        "no name",
        "no name or room",
        "no room",
    ],
)
def test_a_form_that_lacks_something_is_refused(
    service: UploadService, person: Person, body: bytes, headers: dict[str, str], error: str
) -> None:
    headers = {**headers, "Authorization": f"Bearer {person.token}"}
    with service.nothing_left():
        refused(service.client().post(PATH, content=body, headers=headers), 400, error)


def test_an_empty_room_is_none(service: UploadService, person: Person) -> None:
    with service.nothing_left():
        refused(post(service, f"Bearer {person.token}", room=""), 400, "No room ID provided")


@pytest.mark.parametrize("cut", [b"", b"--b", b"--b-", b"\r\n--c--\r\n"])
def test_a_form_that_is_cut_off_leaves_nothing(service: UploadService, person: Person, cut: bytes) -> None:
    body = ROOM_PART + file_part(b'name="file"; filename="a.txt"')[:-2] + cut
    headers = {**FORM, "Authorization": f"Bearer {person.token}"}
    with service.nothing_left():
        answer = service.client().post(PATH, content=body, headers=headers)
        assert (answer.status_code, set(answer.json())) == (400, {"error"})


@BOTH_ORDERS
@pytest.mark.parametrize("room", [7, "x", "-42", "42.0", "9" * 40, "٤٢"])
def test_who_is_not_in_the_room_stores_nothing(
    service: UploadService, person: Person, room: object, room_first: bool
) -> None:
    with service.nothing_left():
        answer = post(service, f"Bearer {person.token}", room=room, room_first=room_first)
        refused(answer, 403, "You are not a member of this room")


def test_a_room_may_have_spaces_around_it(service: UploadService, person: Person) -> None:
    assert post(service, f"Bearer {person.token}", room=f" {ROOM} ").status_code == 200


@BOTH_ORDERS
def test_the_largest_file_passes_and_one_byte_more_does_not(
    service: UploadService, person: Person, room_first: bool
) -> None:
    token = f"Bearer {person.token}"
    assert post(service, token, bytes(LIMIT), room_first=room_first).status_code == 200
    assert service.share.made[-1]["size"] == LIMIT
    with service.nothing_left():
        answer = post(service, token, bytes(LIMIT + 1), room_first=room_first)
        refused(answer, 400, "File size exceeds the 24MB limit")


def test_a_file_without_an_announced_length_is_counted(service: UploadService, person: Person) -> None:
    def body() -> Iterator[bytes]:
        yield ROOM_PART + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(25):
            yield bytes(1024 * 1024)
        yield b"\r\n--b--\r\n"

    headers = {**FORM, "Authorization": f"Bearer {person.token}"}
    with service.nothing_left():
        answer = service.client().post(PATH, content=body(), headers=headers)
        refused(answer, 400, "File size exceeds the 24MB limit")


@pytest.mark.parametrize("name", ["a\0b.txt", "x" * 8193])
def test_a_name_that_cannot_be_kept_is_refused(service: UploadService, person: Person, name: str) -> None:
    body = ROOM_PART + file_part(b'name="file"; filename="' + name.encode() + b'"') + b"--b--\r\n"
    headers = {**FORM, "Authorization": f"Bearer {person.token}"}
    with service.nothing_left():
        answer = service.client().post(PATH, content=body, headers=headers)
        assert (answer.status_code, set(answer.json())) == (400, {"error"})


@pytest.fixture
def mended(service: UploadService) -> Iterator[None]:
    yield
    service.share.is_down = service.share.loses_answers = service.chat.is_down = service.chat.loses_answers = False
    service.chat.fails, service.chat.problem = 0, {}


def failed(answer: httpx.Response) -> None:
    assert answer.status_code == 500, answer.text
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"].startswith("File upload failed: ")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.usefixtures("mended")
@BOTH_ORDERS
def test_when_chat_is_down_nothing_is_left(service: UploadService, person: Person, room_first: bool) -> None:
    service.chat.is_down = True
    with service.nothing_left():
        failed(post(service, f"Bearer {person.token}", room_first=room_first))


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("status", [500, 503, 401])
def test_when_posting_fails_the_file_and_its_share_end(service: UploadService, person: Person, status: int) -> None:
    service.chat.fails = status
    before = service.left()
    failed(post(service, f"Bearer {person.token}"))
    ended_and_gone(service, before)


@pytest.mark.usefixtures("mended")
def test_when_nobody_hears_that_it_was_posted_the_file_ends_all_the_same(
    service: UploadService, person: Person
) -> None:
    service.chat.loses_answers = True
    before = service.left()
    failed(post(service, f"Bearer {person.token}"))
    ended_and_gone(service, before)


def ended_and_gone(service: UploadService, before: set[str]) -> None:
    """That what was shared last has been taken back."""
    assert UUID(service.share.made[-1]["file_id"]) in service.share.ended
    assert not {name for name in service.left() - before if not name.startswith("object")}


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("code", "error"),
    [("not_a_member", "You are not a member of this room"), ("muted", "You may read here")],
)
def test_who_may_not_write_is_told_and_nothing_is_left(
    service: UploadService, person: Person, code: str, error: str
) -> None:
    service.chat.fails, service.chat.problem = 403, {"code": code, "detail": "You may read here"}
    before = service.left()
    refused(post(service, f"Bearer {person.token}"), 403, error)
    ended_and_gone(service, before)


@pytest.mark.usefixtures("mended")
def test_that_chat_does_not_trust_this_service_is_no_fault_of_the_sender(
    service: UploadService, person: Person
) -> None:
    service.chat.fails, service.chat.problem = 403, {"code": "forbidden", "detail": "upload may not call this"}
    failed(post(service, f"Bearer {person.token}"))


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(("status", "answered"), [(404, 403), (400, 400), (409, 409), (413, 413)])
def test_what_chat_refuses_is_told_and_taken_back(
    service: UploadService, person: Person, status: int, answered: int
) -> None:
    service.chat.fails = status
    before = service.left()
    answer = post(service, f"Bearer {person.token}")
    assert (answer.status_code, set(answer.json())) == (answered, {"error"})
    if status == 404:
        assert answer.json()["error"] == "You are not a member of this room"
    ended_and_gone(service, before)


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("fault", ["is_down", "loses_answers"])
def test_when_share_fails_nothing_is_left_or_posted(service: UploadService, person: Person, fault: str) -> None:
    setattr(service.share, fault, True)
    before, posted = service.left(), len(service.chat.posted)
    failed(post(service, f"Bearer {person.token}"))
    assert len(service.chat.posted) == posted
    service.share.is_down = service.share.loses_answers = False
    service.sweep()
    assert not {name for name in service.left() - before if not name.startswith("object")}


def test_who_stops_sending_leaves_nothing(
    service: UploadService, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.2)
    address = httpx.URL(service.url)
    with service.nothing_left(), socket.create_connection((address.host, address.port or 80)) as connection:
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"
        )
        begun = ROOM_PART + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        connection.sendall(head.encode() + begun + secrets.token_bytes(1000))
        connection.settimeout(10)
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


@BOTH_ORDERS
def test_a_second_file_in_one_form_is_refused(service: UploadService, person: Person, room_first: bool) -> None:
    parts: list[tuple[str, Any]] = [("room_id", (None, str(ROOM))), *(("file", (f"{n}.txt", b"x")) for n in "ab")]
    headers = {"Authorization": token_of(service, person)}
    with service.nothing_left():
        answer = service.client().post(PATH, files=parts if room_first else parts[::-1], headers=headers)
        refused(answer, 400, "Only one file can be uploaded at a time")
