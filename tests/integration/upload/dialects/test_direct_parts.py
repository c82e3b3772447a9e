"""Direct parts: what their addresses can be used for, and what becomes of the upload. `tests/e2e` has the gateway."""

import asyncio
import hashlib
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.content import files, verification
from upload_service.context import Context

MIB = 1024 * 1024
PART = 5 * MIB


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service, Verifying(service):
        yield service


class Verifying(threading.Thread):
    """A worker that verifies what is complete, until the block ends."""

    def __init__(self, service: UploadService) -> None:
        super().__init__(daemon=True)
        self._service, self._ends = service, threading.Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self.join(20)

    def run(self) -> None:
        self._service.run(self._verify)

    async def _verify(self, context: Context) -> None:
        while not self._ends.is_set():
            async with context.db.connection() as connection:
                cursor = await connection.execute("select id from upload_session where state = 'assembling'")
                found = await cursor.fetchall()
            for (session_id,) in found:
                await verification.verify_upload(context, session_id)
            await asyncio.sleep(0.05)


@pytest.fixture
def client(service: UploadService) -> httpx.Client:
    return service.client()


def begun(client: httpx.Client, size: int, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/uploads/direct", json={"size": size, "part_size": PART, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def addresses(client: httpx.Client, upload_id: str, *numbers: int) -> list[str]:
    answer = client.post(f"/v1/uploads/{upload_id}/parts", json={"numbers": numbers})
    assert answer.status_code == 200, answer.text
    return [part["url"] for part in answer.json()["parts"]]


def put(service: UploadService, url: str, content: bytes) -> int:
    """Send a part as the gateway passes it on; the store's status."""
    path = url.removeprefix(f"{service.url}/direct")
    assert path != url
    return httpx.put(service.settings.s3_endpoint + path, content=content).status_code


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def content_of(service: UploadService, file_id: str) -> bytes:
    paths: list[str] = []

    async def locate(context: Context) -> None:
        paths.append((await files.open_download(context, UUID(file_id), "GET")).stored_at.path)

    service.run(locate)
    return httpx.get(service.settings.s3_endpoint + paths[0]).content


def test_a_file_in_parts(service: UploadService, client: httpx.Client) -> None:
    assert client.options("/v1/uploads").headers["Waystation-Direct-Parts"] == "?1"
    content = secrets.token_bytes(2 * PART + 3)
    upload = begun(client, len(content), name="a.bin", share="link", sha256=hashlib.sha256(content).hexdigest())
    assert (upload["part_size"], upload["part_count"]) == (PART, 3)
    pieces = [content[at : at + PART] for at in range(0, len(content), PART)]
    urls = addresses(client, upload["id"], 1, 2, 3)
    refused(client.post(f"/v1/uploads/{upload['id']}/complete"), 409, "chunks_missing")
    with ThreadPoolExecutor(3) as sending:
        assert list(sending.map(lambda pair: put(service, *pair), zip(urls, pieces, strict=True))) == [200] * 3
    stored = client.get(f"/v1/uploads/{upload['id']}/parts").json()["parts"]
    assert [(part["number"], part["size"]) for part in stored] == [(1, PART), (2, PART), (3, 3)]
    assert all(part["etag"] for part in stored)
    done = client.post(f"/v1/uploads/{upload['id']}/complete")
    assert done.status_code == 200, done.text
    assert done.json() == client.post(f"/v1/uploads/{upload['id']}/complete").json()
    assert done.json()["url"] == f"{service.url}/f/{done.json()['code']}"
    assert content_of(service, done.json()["file"]) == content
    # After completion no address is given any more, and the old ones lead nowhere.
    refused(client.post(f"/v1/uploads/{upload['id']}/parts", json={"numbers": [1]}), 409, "conflict")
    assert put(service, urls[0], pieces[0]) in (403, 404)
    assert content_of(service, done.json()["file"]) == content


def test_an_address_is_for_one_part_of_one_size(service: UploadService, client: httpx.Client) -> None:
    upload = begun(client, 2 * PART)
    [first] = addresses(client, upload["id"], 1)
    part = secrets.token_bytes(PART)
    for length in (0, PART - 1, PART + 1):
        assert put(service, first, (part + b"1")[:length]) == 403
    assert put(service, first.replace("partNumber=1", "partNumber=2"), part) == 403
    for stranger in (first.replace("/direct/", "/direct/x"), first.replace("Expires=900", "Expires=9000")):
        assert put(service, stranger, part) == 403
    assert client.get(f"/v1/uploads/{upload['id']}/parts").json() == {"parts": []}
    assert put(service, first, part) == 200
    # A part may be sent again; the last one counts.
    other = secrets.token_bytes(PART)
    assert put(service, first, other) == 200
    assert put(service, addresses(client, upload["id"], 2)[0], part) == 200
    done = client.post(f"/v1/uploads/{upload['id']}/complete")
    assert content_of(service, done.json()["file"]) == other + part


def test_content_that_is_not_what_was_said(service: UploadService, client: httpx.Client) -> None:
    made = len(service.share.made)
    upload = begun(client, 3, sha256=hashlib.sha256(b"123").hexdigest())
    assert put(service, addresses(client, upload["id"], 1)[0], b"124") == 200
    refused(client.post(f"/v1/uploads/{upload['id']}/complete"), 400, "digest_mismatch")
    assert len(service.share.made) == made


def test_abortion_and_rights(service: UploadService, client: httpx.Client) -> None:
    owner = service.auth.sign_up()
    mine = service.client(owner)
    upload = begun(mine, 3)
    [url] = addresses(mine, upload["id"], 1)
    for who in ("nobody", "stranger", "administrator"):
        other = service.caller(who, owner)
        for method, path in (("POST", "parts"), ("GET", "parts"), ("POST", "complete"), ("DELETE", "parts")):
            body = {"numbers": [1]} if (method, path) == ("POST", "parts") else None
            refused(other.request(method, f"/v1/uploads/{upload['id']}/{path}", json=body), 404, "session_not_found")
    assert put(service, url, b"123") == 200
    assert mine.delete(f"/v1/uploads/{upload['id']}/parts").status_code == 204
    assert put(service, url, b"123") == 404
    refused(mine.get(f"/v1/uploads/{upload['id']}/parts"), 404, "session_not_found")
    # Uploads of other kinds are none of these.
    for other in (uuid4().hex, "x", client.post("/v1/uploads", headers={"Upload-Complete": "?0"}).headers["Location"]):
        refused(client.get(f"/v1/uploads/{other.rpartition('/')[2]}/parts"), 404, "session_not_found")


def test_no_other_protocol_goes_on_with_it(service: UploadService, client: httpx.Client) -> None:
    """The file of a complete one may be the content of an item, which its sender must not share in another way."""
    upload_id = begun(client, 3, password="right")["id"]
    assert put(service, addresses(client, upload_id, 1)[0], b"123") == 200

    def check() -> None:
        terms = {"expire_value": 1, "expire_style": "day"}
        for answer in (
            client.post(f"/chunk/upload/chunk/{upload_id}/0", files={"chunk": ("a", b"123")}),
            client.get(f"/chunk/upload/status/{upload_id}"),
            client.post(f"/chunk/upload/complete/{upload_id}", json=terms),
            client.delete(f"/chunk/upload/{upload_id}"),
        ):
            assert answer.status_code == 404, answer.text

    check()
    assert client.post(f"/v1/uploads/{upload_id}/complete").status_code == 200
    made = len(service.share.made)
    check()
    assert len(service.share.made) == made


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"size": 0}, 400),
        ({"size": 10, "part_size": 3}, 400),
        ({"size": 2**63 - 1}, 413),
        ({"size": 65 * MIB}, 413),
        ({"size": 1, "sha256": "x"}, 400),
        ({"size": 1, "name": "a\0"}, 400),
        ({"size": 1, "share": "none"}, 400),
        ({"size": 1, "other": 1}, 400),
        ({}, 400),
    ],
)
def test_what_is_refused_leaves_nothing(
    service: UploadService, client: httpx.Client, body: dict[str, Any], status: int
) -> None:
    with service.nothing_left():
        answer = client.post("/v1/uploads/direct", json=body)
        assert answer.status_code in (status, 422), answer.text


def test_numbers_that_are_none(service: UploadService, client: httpx.Client) -> None:
    upload = begun(client, 3)
    for numbers in ([0], [2], [10_001], [], [1] * 1001, ["x"]):
        answer = client.post(f"/v1/uploads/{upload['id']}/parts", json={"numbers": numbers})
        assert answer.status_code in (400, 422), answer.text
