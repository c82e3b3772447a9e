"""Quotas over HTTP: each protocol's words for a refusal, which leaves nothing; use and limits as people read them."""

import base64
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.contract.mirrorace.clients import curl_form
from tests.contract.mirrorace.wire import Sender
from tests.integration.auth.running import Person
from tests.integration.upload.dialects.tus_client import begun, create, patch
from tests.integration.upload.running_upload import POLICY, UploadService, running_upload_service
from upload_service.quotas import counting

MIB = 1024 * 1024
ROOM = 42
FULL = "存储空间已达到管理员设置的容量上限"
FOR_ACCOUNT = "the account has no room left for this"
OBEYED_SECONDS = 5


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service:
        # The store makes its folder with the first object.
        service.own_file(None)
        yield service


@pytest.fixture(autouse=True)
def unlimited(service: UploadService) -> Iterator[None]:
    yield
    if service.share.policy != POLICY:
        limit(service)


def limit(service: UploadService, **values: int) -> None:
    """Change the policy, and wait until it is obeyed."""
    service.share.policy = {**POLICY, **values}
    administrator = service.client(service.auth.administrator())
    until = time.monotonic() + OBEYED_SECONDS
    wanted = {key: values.get(key) for key in ("guest_bytes", "guest_files", "place_bytes", "place_files")}
    while _limits(administrator.get("/v1/admin/usage").json()) != wanted:
        assert time.monotonic() < until
        time.sleep(0.05)


def _limits(told: dict[str, Any]) -> dict[str, Any]:
    guests, place = told["guests"]["limits"], told["place"]["limits"]
    return {f"guest_{key}": guests[key] for key in guests} | {f"place_{key}": place[key] for key in place}


def usage(service: UploadService, person: Person) -> dict[str, Any]:
    return service.client(person).get("/v1/account/usage").json()


def give(service: UploadService, person: Person, **limits: int | None) -> httpx.Response:
    """Give an account limits of its own."""
    administrator = service.client(service.auth.administrator())
    return administrator.put(f"/v1/admin/quotas/{person.id}", json={"bytes": None, "files": None, **limits})


def form(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/share/file/", files={"file": ("a.bin", content)})


def chunks(client: httpx.Client, content: bytes) -> httpx.Response:
    digest = hashlib.sha256(content).hexdigest()
    asked = {"file_name": "a.bin", "file_size": len(content), "chunk_size": len(content), "file_hash": digest}
    return client.post("/chunk/upload/init/", json=asked)


def presigned(client: httpx.Client, content: bytes) -> httpx.Response:
    asked = {"file_name": "a.bin", "file_size": len(content), "expire_value": 1, "expire_style": "day"}
    return client.post("/presign/upload/init", json=asked)


def tus(client: httpx.Client, content: bytes) -> httpx.Response:
    return create(client, len(content))


def tus_of_unknown_length(client: httpx.Client, content: bytes) -> httpx.Response:
    url = begun(client)
    try:
        return patch(client, url, 0, content)
    finally:
        assert client.delete(url, headers={"Tus-Resumable": "1.0.0"}).status_code == 204


def curl(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.put("/a.bin", content=content)


def curl_of_unknown_length(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.put("/a.bin", content=iter([content]))


def curl_by_form(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/", files={"file": ("a.bin", content)})


def file_uploader(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/api/upload/private", files={"file": ("a.bin", content)})


Send = Callable[[httpx.Client, bytes], httpx.Response]
PROTOCOLS: list[tuple[Send, Any]] = [
    (form, {"detail": FULL}),
    (chunks, {"detail": FULL}),
    (presigned, {"detail": FULL}),
    (tus, "quota_exceeded"),
    (tus_of_unknown_length, "quota_exceeded"),
    (curl, f"{FOR_ACCOUNT}\n"),
    (curl_of_unknown_length, f"{FOR_ACCOUNT}\n"),
    (curl_by_form, f"{FOR_ACCOUNT}\n"),
    (file_uploader, FOR_ACCOUNT),
]


@pytest.mark.parametrize("size", [11, 2 * MIB], ids=["small", "large"])
@pytest.mark.parametrize(("send", "words"), PROTOCOLS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_protocol_says_in_its_words_that_there_is_no_room(
    service: UploadService, send: Send, words: Any, size: int
) -> None:
    person = service.auth.sign_up()
    client = service.client(person)
    assert give(service, person, bytes=size - 1).status_code == 204
    with service.nothing_left():
        answer = send(client, bytes(size))
        assert answer.status_code == 507, answer.text
        if isinstance(words, dict):
            assert answer.json() == words
        elif answer.headers["content-type"].startswith("application/problem+json"):
            assert (answer.json()["code"], answer.json()["detail"]) == (words, FOR_ACCOUNT)
        else:
            assert words in answer.text
    assert usage(service, person)["files"] == 0
    give(service, person, bytes=size)
    assert send(client, bytes(size)).status_code < 300, "the last byte can be used"


def test_mirage_and_mirrorace_say_it_too(service: UploadService) -> None:
    person = service.auth.sign_up()
    service.chat.members.add((ROOM, person.id))
    give(service, person, bytes=4)
    asked = {"username": person.name, "password": person.password}
    token = service.auth.client(host="mirage.example.org").post("/api/login", json=asked).json()["token"]
    with service.nothing_left():
        parts: list[tuple[str, Any]] = [("room_id", (None, str(ROOM))), ("file", ("a.txt", b"12345"))]
        answer = service.client().post("/api/upload_file", files=parts, headers={"Authorization": token})
        assert (answer.status_code, answer.json()) == (500, {"error": f"File upload failed: {FOR_ACCOUNT}"})
        sender = Sender.of_token(person.client, service.client(), person.token)
        answer = sender.send(curl_form(sender.fields(sender.variables()), "a.txt", b"12345"))
        assert (answer.status_code, answer.json()) == (507, {"status": "error", "result": FOR_ACCOUNT})


@pytest.mark.parametrize("path", ["/share/file/", "/", "/api/upload/private"])
def test_a_long_form_is_refused_before_its_body_is_asked_for(service: UploadService, path: str) -> None:
    person = service.auth.sign_up()
    give(service, person, bytes=MIB)
    host, _, port = service.url.removeprefix("http://").partition(":")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {person.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {3 * MIB}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 507")


def test_guests_share_their_limits_and_the_place_has_its_own(service: UploadService) -> None:
    used = service.client(service.auth.administrator()).get("/v1/admin/usage").json()
    limit(service, guest_bytes=used["guests"]["bytes"] + 10)
    assert form(service.client(), bytes(10)).status_code == 200
    answer = tus(service.client(), b"1")
    assert (answer.status_code, answer.json()["detail"]) == (507, "there is no room left for files of guests")
    person = service.auth.sign_up()
    assert form(service.client(person), bytes(10)).status_code == 200
    service.run(counting.sum_up)
    used = service.client(service.auth.administrator()).get("/v1/admin/usage").json()
    limit(service, place_files=used["place"]["files"])
    answer = tus(service.client(person), b"1")
    assert (answer.status_code, answer.json()["detail"]) == (507, "there is no room left for more files")
    assert used["place"]["bytes"] == used["guests"]["bytes"] + sum(one["bytes"] for one in used["usage"])


def test_use_and_limits_are_told(service: UploadService) -> None:
    person, other = service.auth.sign_up(), service.auth.sign_up()
    assert service.client().get("/v1/account/usage").status_code == 401
    nothing = {"bytes": 0, "files": 0, "reserved_bytes": 0, "limits": {"bytes": None, "files": None}}
    assert usage(service, person) == {**nothing, "own_limits": False}
    give(service, person, bytes=100)
    service.own_file(person, b"12345")
    url = begun(service.client(person), 7)
    mine = {"bytes": 5, "files": 2, "reserved_bytes": 7, "limits": {"bytes": 100, "files": None}, "own_limits": True}
    assert usage(service, person) == mine
    administrator = service.client(service.auth.administrator())
    asked = {"account": [str(other.id), str(person.id)]}
    found = administrator.get("/v1/admin/usage", params=asked).json()
    assert found["usage"] == [
        {"account": str(other.id), **nothing, "own_limits": False},
        {"account": str(person.id), **mine},
    ]
    assert service.client(person).delete(url, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert administrator.delete(f"/v1/admin/quotas/{person.id}").status_code == 204
    mine = {"bytes": 5, "files": 1, "reserved_bytes": 0, "limits": {"bytes": None, "files": None}, "own_limits": False}
    assert usage(service, person) == mine
    (file,) = service.client(person).get("/v1/files").json()["files"]
    assert service.client(person).delete(f"/v1/files/{file['id']}").status_code == 204
    assert usage(service, person)["files"] == 0


def test_the_largest_accounts_come_first_in_pages(service: UploadService) -> None:
    people = [service.auth.sign_up() for _ in range(3)]
    for number, person in enumerate(people):
        service.own_file(person, bytes(10 * MIB + number))
    service.run(counting.sum_up)
    administrator = service.client(service.auth.administrator())
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = administrator.get("/v1/admin/usage", params={"limit": 2, **after}).json()
        found += [one["account"] for one in page["usage"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found[:3] == [str(person.id) for person in reversed(people)]
    assert len(found) == len(set(found)) == page["total"]
    for cursor in ("x", base64.b64encode(b"1").decode(), base64.b64encode(f"{2**70} {uuid4().hex}".encode()).decode()):
        assert administrator.get("/v1/admin/usage", params={"after": cursor}).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"bytes": 1}, {"bytes": -1, "files": 1}, {"bytes": "1", "files": 1}, {"bytes": 2**63, "files": None}]
)
def test_limits_that_make_no_sense_are_refused(service: UploadService, body: dict[str, Any]) -> None:
    person, administrator = service.auth.sign_up(), service.client(service.auth.administrator())
    assert administrator.put(f"/v1/admin/quotas/{person.id}", json=body).status_code == 400
    assert usage(service, person)["own_limits"] is False


def test_only_an_account_that_exists_gets_limits(service: UploadService) -> None:
    administrator = service.client(service.auth.administrator())
    for nobody in (uuid4(), UUID(int=0), UUID(int=2**128 - 1)):
        answer = administrator.put(f"/v1/admin/quotas/{nobody}", json={"bytes": 1, "files": 1})
        assert (answer.status_code, answer.json()["code"]) == (404, "account_not_found")
        assert service.ask("select * from account_quota where account = %s", nobody) == []
        assert service.ask("select * from audit_entry where target_id = %s", str(nobody)) == []


def test_limits_are_for_signed_in_administrators_and_recorded(service: UploadService) -> None:
    person = service.auth.sign_up()
    path = f"/v1/admin/quotas/{person.id}"
    for client, status in ((service.client(), 401), (service.client(person), 403)):
        assert client.put(path, json={"bytes": 1, "files": 1}).status_code == status
        assert client.delete(path).status_code == status
        assert client.get("/v1/admin/usage").status_code == status
    for _ in range(2):
        give(service, person, bytes=5)
    service.client(service.auth.administrator()).delete(path)
    found = service.ask("select act, old, new from audit_entry where target_id = %s order by at", str(person.id))
    own = {"bytes": 5, "files": None}
    assert found == [("quota.change", None, own), ("quota.change", own, None)]


def test_an_erased_account_leaves_no_limits(service: UploadService) -> None:
    person = service.auth.sign_up()
    give(service, person, bytes=5)
    service.own_file(person, b"1")
    assert service.internal("DELETE", f"/internal/accounts/{person.id}", service="auth").status_code == 200
    service.sweep()
    assert service.ask("select * from account_quota where account = %s", person.id) == []
    assert usage(service, person)["files"] == 0


def test_the_place_tells_the_share_service_its_use(service: UploadService) -> None:
    before = service.internal("GET", "/internal/usage").json()
    form(service.client(), bytes(3))
    assert service.internal("GET", "/internal/usage").json() == {
        "bytes": before["bytes"] + 3,
        "files": before["files"] + 1,
    }
    assert service.internal("GET", "/internal/usage", service="chat").status_code == 403
