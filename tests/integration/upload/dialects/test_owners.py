"""The owner of an upload, from its first call to the end of the account: FileCodeBox's sessions, adoption, erasure."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.content import verification

CHUNK = 1000
CALLERS = ("owner", "stranger", "administrator", "nobody", "signed out")
CONTENT = secrets.token_bytes(2 * CHUNK)
NO_SESSION = {"detail": "Upload session not found"}
CHUNKED: list[tuple[str, str]] = [
    ("GET", "/chunk/upload/status/{id}"),
    ("POST", "/chunk/upload/chunk/{id}/0"),
    ("POST", "/chunk/upload/chunk/{id}/99"),
    ("POST", "/chunk/upload/chunk/{id}/x"),
    ("POST", "/chunk/upload/complete/{id}"),
    ("DELETE", "/chunk/upload/{id}"),
]
PRESIGNED: list[tuple[str, str]] = [
    ("GET", "/presign/upload/status/{id}"),
    ("PUT", "/presign/upload/proxy/{id}"),
    ("POST", "/presign/upload/confirm/{id}"),
    ("DELETE", "/presign/upload/{id}"),
]


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    # Nothing waits for a worker here: where one is needed, a test does its work.
    with running_upload_service(make_database, engines, complete_wait_seconds=0) as service:
        yield service


@pytest.fixture
def owner(service: UploadService) -> Person:
    return service.auth.sign_up()


@pytest.fixture(params=["owner", "nobody"])
def opener(request: pytest.FixtureRequest, service: UploadService, owner: Person) -> httpx.Client:
    """The account that opens a session."""
    return service.client(owner if request.param == "owner" else None)


def detail(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["detail"]


def init(client: httpx.Client, content: bytes = CONTENT) -> str:
    asked = {"file_name": "a.bin", "file_size": len(content), "chunk_size": CHUNK}
    return detail(client.post("/chunk/upload/init/", json=asked | {"file_hash": sha256(content).hexdigest()}))[
        "upload_id"
    ]


def presign(client: httpx.Client) -> str:
    return detail(client.post("/presign/upload/init", json={"file_name": "a.bin", "file_size": 5}))["upload_id"]


def send(client: httpx.Client, upload_id: str, index: int, content: bytes = CONTENT) -> httpx.Response:
    chunk = content[index * CHUNK : (index + 1) * CHUNK]
    return client.post(f"/chunk/upload/chunk/{upload_id}/{index}", files={"chunk": ("blob", chunk)})


def complete(client: httpx.Client, upload_id: str) -> httpx.Response:
    return client.post(f"/chunk/upload/complete/{upload_id}", json={"expire_value": 1, "expire_style": "day"})


def call(client: httpx.Client, method: str, path: str) -> httpx.Response:
    if "complete" in path:
        return client.request(method, path, json={"expire_value": 1, "expire_style": "day"})
    if method in ("POST", "PUT"):
        name = "file" if method == "PUT" else "chunk"
        return client.request(method, path, files={name: ("blob", CONTENT[:CHUNK])})
    return client.request(method, path)


@pytest.mark.parametrize("who", CALLERS[1:])
@pytest.mark.parametrize(
    ("opened_by", "calls"), [(init, CHUNKED), (presign, PRESIGNED)], ids=["in chunks", "presigned"]
)
def test_an_accounts_upload_is_unknown_to_everyone_else(
    service: UploadService, owner: Person, opened_by: Callable[[httpx.Client], str], calls: Any, who: str
) -> None:
    upload_id = opened_by(service.client(owner))
    other = service.caller(who, owner)
    for method, path in calls:
        answer = call(other, method, path.format(id=upload_id))
        unknown = call(other, method, path.format(id=uuid4().hex))
        assert (answer.status_code, answer.json()) == (404, NO_SESSION), path
        assert (unknown.status_code, unknown.json()) == (404, NO_SESSION), path
    assert service.ask("select state, owner from upload_session where id = %s", UUID(upload_id)) == [("open", owner.id)]
    assert service.ask("select 1 from part where session_id = %s", UUID(upload_id)) == []


def test_an_account_continues_its_upload(service: UploadService, owner: Person) -> None:
    content = secrets.token_bytes(2 * CHUNK)
    upload_id = init(service.client(owner), content)
    # from wherever it is signed in
    for index in range(2):
        assert send(service.client(owner), upload_id, index, content).status_code == 200
    assert detail(service.client(owner).get(f"/chunk/upload/status/{upload_id}"))["uploaded_chunks"] == [0, 1]
    assert detail(complete(service.client(owner), upload_id))["name"] == "a.bin"
    assert service.share.made[-1]["owner"] == owner.id.hex
    assert service.share.made[-1]["form"] == "code"
    file_id = UUID(service.share.made[-1]["file_id"])
    service.run(lambda context: verification.verify_upload(context, UUID(upload_id)))
    assert service.client(owner).get(f"/v1/files/{file_id}").json()["sha256"] == sha256(content).hexdigest()


def test_an_account_aborts_its_upload(service: UploadService, owner: Person) -> None:
    before = service.left()
    for upload_id, path in (
        (init(service.client(owner)), "/chunk/upload"),
        (presign(service.client(owner)), "/presign/upload"),
    ):
        assert service.client(owner).delete(f"{path}/{upload_id}").status_code == 200
    assert service.left() == before


def test_a_presigned_upload_and_a_form_carry_the_owner(service: UploadService, owner: Person) -> None:
    client = service.client(owner)
    files = {"file": ("a.bin", b"12345")}
    detail(client.put(f"/presign/upload/proxy/{presign(client)}", files=files))
    detail(client.post("/share/file/", files=files))
    for made in service.share.made[-2:]:
        assert made["owner"] == owner.id.hex
        assert service.ask("select owner from file where id = %s", made["file_id"]) == [(owner.id,)]
    assert len(client.get("/v1/files").json()["files"]) == 2


@pytest.mark.parametrize("authorization", ["Bearer null", "Bearer", "nonsense", "Basic eDp5", "Bearer a.b.c", ""])
def test_a_bad_header_is_nobody(service: UploadService, authorization: str) -> None:
    client = service.client()
    client.headers["Authorization"] = authorization
    content = secrets.token_bytes(2 * CHUNK)
    upload_id = init(client, content)
    for index in range(2):
        assert send(client, upload_id, index, content).status_code == 200
    detail(complete(client, upload_id))
    assert service.share.made[-1]["owner"] is None


@pytest.mark.parametrize("who", CALLERS)
def test_nobodys_upload_is_continued_by_whoever_knows_its_id(service: UploadService, owner: Person, who: str) -> None:
    content = secrets.token_bytes(2 * CHUNK)
    upload_id = init(service.client(), content)
    client = service.caller(who, owner)
    assert send(client, upload_id, 0, content).status_code == 200
    assert send(service.client(), upload_id, 1, content).status_code == 200
    detail(complete(client, upload_id))
    assert service.share.made[-1]["owner"] is None


def test_nobody_resumes_anothers_upload_of_the_same_content(service: UploadService, owner: Person) -> None:
    content = secrets.token_bytes(2 * CHUNK)
    callers = [service.client(owner), service.client(service.auth.sign_up()), service.client()]
    first = [init(client, content) for client in callers]
    assert len({*first}) == 3
    assert send(callers[0], first[0], 0, content).status_code == 200
    assert [init(client, content) for client in callers] == first
    for client, upload_id, stored in zip(callers, first, [[0], [], []], strict=True):
        assert detail(client.get(f"/chunk/upload/status/{upload_id}"))["uploaded_chunks"] == stored


# --- what share and auth ask


def test_internal_calls_are_for_those_who_need_them(service: UploadService, owner: Person) -> None:
    file_id = service.own_file(owner)
    calls: list[tuple[str, str, Any, str]] = [
        ("POST", f"/internal/files/{file_id}/download", {"method": "GET"}, "share"),
        ("POST", f"/internal/files/{file_id}/password", None, "share"),
        ("POST", f"/internal/files/{file_id}/adopt", {"owner": owner.id.hex}, "share"),
        ("DELETE", f"/internal/accounts/{uuid4()}", None, "auth"),
        ("POST", "/internal/files/release", {"file_ids": [file_id]}, "share"),
    ]
    for method, path, body, allowed in calls:
        assert httpx.request(method, service.url + path, json=body).status_code == 401
        assert service.client(owner).request(method, path, json=body).status_code == 401
        for other in {"auth", "share", "chat"} - {allowed}:
            assert service.internal(method, path, body, other).status_code == 403
        assert service.internal(method, path, body, allowed).status_code == 200


def adopt(service: UploadService, file_id: str, owner: Person) -> int:
    return service.internal("POST", f"/internal/files/{file_id}/adopt", {"owner": owner.id.hex}).status_code


def test_only_what_is_nobodys_is_adopted(service: UploadService, owner: Person) -> None:
    file_id = service.own_file(None)
    assert adopt(service, file_id, owner) == 200
    assert adopt(service, file_id, owner) == 200
    assert adopt(service, file_id, service.auth.sign_up()) == 409
    assert [file["id"] for file in service.client(owner).get("/v1/files").json()["files"]] == [file_id]
    assert adopt(service, str(uuid4()), owner) == 404
    over = service.own_file(None)
    service.ask("update file set expires_at = now() where id = %s", over)
    assert adopt(service, over, owner) == 404
    for body in ({}, {"owner": None}, {"owner": "x"}):
        assert service.internal("POST", f"/internal/files/{file_id}/adopt", body).status_code == 422


def test_of_two_who_adopt_at_once_one_does(service: UploadService) -> None:
    accounts = [service.auth.sign_up() for _ in range(6)]
    for _ in range(5):
        file_id = service.own_file(None)
        with ThreadPoolExecutor(len(accounts)) as adopting:
            answers = list(adopting.map(partial(adopt, service, file_id), accounts))
        assert sorted(answers) == [200] + [409] * 5
        winner = accounts[answers.index(200)]
        assert service.ask("select owner from file where id = %s", file_id) == [(winner.id,)]


def erase(service: UploadService, account: Person) -> None:
    assert service.internal("DELETE", f"/internal/accounts/{account.id}", service="auth").status_code == 200


def test_an_erased_account_leaves_nothing(service: UploadService, owner: Person) -> None:
    service.sweep()
    before = service.left()
    other, content = service.auth.sign_up(), secrets.token_bytes(100)
    kept = {service.own_file(other, content), service.own_file(None, content)}
    gone = {service.own_file(owner, content), service.own_file(owner)}
    upload_id, kept_upload = init(service.client(owner)), init(service.client(other))
    proxied = presign(service.client(owner))
    assert send(service.client(owner), upload_id, 0).status_code == 200
    for _ in range(2):
        erase(service, owner)
        assert service.client(owner).get("/v1/files").json()["files"] == []
        for file_id in gone:
            answer = service.internal("POST", f"/internal/files/{file_id}/download", {"method": "GET"})
            assert answer.status_code == 404
    assert send(service.client(owner), upload_id, 1).status_code == 404
    assert complete(service.client(owner), upload_id).status_code == 404
    files = {"file": ("a", b"12345")}
    assert service.client(owner).put(f"/presign/upload/proxy/{proxied}", files=files).status_code == 404
    service.sweep()
    service.sweep()
    assert {str(file_id) for file_id in service.share.ended} >= gone
    assert not kept & {str(file_id) for file_id in service.share.ended}
    left = service.left() - before
    assert {name.partition(" ")[2] for name in left if name.startswith("file")} == kept
    assert [name for name in left if name.startswith("session")] == [f"session {UUID(kept_upload)}"]
    assert len([name for name in left if name.startswith("object")]) == 1
    # and what comes after all is taken by the next call
    late = service.own_file(owner)
    erase(service, owner)
    service.sweep()
    assert service.ask("select 1 from file where id = %s", late) == []
    service.client(other).delete(f"/chunk/upload/{kept_upload}")


class Held:
    """A body that stops in its middle until it may go on."""

    def __init__(self, head: bytes, size: int, tail: bytes) -> None:
        self._head, self._size, self._tail = head, size, tail
        self.may_go_on = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        yield bytes(self._size // 2)
        assert self.may_go_on.wait(20)
        yield bytes(self._size - self._size // 2)
        yield self._tail


@pytest.mark.parametrize("size", [50_000, 12_000_000])
@pytest.mark.parametrize("path", ["/api/upload/private", "/share/file/"])
def test_a_stream_of_an_account_that_is_erased_meanwhile_leaves_nothing(
    service: UploadService, owner: Person, path: str, size: int
) -> None:
    before, made = service.left(), len(service.share.made)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    body = Held(head, size, tail)
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(len(head) + size + len(tail)),
    }
    with ThreadPoolExecutor(1) as uploading:
        answer = uploading.submit(service.client(owner).post, path, content=iter(body), headers=headers)
        _await(service, "select 1 from upload_session join part on session_id = id where owner = %s", owner.id)
        erase(service, owner)
        # A sweep that comes while somebody still writes leaves it to the next.
        service.sweep()
        body.may_go_on.set()
    assert answer.result().status_code == 404, answer.result().text
    assert set(answer.result().json()) & {"detail", "message"}
    service.sweep()
    assert service.left() == before
    assert len(service.share.made) == made


def test_a_chunk_of_an_account_that_is_erased_meanwhile_leaves_nothing(service: UploadService, owner: Person) -> None:
    before = service.left()
    upload_id = init(service.client(owner))
    body = Held(b"", CHUNK, b"")
    with ThreadPoolExecutor(1) as sending:
        path = f"/chunk/upload/chunk/{upload_id}/0"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(CHUNK)}
        answer = sending.submit(service.client(owner).post, path, content=iter(body), headers=headers)
        _await(service, "select 1 from part where session_id = %s", UUID(upload_id))
        erase(service, owner)
        service.sweep()
        body.may_go_on.set()
    assert answer.result().status_code == 404, answer.result().text
    service.sweep()
    assert service.left() == before


def _await(service: UploadService, statement: str, *values: object) -> None:
    until = time.monotonic() + 10
    while not service.ask(statement, *values):
        assert time.monotonic() < until
        time.sleep(0.01)
