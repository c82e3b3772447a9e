"""File Uploader's section on accounts: register, log in, refresh, log out."""

import httpx
import pytest

from tests.contract.fileuploader import wire
from tests.contract.fileuploader.conftest import ForgeToken
from tests.contract.fileuploader.wire import bearer, refused, succeeded, unauthorized

BOTH = pytest.mark.parametrize("path", ["/api/register", "/api/login"])


def log_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    return client.post("/api/login", json={"username": name, "password": password})


def test_registering_and_logging_in_give_a_token(uploader: httpx.Client) -> None:
    asked = {"username": wire.new_name(), "password": wire.PASSWORD}
    registered = succeeded(uploader.post("/api/register", json=asked))
    assert registered["username"] == asked["username"]
    logged_in = succeeded(uploader.post("/api/login", json=asked), "logged in with password")
    assert logged_in["username"] == asked["username"]
    for body in (registered, logged_in):
        assert wire.listed(uploader, body["accessToken"]) == []


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"username":"a name"}',
        b'{"password":"a password"}',
        b'{"username":"","password":"x"}',
        b'{"username":"x","password":""}',
        b'{"username":null,"password":null}',
        b'{"username":1,"password":["x"]}',
        b"[]",
        b"null",
        b"",
        b"not json",
        b"\xff\xfe",
        b"username=a&password=b",
        wire.nested(10_000),
    ],
    ids=[
        "empty",
        "name",
        "password",
        "noname",
        "nopassword",
        "null",
        "types",
        "list",
        "nothing",
        "nobody",
        "text",
        "bytes",
        "form",
        "deep",
    ],
)
def test_missing_fields_are_refused(uploader: httpx.Client, path: str, body: bytes) -> None:
    refused(wire.send_raw(uploader, path, body), 400, "No username/password provided", 2)


def test_a_taken_name_is_reported_in_any_spelling(uploader: httpx.Client) -> None:
    name = wire.new_name()
    wire.register(uploader, name)
    for taken in (name, name.upper(), f" {name} ", name.replace("My", "\uff2dy")):
        answer = uploader.post("/api/register", json={"username": taken, "password": "another"})
        refused(answer, 400, "An account with this name is already registered", 1)


def test_a_wrong_password_and_an_unknown_name_get_different_errors(uploader: httpx.Client) -> None:
    name = wire.new_name()
    wire.register(uploader, name)
    refused(log_in(uploader, name, "wrong"), 400, "Wrong password", 3)
    refused(log_in(uploader, wire.new_name(), "wrong"), 404, "User not found", 4)


def test_a_password_of_a_megabyte_is_refused(uploader: httpx.Client) -> None:
    name = wire.new_name()
    wire.register(uploader, name)
    for path in ("/api/login", "/api/register"):
        answer = uploader.post(path, json={"username": name, "password": "x" * 1024 * 1024})
        assert answer.status_code in (400, 413)
        assert answer.json()["status"] == "error"


def test_a_token_logs_in_again(uploader: httpx.Client) -> None:
    name = wire.new_name()
    token = wire.register(uploader, name)
    body = succeeded(uploader.get("/api/login/token", headers=bearer(token)), "Logged in by token")
    assert body["username"] == name
    assert wire.listed(uploader, body["accessToken"]) == []


@pytest.mark.parametrize("prefix", ["", "Bearer "], ids=["bare", "Bearer"])
def test_a_refreshed_token_replaces_the_old_one(uploader: httpx.Client, prefix: str) -> None:
    token = wire.register(uploader, bot="true")
    answer = uploader.post("/api/refresh_token", json={"accessToken": prefix + token})
    new = succeeded(answer, "token refreshed")["accessToken"]
    assert wire.listed(uploader, new) == []
    unauthorized(uploader.get("/api/get_files", headers=bearer(token)), -5)
    unauthorized(uploader.post("/api/refresh_token", json={"accessToken": prefix + token}), -5)


@pytest.mark.parametrize("body", [b"{}", b'{"accessToken":null}', b'{"accessToken":""}', b"[]", b"", b"x"])
def test_refreshing_without_a_token_is_refused(uploader: httpx.Client, body: bytes) -> None:
    refused(wire.send_raw(uploader, "/api/refresh_token", body), 400, "No access token provided", 5)


def test_refreshing_an_invalid_token_is_an_authorization_error(uploader: httpx.Client, sign_token: ForgeToken) -> None:
    def refresh(token: object) -> httpx.Response:
        return uploader.post("/api/refresh_token", json={"accessToken": token})

    unauthorized(refresh("null"), -4)
    unauthorized(refresh("Bearer a b"), -2)
    unauthorized(refresh(sign_token()), -5)
    unauthorized(refresh(sign_token(exp=1, ExpiresAt=1)), -3)


@pytest.mark.parametrize(
    "body",
    [{"json": {}}, {"content": b"", "headers": {"Content-Type": "application/octet-stream"}}, {}],
    ids=["page", "library", "nothing"],
)
def test_logging_out_ends_that_token_only(uploader: httpx.Client, body: dict[str, object]) -> None:
    name = wire.new_name()
    token = wire.register(uploader, name)
    other = succeeded(log_in(uploader, name, wire.PASSWORD))["accessToken"]
    headers = {**bearer(token), **body.pop("headers", {})}  # type: ignore[dict-item]
    succeeded(uploader.post("/api/logout", headers=headers, **body), "logged out")  # type: ignore[arg-type]
    unauthorized(uploader.post("/api/logout", headers=bearer(token)), -5)
    assert wire.listed(uploader, other) == []
