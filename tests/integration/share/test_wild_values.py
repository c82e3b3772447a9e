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
DROP = {"title": "t", "greeting": "g", "size_limit": 1, "item_limit": 1, "share_limit": 1, "types": ["a"]}
BOTH = ("json", "form")
SENT = {"items": [{"text": "a"}, {"name": "b", "size": 1}], "title": "t", "message": "m", "expire_value": 1}
MIRRORACE = {"api_key": "a" * 32, "api_token": "b" * 32, "slugs[]": "a"}
DIALECTS = [
    Call("POST", "/v1/drops", DROP),
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
IDS, TIMES = ["0" * 32], {"expired_at": "2030-01-01T00:00", "expired_count": 1}
ADMINISTRATION = [
    *(call for call in NATIVE if call.path.startswith(("/v1/admin", "/v1/policy"))),
    Call(
        "GET", "/admin/file/list", query=("page", "size", "keyword", "status", "type", "health", "sortBy", "sortOrder")
    ),
    Call("GET", "/admin/file/detail", query=("id",)),
    Call("GET", "/admin/file/preview", query=("id", "maxChars")),
    Call("GET", "/admin/file/download", query=("id",)),
    Call("GET", "/admin/activities", query=("limit",)),
    Call("PATCH", "/admin/file/update", {"id": "0" * 32, "code": "AAAAA", "prefix": "a", "suffix": ".b", **TIMES}),
    Call("DELETE", "/admin/file/delete", {"id": "0" * 32}),
    Call("POST", "/admin/file/batch-delete", {"ids": IDS}),
    Call("POST", "/admin/file/batch-update", {"ids": IDS, "clearExpiredAt": False, **TIMES}),
    Call("POST", "/admin/file/policy-action", {"id": "0" * 32, "action": "extend_24h", "downloadLimit": 1}),
    Call("POST", "/admin/file/batch-policy-action", {"ids": IDS, "action": "reset_download_limit", "downloadLimit": 1}),
    Call("POST", "/admin/file/metadata", {"id": "0" * 32, "note": "n", "tags": ["t"]}),
    Call("POST", "/admin/file/view-presets", {"id": None, "name": "n", "filters": {"keyword": "k", "size": 10}}),
    Call("DELETE", "/admin/file/view-presets", {"id": 1}),
    Call("PATCH", "/admin/config/update", {"name": "n", "uploadSize": 1, "opacity": 0.5, "expireStyle": ["day"]}),
    Call(
        "PATCH", "/admin/config/update", {"adminSessionExpire": 86400, "storageLimit": 0, "allowed_file_types": ["*"]}
    ),
]


@pytest.fixture(scope="module")
def administrator(service: ShareService) -> Account:
    return service.administrator()


@pytest.fixture(scope="module")
def account(service: ShareService) -> Account:
    return service.sign_up()


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("call", [*NATIVE, *DIALECTS], ids=str)
def test_no_value_is_too_wild(service: ShareService, account: Account, call: Call, data: Any) -> None:
    client: httpx.Client = service.client(account=account)
    send(client, data.draw(wild_requests(call)))


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("call", ADMINISTRATION, ids=str)
def test_no_value_of_an_administrator_is_too_wild(
    service: ShareService, administrator: Account, call: Call, data: Any
) -> None:
    send(service.client(account=administrator), data.draw(wild_requests(call)))
