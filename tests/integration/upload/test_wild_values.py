"""No value in any field makes the upload service fail."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.running_upload import UploadService, running_upload_service
from tests.integration.wild import BYTES, EXAMPLES, HEADER_VALUES, Call, native_calls, send, wild_requests
from upload_service.app import create_app
from upload_service.settings import UploadSettings

NOWHERE = dict.fromkeys(
    ("database_url", "valkey_url", "broker_url", "s3_endpoint", "auth_url", "share_url", "chat_url"),
    "redis://127.0.0.1:1",
)
SECRETS = {"s3_access_key": "a", "s3_secret_key": "b", "service_secret": "s" * 32, "mirror_key": "0" * 64}
NATIVE = native_calls(create_app(UploadSettings.model_validate({**NOWHERE, **SECRETS, "s3_bucket": "b"})).openapi())
BOTH = ("json", "form")
EXPIRY: dict[str, Any] = {"expire_value": 1, "expire_style": "day"}
CHUNKED = {"file_name": "a", "file_size": 5, "chunk_size": 5, "file_hash": "0" * 64}
MIRRORACE = {"api_key": "a" * 32, "api_token": "b" * 32, "url": "http://127.0.0.1/", "mirrors[]": 1}
DIALECTS = [
    Call("POST", "/chunk/upload/init/", CHUNKED, encodings=BOTH),
    Call("POST", "/chunk/upload/complete/{upload}", EXPIRY, encodings=BOTH),
    Call("POST", "/chunk/upload/chunk/{upload}/{index}"),
    Call("GET", "/chunk/upload/status/{upload}"),
    Call("DELETE", "/chunk/upload/{upload}"),
    Call("POST", "/presign/upload/init", {"file_name": "a", "file_size": 5, **EXPIRY}, encodings=BOTH),
    Call("GET", "/presign/upload/status/{upload}"),
    Call("POST", "/presign/upload/confirm/{upload}"),
    Call("PUT", "/presign/upload/proxy/{upload}"),
    Call("POST", "/api/v1/file/upload", MIRRORACE, encodings=("form",)),
    Call("POST", "/api/v1/upload/remote", MIRRORACE, encodings=("form",)),
    Call("GET", "/"),
    Call("PUT", "/{name}"),
]
FORMS = {
    "/": ("expire_after", "max_downloads", "password"),
    "/share/file/": ("expire_value", "expire_style"),
    "/api/upload": ("group",),
    "/api/upload/private": ("group",),
    "/api/upload_file": ("room_id",),
    "/api/v1/upload": ("api_key", "api_token", "cTracker", "upload_key", "mirrors[]", "file_password"),
}


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service:
        yield service


@pytest.fixture(scope="module")
def administrator(service: UploadService) -> Person:
    return service.auth.administrator()


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("call", [*NATIVE, *DIALECTS], ids=str)
def test_no_value_is_too_wild(service: UploadService, administrator: Person, call: Call, data: Any) -> None:
    send(service.client(administrator), data.draw(wild_requests(call)))


@EXAMPLES
@given(header=st.sampled_from(["Expire-After", "Max-Days", "Max-Downloads", "X-Share-Password"]), value=HEADER_VALUES)
def test_no_header_of_a_sent_file_is_too_wild(service: UploadService, header: str, value: bytes) -> None:
    answer = service.client().put("/a", content=b"1", headers=[(header.encode(), value)])
    assert answer.status_code < 500, answer.text


@EXAMPLES
@given(value=BYTES, style=BYTES)
def test_no_expiry_is_too_wild_for_a_complete_upload(service: UploadService, value: bytes, style: bytes) -> None:
    client = service.client()
    asked = {**CHUNKED, "file_name": secrets.token_hex(8), "file_size": 0, "file_hash": "0" * 64}
    upload = client.post("/chunk/upload/init/", json=asked).json()["detail"]["upload_id"]
    body = {"expire_value": value, "expire_style": style}
    assert client.post(f"/chunk/upload/complete/{upload}", data=body).status_code < 500


@EXAMPLES
@given(name=BYTES, values=st.lists(BYTES, min_size=6, max_size=6), range_=BYTES)
@pytest.mark.parametrize("path", FORMS)
def test_no_field_of_a_form_with_a_file_is_too_wild(
    service: UploadService, administrator: Person, path: str, name: bytes, values: list[bytes], range_: bytes
) -> None:
    file = "files" if path.startswith("/api/v1") else "file"
    fields = [(field, b"", value) for field, value in zip(FORMS[path], values, strict=False)]
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="' + field.encode() + b'"' + more + b"\r\n\r\n" + value + b"\r\n"
        for field, more, value in [*fields, (file, b'; filename="' + name + b'"', b"content")]
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Range": repr(range_[:100])}
    answer = service.client(administrator).post(path, content=b"".join(parts) + b"--x--\r\n", headers=headers)
    assert answer.status_code < 500, answer.text
