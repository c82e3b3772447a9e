"""The account calls that File Uploader and Mirage both have, on the shared host and on the host of each."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of

PASSWORD = "correct horse battery"
NOTHING_FILLED = "I can't see a single field you filled"

At = Callable[[str], httpx.Client]


@pytest.fixture(scope="module")
def at(stack: StartedStack) -> Iterator[At]:
    """A function that gives a client which calls the system by a name."""
    clients: dict[str, httpx.Client] = {}
    with ExitStack() as opened:

        def client(host: str) -> httpx.Client:
            if host not in clients:
                clients[host] = opened.enter_context(client_of(stack, Host=host))
            return clients[host]

        yield client


@pytest.fixture
def shared(at: At) -> httpx.Client:
    return at("files.example.org")


@pytest.fixture
def mirage(at: At) -> httpx.Client:
    return at("mirage.example.org")


def new_user(**fields: Any) -> dict[str, Any]:
    name = f"user {secrets.token_hex(6)}"
    return {"username": name, "password": PASSWORD, **fields}


def new_mirage_user(**fields: Any) -> dict[str, Any]:
    return new_user(email=f"{secrets.token_hex(6)}@example.org", **fields)


def of_file_uploader(answer: httpx.Response) -> tuple[int, str, int | None]:
    """The parts of an error that a client of File Uploader reads."""
    body = answer.json()
    assert body["status"] == "error"
    return answer.status_code, body["message"], body.get("errorId")


# The host of all dialects.


def test_the_answer_to_a_login_serves_the_clients_of_both_dialects(shared: httpx.Client, mirage: httpx.Client) -> None:
    user = new_user()
    assert shared.post("/api/register", json=user).status_code == 200
    answer = shared.post("/api/login", json=user)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"status", "message", "username", "accessToken", "token"}
    assert (body["status"], body["username"]) == ("success", user["username"])
    claims = json.loads(base64.urlsafe_b64decode(body["accessToken"].split(".")[1] + "=="))
    assert isinstance(claims["ExpiresAt"], int)
    assert UUID(body["token"]).version == 4
    headers = {"Authorization": f"Bearer {body['accessToken']}"}
    assert shared.get("/api/get_files", headers=headers).status_code == 200
    assert mirage.post("/api/logout", json={"token": body["token"]}).status_code == 200


def test_login_errors_serve_the_clients_of_both_dialects(shared: httpx.Client) -> None:
    user = new_user()
    shared.post("/api/register", json=user)
    wrong = shared.post("/api/login", json={**user, "password": "wrong"})
    assert of_file_uploader(wrong) == (400, "Wrong password", 3)
    assert wrong.json()["error"] == "wrong password"
    unknown = shared.post("/api/login", json=new_user())
    assert of_file_uploader(unknown) == (404, "User not found", 4)
    assert unknown.json()["error"] == "user not found"
    nothing = shared.post("/api/login", json={"username": ""})
    assert of_file_uploader(nothing) == (400, "No username/password provided", 2)
    assert nothing.json()["error"] == NOTHING_FILLED


def test_a_registration_with_an_email_address_is_mirages_and_any_other_is_file_uploaders(shared: httpx.Client) -> None:
    theirs = shared.post("/api/register", json=new_mirage_user())
    assert (theirs.status_code, theirs.json()) == (201, {"message": "Welcome to MIRAGE"})
    ours = shared.post("/api/register", json=new_user())
    assert ours.status_code == 200
    assert set(ours.json()) == {"status", "message", "username", "accessToken"}
    empty = shared.post("/api/register", json=new_user(email=""))
    assert (empty.status_code, empty.json()) == (400, {"error": NOTHING_FILLED})


def test_a_logout_takes_the_token_from_the_header_or_the_body(shared: httpx.Client) -> None:
    user = new_user()
    shared.post("/api/register", json=user)
    body = shared.post("/api/login", json=user).json()
    headers = {"Authorization": f"Bearer {body['accessToken']}"}
    by_body = shared.post("/api/logout", json={"token": body["token"]})
    assert (by_body.status_code, by_body.json()) == (200, {"message": "logged out successfully"})
    assert shared.get("/api/login/token", headers=headers).status_code == 200
    by_header = shared.post("/api/logout", json={}, headers=headers)
    assert by_header.json() == {"status": "success", "message": "logged out"}
    again = shared.post("/api/logout", json={"token": body["token"]})
    assert (again.status_code, again.json()) == (401, {"error": "invalid token"})
    gone = shared.post("/api/logout", headers=headers)
    assert gone.status_code == 401
    assert gone.json()["auth_error"] == {"message": "Token not found", "errorId": -5}


@pytest.mark.parametrize("sent", [{}, {"token": None}, {"token": ""}, {"token": 7}, {"accessToken": "x"}])
def test_a_logout_with_a_body_without_a_token_is_mirages(shared: httpx.Client, sent: dict[str, object]) -> None:
    answer = shared.post("/api/logout", json=sent)
    assert (answer.status_code, answer.json()["error"]) == (400, "no token provided")
    if "token" not in sent:
        # A client of File Uploader that forgot the header finds what it reads, too.
        assert of_file_uploader(answer) == (400, "Auth error", None)
        assert answer.json()["auth_error"]["errorId"] == -1


def test_a_logout_without_a_json_body_or_a_header_is_file_uploaders(shared: httpx.Client) -> None:
    neither = shared.post("/api/logout", headers={"Content-Type": "application/octet-stream"})
    assert neither.status_code == 401
    assert neither.json()["auth_error"]["errorId"] == -1
    assert isinstance(neither.json()["error"], str)


def test_a_login_on_the_shared_host_replaces_mirages_token_alone(shared: httpx.Client, mirage: httpx.Client) -> None:
    user = new_user()
    shared.post("/api/register", json=user)
    own = mirage.post("/api/login", json=user).json()
    first, second = (shared.post("/api/login", json=user).json() for _ in range(2))
    for body in (own, first):
        ended = shared.post("/api/logout", json={"token": body["token"]})
        assert (ended.status_code, ended.json()) == (401, {"error": "invalid token"})
    assert shared.post("/api/logout", json={"token": second["token"]}).status_code == 200
    for body in (first, second):
        headers = {"Authorization": f"Bearer {body['accessToken']}"}
        assert shared.get("/api/login/token", headers=headers).status_code == 200


def test_an_account_is_the_same_in_all_dialects(at: At, shared: httpx.Client) -> None:
    user = new_mirage_user()
    assert at("mirage.example.org").post("/api/register", json=user).status_code == 201
    for host in ("files.example.org", "fileuploader.example.org", "mirage.example.org"):
        assert at(host).post("/api/login", json=user).status_code == 200
    answer = shared.post("/v1/auth/login", json={"name": user["username"], "password": PASSWORD})
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert shared.get("/v1/account", headers=headers).json()["email"] == user["email"]


# The host that speaks only File Uploader's dialect.


def test_file_uploaders_own_host_answers_in_its_dialect_only(at: At) -> None:
    client, user = at("fileuploader.example.org"), new_mirage_user()
    registered = client.post("/api/register", json=user)
    assert registered.status_code == 200
    assert set(registered.json()) == {"status", "message", "username", "accessToken"}
    assert set(client.post("/api/login", json=user).json()) == {"status", "message", "username", "accessToken"}
    wrong = client.post("/api/login", json={**user, "password": "wrong"})
    assert wrong.json() == {"status": "error", "message": "Wrong password", "errorId": 3}
    neither = client.post("/api/logout", json={"token": "x"})
    assert set(neither.json()) == {"status", "message", "auth_error"}


# The host that speaks only Mirage's dialect: its section on accounts, row by row.


def test_mirage_registers_without_a_token(mirage: httpx.Client) -> None:
    user = new_mirage_user(avatar_url="https://a.example/x.png", description="a few words")
    answer = mirage.post("/api/register", json=user)
    assert (answer.status_code, answer.json()) == (201, {"message": "Welcome to MIRAGE"})


@pytest.mark.parametrize("missing", ["username", "email", "password"])
@pytest.mark.parametrize("value", [None, "", "   ", 7])
def test_mirage_requires_every_field(mirage: httpx.Client, missing: str, value: object) -> None:
    user = new_mirage_user()
    if value == "   " and missing == "password":
        return
    user[missing] = value
    if value is None:
        del user[missing]
    answer = mirage.post("/api/register", json=user)
    assert (answer.status_code, answer.json()) == (400, {"error": NOTHING_FILLED})


def test_mirage_accepts_a_description_of_500_words(mirage: httpx.Client) -> None:
    assert mirage.post("/api/register", json=new_mirage_user(description="word " * 500)).status_code == 201
    answer = mirage.post("/api/register", json=new_mirage_user(description="word " * 501))
    assert (answer.status_code, answer.json()) == (400, {"error": "You are talking too much in the description"})


def test_mirage_says_that_a_name_or_an_address_is_taken(mirage: httpx.Client) -> None:
    user = new_mirage_user()
    assert mirage.post("/api/register", json=user).status_code == 201
    for other in (
        {**new_mirage_user(), "username": user["username"].upper()},
        {**new_mirage_user(), "email": f" {user['email'].upper()} "},
    ):
        answer = mirage.post("/api/register", json=other)
        assert (answer.status_code, answer.json()) == (400, {"error": " the user already exists"})


def test_mirage_issues_a_random_token_that_replaces_the_earlier_one(mirage: httpx.Client, shared: httpx.Client) -> None:
    user = new_mirage_user()
    mirage.post("/api/register", json=user)
    first = mirage.post("/api/login", json=user)
    assert first.status_code == 200
    assert set(first.json()) == {"token", "username"}
    assert UUID(first.json()["token"]).version == 4
    signed = shared.post("/v1/auth/login", json={"name": user["username"], "password": PASSWORD}).json()["token"]
    second = mirage.post("/api/login", json=user)
    ended = mirage.post("/api/logout", json={"token": first.json()["token"]})
    assert (ended.status_code, ended.json()) == (401, {"error": "invalid token"})
    out = mirage.post("/api/logout", json={"token": second.json()["token"]})
    assert (out.status_code, out.json()) == (200, {"message": "logged out successfully"})
    # A login through Mirage does not replace signed tokens.
    assert shared.get("/v1/account", headers={"Authorization": f"Bearer {signed}"}).status_code == 200


def test_mirage_reports_the_reason_of_a_failed_login(mirage: httpx.Client) -> None:
    user = new_mirage_user()
    mirage.post("/api/register", json=user)
    for sent, status, error in (
        ({"username": user["username"]}, 400, NOTHING_FILLED),
        ({"username": "", "password": ""}, 400, NOTHING_FILLED),
        (new_mirage_user(), 404, "user not found"),
        ({**user, "password": "wrong"}, 401, "wrong password"),
    ):
        answer = mirage.post("/api/login", json=sent)
        assert (answer.status_code, answer.json()) == (status, {"error": error})


@pytest.mark.parametrize(("token", "status"), [(None, 400), ("", 400), (7, 400), ("x", 401), ("\u0000", 401)])
def test_mirage_reports_the_reason_of_a_failed_logout(mirage: httpx.Client, token: object, status: int) -> None:
    answer = mirage.post("/api/logout", json={} if token is None else {"token": token})
    error = "no token provided" if status == 400 else "invalid token"
    assert (answer.status_code, answer.json()) == (status, {"error": error})


@pytest.mark.parametrize("path", ["/api/register", "/api/login", "/api/logout"])
def test_mirage_takes_only_json_objects(mirage: httpx.Client, path: str) -> None:
    form = mirage.post(path, data={"username": "x"})
    assert (form.status_code, set(form.json())) == (415, {"error"})
    for body in (b"", b"{", b"[]", b"[" * 10_000 + b"]" * 10_000, b'{"username": "\\ud800"}'):
        answer = mirage.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, set(answer.json())) == (400, {"error"})


@pytest.mark.parametrize("field", ["username", "email", "avatar_url", "description"])
def test_fields_that_cannot_be_stored_are_refused(mirage: httpx.Client, field: str) -> None:
    answer = mirage.post("/api/register", json={**new_mirage_user(), field: "a\u0000b"})
    assert (answer.status_code, set(answer.json())) == (400, {"error"})


def test_pages_of_any_origin_may_call(shared: httpx.Client) -> None:
    headers = {
        "Origin": "https://mirage-web.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, authorization",
    }
    for path in ("/api/login", "/api/register", "/api/logout", "/v1/auth/login"):
        answer = shared.options(path, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] in ("*", headers["Origin"])
