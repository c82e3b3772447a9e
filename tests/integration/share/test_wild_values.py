"""No value in any field makes the share service fail."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from share_service.app import create_app
from share_service.settings import ShareSettings
from tests.integration.share.running_share import Account, ShareService
from tests.integration.wild import EXAMPLES, Call, native_calls, send, wild_requests

NOWHERE = dict.fromkeys(("database_url", "valkey_url", "auth_url", "upload_url", "chat_url"), "redis://127.0.0.1:1")
SETTINGS = ShareSettings.model_validate({**NOWHERE, "service_secret": "s" * 32, "download_key_secret": "s" * 32})
NATIVE = native_calls(create_app(SETTINGS).openapi())
BOTH = ("json", "form")
SENT = {"items": [{"text": "a"}, {"name": "b", "size": 1}], "title": "t", "message": "m", "expire_value": 1}
MIRRORACE = {"api_key": "a" * 32, "api_token": "b" * 32, "slugs[]": "a"}
DIALECTS = [
    Call("POST", "/v1/shares", SENT, headers={"Idempotency-Key": "a"}),
    Call("POST", "/"),
    Call("POST", "/share/text/", {"text": "t", "expire_value": 1, "expire_style": "day"}, encodings=BOTH),
    Call("POST", "/share/select/", {"code": "AAAAA", "password": "p"}, encodings=BOTH),
    Call("POST", "/share/metadata/", {"code": "AAAAA", "password": "p"}, encodings=BOTH),
    Call("GET", "/share/select/", query=("code",)),
    Call("GET", "/share/metadata/", query=("code",)),
    Call("GET", "/share/download", query=("code", "key")),
    Call("GET", "/f/{link}"),
    Call("GET", "/api/delete/{link}", query=("key",)),
    Call("GET", "/api/get_files/{group}"),
    Call("POST", "/api/transfer", {"data": [{"file_url": "a", "key": "b"}]}),
    Call("POST", "/api/v1/file/info", MIRRORACE, encodings=("form",)),
    Call("GET", "/c/{code}"),
    Call("DELETE", "/c/{code}/{key}"),
    Call("GET", "/m/{slug}"),
    Call("POST", "/m/{slug}", {"password": "p"}, encodings=("form",)),
]


@pytest.fixture(scope="module")
def account(service: ShareService) -> Account:
    return service.sign_up()


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("call", [*NATIVE, *DIALECTS], ids=str)
def test_no_value_is_too_wild(service: ShareService, account: Account, call: Call, data: Any) -> None:
    client: httpx.Client = service.client(account=account)
    send(client, data.draw(wild_requests(call)))
