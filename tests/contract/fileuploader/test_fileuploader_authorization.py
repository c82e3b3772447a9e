"""Section 1.1 of File Uploader's document, for every call that needs a token."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contract.fileuploader import wire
from tests.contract.fileuploader.conftest import ForgeToken
from tests.contract.fileuploader.wire import bearer, unauthorized

CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/api/get_files", None),
    ("GET", "/api/getFiles", None),
    ("GET", "/api/get_files/private", None),
    ("GET", "/api/get_files/17", None),
    ("GET", "/api/get_groups", None),
    ("GET", "/api/login/token", None),
    ("POST", "/api/transfer", {"data": []}),
    # Without a body: on a shared host a JSON body makes it Mirage's call.
    ("POST", "/api/logout", None),
    ("POST", "/api/upload/17", None),
]
OF_EACH_SERVICE = [CALLS[0], CALLS[5], *CALLS[7:]]
"""Of share, of auth, of auth if the header is not Mirage's, and of upload."""


def ask(uploader: httpx.Client, call: tuple[str, str, Any], authorization: str | None) -> httpx.Response:
    """Make one of the calls, with the given Authorization header or without one."""
    method, path, body = call
    headers = {} if authorization is None else {"Authorization": authorization}
    if path.startswith("/api/upload"):
        return uploader.post(path, files={"file": ("a.txt", b"x")}, headers=headers)
    return uploader.request(method, path, json=body, headers=headers)


def refused_by_all(uploader: httpx.Client, authorization: str | None, code: int) -> None:
    for call in CALLS:
        unauthorized(ask(uploader, call, authorization), code)


def refused_by_each_service(uploader: httpx.Client, authorization: str, code: int) -> None:
    """A service judges the header in one place for all of its calls. That all of them do is shown by those above."""
    for call in OF_EACH_SERVICE:
        unauthorized(ask(uploader, call, authorization), code)


@pytest.mark.parametrize("authorization", [None, ""])
def test_a_call_without_a_header_is_refused(uploader: httpx.Client, authorization: str | None) -> None:
    refused_by_all(uploader, authorization, -1)


@pytest.mark.parametrize("authorization", ["Bearer", "a.b.c", "Bearer a b", "Token a.b.c", "Basic dTpw"])
def test_a_header_of_another_form_is_refused(uploader: httpx.Client, authorization: str) -> None:
    refused_by_each_service(uploader, authorization, -2)


def test_an_expired_token_is_refused(uploader: httpx.Client, sign_token: ForgeToken) -> None:
    over = int(time.time()) - 1
    refused_by_all(uploader, f"Bearer {sign_token(exp=over, ExpiresAt=over)}", -3)


def altered(token: str, part: int, **changes: object) -> str:
    """The token with other values in its header (0) or payload (1), and its old signature."""
    parts = token.split(".")
    values = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    parts[part] = base64.urlsafe_b64encode(json.dumps(values | changes).encode()).rstrip(b"=").decode()
    return ".".join(parts)


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: "null",
        lambda _: "undefined",
        lambda _: "a.b.c",
        lambda token: token[:-4] + "AAAA",
        lambda token: altered(token, 1, sub="0" * 32, user_id="0" * 32),
        lambda token: altered(token, 0, alg="none").rpartition(".")[0] + ".",
        lambda token: altered(token, 0, alg="HS256"),
        lambda token: altered(token, 0, kid="0123456789abcdef"),
        lambda token: altered(token, 0, kid={"a": 1}),
        lambda _: "x" * 20_000,
    ],
    ids=["null", "undefined", "nonsense", "signature", "payload", "none", "algorithm", "key", "object", "long"],
)
def test_a_token_that_cannot_be_decoded_is_refused(
    uploader: httpx.Client, sign_token: ForgeToken, forge: Callable[[str], str]
) -> None:
    refused_by_each_service(uploader, f"Bearer {forge(sign_token())}", -4)


def test_a_token_without_a_session_is_refused(uploader: httpx.Client, sign_token: ForgeToken) -> None:
    refused_by_all(uploader, f"Bearer {sign_token()}", -5)


def test_a_token_contains_its_expiry_for_the_page(uploader: httpx.Client) -> None:
    for bot, lifetime in ((None, 432_000), ("false", 432_000), ("true", 15_552_000), ("True", 15_552_000)):
        token = wire.register(uploader, bot=bot)
        # The page also decodes the middle part, which is base64 with or without padding.
        payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert isinstance(payload["ExpiresAt"], int | float)
        assert abs(payload["ExpiresAt"] - time.time() - lifetime) < 60
        assert payload["user_id"]


def test_several_tokens_of_one_account_live_side_by_side(uploader: httpx.Client) -> None:
    name = wire.new_name()
    tokens = [wire.register(uploader, name)]
    for _ in range(2):
        answer = uploader.post("/api/login", json={"username": name, "password": wire.PASSWORD})
        tokens.append(wire.succeeded(answer)["accessToken"])
    assert len(set(tokens)) == 3
    for token in tokens:
        assert wire.listed(uploader, token) == []
    wire.succeeded(uploader.post("/api/logout", json={}, headers=bearer(tokens[0])))
    unauthorized(uploader.get("/api/get_files", headers=bearer(tokens[0])), -5)
    assert wire.listed(uploader, tokens[1]) == []
