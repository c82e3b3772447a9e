"""Accounts on the running system: every service notices a change to an account at once."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import Visitor, client_of
from tests.contract.fileuploader import wire as uploader
from tests.contract.fileuploader.wire import bearer
from tests.contract.traces import Traces

PASSWORD = "correct horse battery"
# One path for each service.
SERVICES = ("/v1/account", "/v1/files", "/v1/shares", "/v1/rooms/mine")


def sign_up(client: httpx.Client) -> dict[str, str]:
    """A new account: its name, and a token."""
    name = f"user {secrets.token_hex(6)}"
    answer = client.post("/v1/auth/register", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return {"name": name, "token": answer.json()["token"]}


@pytest.fixture
def person(client: httpx.Client) -> dict[str, str]:
    return sign_up(client)


@pytest.fixture(scope="module")
def administrator(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    password = credentials.load(stack.folder)["admin_password"]
    answer = client.post("/v1/auth/login", json={"name": "admin", "password": password})
    assert answer.status_code == 200, answer.text
    assert answer.json()["account"]["role"] == "administrator"
    with client_of(stack, **bearer(answer.json()["token"])) as signed_in:
        yield signed_in


def statuses(client: httpx.Client, token: str) -> list[int]:
    return [client.get(path, headers=bearer(token)).status_code for path in SERVICES]


def call(method: str, path: str, **options: Any) -> Callable[[httpx.Client, str], httpx.Response]:
    return lambda client, token: client.request(method, path, headers=bearer(token), **options)


@pytest.mark.parametrize(
    "end",
    [
        call("POST", "/v1/auth/logout"),
        call("POST", "/v1/auth/refresh"),
        call("POST", "/api/logout"),
        call("DELETE", "/v1/account", json={"password": PASSWORD}),
    ],
    ids=["logout", "refresh", "File Uploader's logout", "deletion"],
)
def test_a_session_ends_in_every_service_at_once(
    client: httpx.Client, person: dict[str, str], end: Callable[[httpx.Client, str], httpx.Response]
) -> None:
    assert statuses(client, person["token"]) == [200] * 4
    assert end(client, person["token"]).is_success
    assert statuses(client, person["token"]) == [401] * 4


def test_a_new_password_ends_the_other_sessions_in_every_service(client: httpx.Client, person: dict[str, str]) -> None:
    login = {"name": person["name"], "password": PASSWORD}
    other = client.post("/v1/auth/login", json=login).json()["token"]
    assert statuses(client, other) == [200] * 4
    change = {"current": PASSWORD, "new": "another good password"}
    assert client.post("/v1/account/password", json=change, headers=bearer(person["token"])).status_code == 200
    assert statuses(client, other) == [401] * 4
    assert statuses(client, person["token"]) == [200] * 4


def test_a_new_name_is_shown_everywhere_at_once(client: httpx.Client, person: dict[str, str]) -> None:
    headers = bearer(person["token"])
    assert client.get("/api/get_files", headers=headers).json()["username"] == person["name"]
    name = f"user {secrets.token_hex(6)}"
    assert client.patch("/v1/account", json={"name": name}, headers=headers).status_code == 200
    assert client.get("/api/get_files", headers=headers).json()["username"] == name


def test_a_key_pair_gives_access_to_the_accounts_files_until_it_is_revoked(
    client: httpx.Client, person: dict[str, str]
) -> None:
    headers = bearer(person["token"])
    pair = client.post("/v1/account/keys", json={"name": "script"}, headers=headers).json()
    right, wrong = (pair["api_key"], pair["api_token"]), (pair["api_key"], pair["api_key"])
    for path in SERVICES:
        assert client.get(path, auth=right).status_code == 200
        assert client.get(path, auth=wrong).status_code == 401
    assert client.delete(f"/v1/account/keys/{pair['id']}", headers=headers).status_code == 204
    assert [client.get(path, auth=right).status_code for path in SERVICES] == [401] * 4


def test_a_new_signing_key_signs_nobody_out(
    client: httpx.Client, administrator: httpx.Client, person: dict[str, str]
) -> None:
    answer = administrator.post("/v1/signing-keys")
    assert answer.status_code == 201
    kid = answer.json()["kid"]
    assert kid in [key["kid"] for key in client.get("/v1/auth/jwks").json()["keys"]]
    login = {"name": person["name"], "password": PASSWORD}
    deadline = time.monotonic() + 30
    while True:
        token = client.post("/v1/auth/login", json=login).json()["token"]
        assert statuses(client, token) == [200] * 4
        if jwt.get_unverified_header(token)["kid"] == kid:
            break
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert statuses(client, person["token"]) == [200] * 4


def test_deleting_an_account_removes_its_files_links_codes_and_rooms(
    client: httpx.Client, person: dict[str, str], traces: Traces
) -> None:
    headers, stranger = bearer(person["token"]), sign_up(client)
    room = client.post("/v1/rooms", json={"name": f"room {secrets.token_hex(6)}"}, headers=headers).json()["id"]
    link = uploader.upload(client, b"soon gone", token=person["token"])
    code = client.post("/share/text/", data={"text": "soon gone"}, headers=headers).json()["detail"]["code"]
    assert client.get(f"/file/{link['file_url']}").status_code == 200
    account = client.get("/v1/account", headers=headers).json()["id"]
    answer = client.request("DELETE", "/v1/account", json={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 204
    deadline = time.monotonic() + 45
    while client.get(f"/file/{link['file_url']}").status_code != 404:
        assert time.monotonic() < deadline, "the link of a deleted account still works"
        time.sleep(0.1)
    while client.get("/share/select/", params={"code": code}).json()["code"] == 200:
        assert time.monotonic() < deadline, "the code of a deleted account still works"
        time.sleep(0.1)
    while client.get(f"/v1/rooms/{room}", headers=bearer(stranger["token"])).status_code != 404:
        assert time.monotonic() < deadline, "the room of a deleted account is still open"
        time.sleep(0.1)
    passes = "select passes_left, count(*) from erasure where account_id = %s group by passes_left"
    while traces.ask("auth", passes, account) != [(1, 3)]:
        assert time.monotonic() < deadline, "a second pass is not planned"
        time.sleep(0.1)
    # The name can be registered again.
    assert client.post("/v1/auth/register", json={"name": person["name"], "password": PASSWORD}).status_code == 201


def test_wrong_passwords_and_calls_are_limited_for_each_client(visitor: Visitor) -> None:
    """The system allows five calls a minute per address, and four wrong passwords per account from strangers."""
    owner = visitor()
    name = f"user {secrets.token_hex(6)}"
    assert owner.post("/v1/auth/register", json={"name": name, "password": PASSWORD}).status_code == 201
    wrong = {"name": name, "password": "wrong password"}
    heard = [visitor().post("/v1/auth/login", json=wrong) for _ in range(5)]
    assert [answer.status_code for answer in heard] == [401] * 4 + [429]
    assert 0 < int(heard[-1].headers["retry-after"]) <= 300
    right = {"name": name, "password": PASSWORD}
    assert visitor().post("/v1/auth/login", json=right).status_code == 429
    assert owner.post("/v1/auth/login", json=right).status_code == 200
    busy = visitor()
    calls = [busy.post(path, json={}) for path in ("/v1/auth/login", "/api/login") * 3]
    assert [answer.status_code for answer in calls] == [400] * 5 + [429]
