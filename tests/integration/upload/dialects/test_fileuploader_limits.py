"""File Uploader's upload where limits are narrow, guests may not upload, and the system knows its own address."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.contract.fileuploader import wire
from tests.integration.upload.running_upload import UploadService, running_upload_service

PATHS = ("/api/upload", "/api/upload/private")


def post(client: httpx.Client, name: str = "a.txt", path: str = PATHS[0], **query: str) -> httpx.Response:
    return wire.post(client, b"content", name, path=path, **query)


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    changes = {"file_uploader_uploads_per_minute": 2, "public_url": "https://files.example.org/"}
    with running_upload_service(make_database, engines, {"open_upload": False}, **changes) as service:
        yield service


def throttled(answer: httpx.Response) -> None:
    assert answer.status_code == 429, answer.text
    body = answer.json()
    assert body["error"] == "Rate limit exceeded: 2 per 1 minute"
    assert body["status"] == "error"
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_uploads_are_limited_by_address_and_refused_ones_do_not_count(service: UploadService) -> None:
    account = service.auth.sign_up()
    client = service.client(account)
    refusals: list[Callable[[], httpx.Response]] = [
        lambda: post(client, name="README"),
        lambda: post(client, max_uses="x"),
        lambda: post(client, path="/api/upload/17"),
        lambda: client.post(PATHS[0]),
    ]
    for refusal in refusals * 2:
        assert refusal().status_code in (400, 404)
    service.share.is_down = True
    assert post(client).status_code == 503
    service.share.is_down = False
    for path in PATHS:
        wire.succeeded(post(client, path=path))
    for path in PATHS:
        with service.nothing_left():
            throttled(post(client, path=path))
    wire.succeeded(post(service.client(account)))


def test_uploads_at_once_do_not_slip_past_the_limit(service: UploadService) -> None:
    client = service.client(service.auth.sign_up())
    with ThreadPoolExecutor(8) as uploading:
        answers = list(uploading.map(lambda _: post(client), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [429] * 6
    throttled(next(answer for answer in answers if answer.status_code == 429))


def test_links_name_the_address_that_is_configured(service: UploadService) -> None:
    body = wire.succeeded(post(service.client(service.auth.sign_up())))
    assert body["file_url_full"] == f"https://files.example.org/file/{body['file_url']}"


def test_where_guests_may_not_upload_accounts_may(service: UploadService) -> None:
    with service.nothing_left():
        for path in PATHS:
            answer = post(service.client(), path=path)
            assert answer.status_code == 401
            assert answer.json()["auth_error"]["errorId"] == -1
        box = service.client().post("/share/file/", files={"file": ("a.txt", b"x")})
        assert (box.status_code, set(box.json())) == (403, {"detail"})
    account = service.auth.sign_up()
    box = service.client(account).post("/share/file/", files={"file": ("a.txt", b"x")})
    assert box.status_code == 200, box.text
    assert service.share.made[-1]["owner"] == account.id.hex
