"""The sessions that a login at a shared host name opens: one for each of two dialects."""

from datetime import timedelta
from typing import Any

from redis import Redis

from auth_service.sessions.model import BOT_LIFETIME
from common.credentials import opaque_name
from tests.integration.auth.running import AuthService, Person, login_body


def log_in(auth: AuthService, person: Person, host: str = "files.example.org") -> dict[str, Any]:
    answer = auth.client(host=host).post("/api/login", json=login_body(person.name))
    assert answer.status_code == 200, answer.text
    return answer.json()


def log_out(auth: AuthService, token: str) -> int:
    return auth.client(host="mirage.example.org").post("/api/logout", json={"token": token}).status_code


def opaque_lifetimes(auth: AuthService, person: Person) -> list[timedelta | None]:
    rows = auth.rows("select expires_at - created_at from session where account_id = %s and kind = 'opaque'", person.id)
    return [lifetime for (lifetime,) in rows]


def test_many_logins_leave_one_mirage_token_that_ends_some_day(auth: AuthService, person: Person) -> None:
    logins = [log_in(auth, person) for _ in range(3)]
    assert opaque_lifetimes(auth, person) == [BOT_LIFETIME]
    assert [log_out(auth, login["token"]) for login in logins] == [401, 401, 200]
    for login in logins:
        client = auth.client(token=login["accessToken"])
        assert client.get("/api/login/token").status_code == 200, "File Uploader's sessions go on"


def test_a_mirage_token_is_replaced_whichever_host_issued_it(auth: AuthService, person: Person) -> None:
    hosts = ("mirage.example.org", "files.example.org", "mirage.example.org")
    tokens = [log_in(auth, person, host)["token"] for host in hosts]
    assert opaque_lifetimes(auth, person) == [None], "on its own host it never expires"
    assert [log_out(auth, token) for token in tokens] == [401, 401, 200]


def test_a_mirage_token_that_is_too_old_is_not_accepted(auth: AuthService, person: Person) -> None:
    token = log_in(auth, person)["token"]
    auth.rows("update session set expires_at = now() where account_id = %s and kind = 'opaque'", person.id)
    with Redis.from_url(auth.valkey_url) as redis:
        redis.delete(f"credential:{opaque_name(token)}")
    headers = {"Authorization": token}
    answer = auth.client(host="mirage.example.org").post("/api/user/settings", json={"email": "x"}, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})
    assert log_out(auth, token) == 401
