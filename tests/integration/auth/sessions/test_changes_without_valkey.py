"""Without Valkey nothing can be changed, and everybody who is signed in remains so."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from auth_service.app import create_app
from tests.integration.auth.running import PASSWORD, AuthService, auth_settings, new_name
from tests.serving import served

CLOSED = "redis://127.0.0.1:9/0"


@pytest.fixture(scope="module")
def cut_off(auth: AuthService) -> Iterator[str]:
    """A second process of the service that cannot reach Valkey."""
    with served(create_app(auth_settings(auth.database_url, CLOSED))) as url:
        yield url


def state_of(auth: AuthService) -> list[Any]:
    tables = ("account", "session", "api_key", "known_address", "erasure")
    return [sorted(map(str, auth.rows(f"select * from {table}"))) for table in tables]


def test_sessions_and_keys_are_checked_by_the_database(auth: AuthService, cut_off: str) -> None:
    person = auth.sign_up()
    pair = person.client.post("/v1/account/keys", json={"name": "a"}).json()
    credentials: list[dict[str, Any]] = [
        {"headers": {"Authorization": f"Bearer {person.token}"}},
        {"auth": (pair["api_key"], pair["api_token"])},
    ]
    for sent in credentials:
        answer = httpx.get(f"{cut_off}/v1/account", timeout=20, **sent)
        assert answer.json()["id"] == str(person.id)
    assert person.client.post("/v1/auth/logout").status_code == 204
    headers = {"Authorization": f"Bearer {person.token}"}
    assert httpx.get(f"{cut_off}/v1/account", headers=headers, timeout=20).status_code == 401


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/auth/register", {"name": "someone new", "password": PASSWORD}),
    ("POST", "/v1/auth/login", {"name": "{name}", "password": PASSWORD}),
    ("POST", "/v1/auth/refresh", {}),
    ("POST", "/v1/auth/logout", {}),
    ("DELETE", "/v1/auth/sessions", {}),
    ("DELETE", "/v1/auth/sessions/{session}", {}),
    ("PATCH", "/v1/account", {"name": "another name"}),
    ("POST", "/v1/account/password", {"current": PASSWORD, "new": "another password"}),
    ("DELETE", "/v1/account", {"password": PASSWORD}),
    ("POST", "/v1/account/keys/{key}/regenerate", {}),
    ("DELETE", "/v1/account/keys/{key}", {}),
    ("POST", "/v1/account/uploaders/sharex", {}),
    ("POST", "/api/register", {"username": "someone new", "password": PASSWORD}),
    ("POST", "/api/login", {"username": "{name}", "password": PASSWORD}),
    ("POST", "/api/refresh_token", {"accessToken": "{token}"}),
    ("POST", "/api/logout", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=[f"{method} {path}" for method, path, _ in CHANGES])
def test_nothing_is_changed(auth: AuthService, cut_off: str, method: str, path: str, body: dict[str, Any]) -> None:
    person = auth.sign_up()
    auth.sign_in(person)
    key = person.client.post("/v1/account/keys", json={"name": "a"}).json()["id"]
    session = person.client.get("/v1/auth/sessions").json()["sessions"][0]["id"]
    known = {"name": person.name, "token": person.token, "key": key, "session": session}
    sent = {field: value.format(**known) for field, value in body.items()}
    before = state_of(auth)
    headers = {"Authorization": f"Bearer {person.token}"}
    answer = httpx.request(method, cut_off + path.format(**known), json=sent, headers=headers, timeout=20)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json().get("code") == "unavailable" or answer.json()["status"] == "error"
    assert state_of(auth) == before
    assert person.status() == 200


def test_an_administrator_changes_nothing_either(auth: AuthService, cut_off: str) -> None:
    administrator, person = auth.administrator(), auth.sign_up(new_name())
    headers = {"Authorization": f"Bearer {administrator.token}"}
    before = state_of(auth)
    path = f"{cut_off}/v1/accounts/{person.id}"
    answers = [
        httpx.patch(path, json={"role": "administrator"}, headers=headers, timeout=20),
        httpx.delete(path, headers=headers, timeout=20),
    ]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert state_of(auth) == before


def test_the_service_says_that_it_is_not_ready(cut_off: str) -> None:
    answer = httpx.get(f"{cut_off}/internal/health/ready", timeout=20)
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "credentials": "unavailable"}
    assert httpx.get(f"{cut_off}/internal/health/live").status_code == 200
