"""FileCodeBox's uploads: what clients send that is not quite what its document says."""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from common import clock
from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.running_upload import UploadService, running_upload_service


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service:
        yield service


@pytest.fixture
def client(service: UploadService) -> httpx.Client:
    return service.client()


def detail(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()["detail"]


def begin(client: httpx.Client, content: bytes, file_hash: str, name: str = "a.bin") -> str:
    asked = {"file_name": name, "file_size": len(content), "chunk_size": len(content), "file_hash": file_hash}
    return detail(client.post("/chunk/upload/init/", json=asked))["upload_id"]


@pytest.mark.parametrize("file_hash", ["", "abc", "undefined", "g" * 64, hashlib.md5(b"other").hexdigest(), "é" * 40])
def test_a_file_hash_that_is_no_sha256_claims_nothing(client: httpx.Client, file_hash: str) -> None:
    content = secrets.token_bytes(100)
    upload_id = begin(client, content, file_hash, secrets.token_hex(4))
    detail(client.post(f"/chunk/upload/chunk/{upload_id}/0", files={"chunk": content}))
    asked = {"expire_value": "1.0", "expire_style": "day"}
    assert detail(client.post(f"/chunk/upload/complete/{upload_id}/", data=asked))["code"]


@pytest.mark.parametrize("file_hash", ["", "undefined"])
def test_files_without_a_hash_are_never_taken_for_one_another(client: httpx.Client, file_hash: str) -> None:
    assert begin(client, b"mine!", file_hash) != begin(client, b"yours", file_hash)


def test_a_file_is_resumed_by_any_digest(client: httpx.Client) -> None:
    digest = secrets.token_hex(16)
    assert begin(client, b"mine!", digest) == begin(client, b"mine!", digest)


def test_an_expiry_that_nobody_filled_in_is_a_day(service: UploadService, client: httpx.Client) -> None:
    empty = {"expire_value": "", "expire_style": ""}
    detail(client.post("/share/file/", data=empty, files={"file": ("a.bin", b"content")}))
    asked = {"file_name": "a.bin", "file_size": 7, **empty}
    begun = detail(client.post("/presign/upload/init", data=asked))
    detail(client.put(begun["upload_url"], files={"file": ("a.bin", b"content")}))
    for made in service.share.made[-2:]:
        left = datetime.fromisoformat(made["expires_at"]) - clock.now()
        assert timedelta(hours=23) < left <= timedelta(days=1)
        assert made["uses"] is None


def test_completing_needs_an_expiry(client: httpx.Client) -> None:
    content = secrets.token_bytes(10)
    upload_id = begin(client, content, "")
    answer = client.post(f"/chunk/upload/complete/{upload_id}", data={"expire_value": "", "expire_style": ""})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "missing"


def test_a_second_file_in_one_form_is_refused(service: UploadService, client: httpx.Client) -> None:
    files = [("file", ("a.bin", b"first")), ("file", ("b.bin", b"second"))]
    with service.nothing_left():
        answer = client.post("/share/file/", files=files)
        assert (answer.status_code, answer.json()) == (400, {"detail": "Only one file can be uploaded at a time"})
