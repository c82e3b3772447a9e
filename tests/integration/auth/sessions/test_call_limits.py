"""How many calls each address may make, by whatever protocol."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.integration.auth.running import AuthService, login_body, new_name, running_auth

CALLS = 4


@pytest.fixture(scope="module")
def narrow(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    """A service that counts calls."""
    with running_auth(make_database, valkey_url, account_calls_per_minute=CALLS) as service:
        yield service


CALL_WAYS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "login": [
        ("/v1/auth/login", "", login_body("x")),
        ("/api/login", "", login_body("x")),
        ("/api/login", "fileuploader.test", login_body("x")),
        ("/api/login", "mirage.test", login_body("x")),
    ],
    "register": [
        ("/v1/auth/register", "", {"name": "x", "password": "short"}),
        ("/api/register", "", {}),
        ("/api/register", "fileuploader.test", {}),
        ("/api/register", "mirage.test", {}),
    ],
    "refresh": [("/v1/auth/refresh", "", {}), ("/api/refresh_token", "", {})],
    "logout": [("/v1/auth/logout", "", {}), ("/api/logout", "", {}), ("/api/logout", "mirage.test", {"token": "x"})],
}


@pytest.mark.parametrize("call", CALL_WAYS)
def test_one_budget_counts_a_kind_of_call_by_whatever_protocol(narrow: AuthService, call: str) -> None:
    ways = CALL_WAYS[call]
    client = narrow.client()
    for number in range(CALLS):
        path, host, body = ways[number % len(ways)]
        answer = client.post(path, json=body, headers={"Host": host} if host else {})
        assert answer.status_code in (400, 401, 404), answer.text
    for path, host, body in ways:
        answer = client.post(path, json=body, headers={"Host": host} if host else {})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        found = answer.json()
        if path.startswith("/v1"):
            assert found["code"] == "rate_limited"
        else:
            assert found["error"] == f"Rate limit exceeded: {CALLS} per 1 minute"
            assert ("status" in found) == (host != "mirage.test")
    assert narrow.client().post(*ways[0][:1], json=ways[0][2]).status_code != 429


def test_each_kind_of_call_has_a_budget_of_its_own(narrow: AuthService) -> None:
    client = narrow.client()
    statuses = [client.post("/v1/auth/login", json=login_body("x")).status_code for _ in range(CALLS + 1)]
    assert statuses[-1] == 429
    assert client.post("/v1/auth/register", json=login_body(new_name())).status_code == 201
