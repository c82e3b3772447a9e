"""Refreshing and ending sessions: it takes effect everywhere, at once, and only once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import jwt
from redis import Redis

from tests.integration.auth.running import AuthService, Person


def session_key(token: str) -> str:
    session = jwt.decode(token, options={"verify_signature": False})["jti"]
    return f"credential:session:{session.replace('-', '')}"


def test_a_signed_out_token_is_not_accepted(auth: AuthService, person: Person) -> None:
    other = auth.sign_in(person)
    assert person.client.post("/v1/auth/logout").status_code == 204
    assert (person.status(), other.status()) == (401, 200)
    assert person.client.post("/v1/auth/logout").json()["code"] == "token_revoked"


def test_a_refreshed_token_is_worth_nothing_any_more(auth: AuthService, person: Person) -> None:
    answer = person.client.post("/v1/auth/refresh")
    assert answer.status_code == 200
    fresh = answer.json()["token"]
    assert person.status() == 401
    assert person.client.post("/v1/auth/refresh").json()["code"] == "token_revoked"
    assert auth.client(token=fresh).get("/v1/account").json()["id"] == str(person.id)


def test_a_refreshed_token_lives_five_days_also_when_it_was_a_bots(auth: AuthService, person: Person) -> None:
    bot = auth.sign_in(person, bot=True)
    expires_at = datetime.fromisoformat(bot.client.post("/v1/auth/refresh").json()["expires_at"])
    assert abs(expires_at.timestamp() - time.time() - timedelta(days=5).total_seconds()) < 60


def test_of_two_refreshes_of_one_token_at_once_one_wins(auth: AuthService) -> None:
    for _ in range(5):
        person = auth.sign_up()
        with ThreadPoolExecutor(4) as pool:
            clients = [auth.client(token=person.token) for _ in range(4)]
            answers = list(pool.map(lambda client: client.post("/v1/auth/refresh"), clients))
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
        fresh = next(answer.json()["token"] for answer in answers if answer.status_code == 200)
        assert auth.client(token=fresh).get("/v1/account").status_code == 200
        ((count,),) = auth.rows("select count(*) from session where account_id = %s", person.id)
        assert count == 1


def test_sessions_are_listed_and_ended(auth: AuthService, person: Person) -> None:
    bot = auth.sign_in(person, bot=True)
    other = auth.sign_in(person)
    found = person.client.get("/v1/auth/sessions").json()["sessions"]
    assert [session["current"] for session in found] == [False, False, True]
    assert all(session["label"].startswith("python-httpx") and session["kind"] == "token" for session in found)
    assert person.client.delete(f"/v1/auth/sessions/{found[1]['id']}").status_code == 204
    assert (person.status(), bot.status(), other.status()) == (200, 401, 200)
    assert person.client.delete(f"/v1/auth/sessions/{found[1]['id']}").status_code == 404
    assert person.client.delete("/v1/auth/sessions").status_code == 204
    assert (person.status(), other.status()) == (200, 401)


def test_nobody_ends_anothers_session(auth: AuthService, person: Person) -> None:
    stranger = auth.sign_up()
    session = person.client.get("/v1/auth/sessions").json()["sessions"][0]["id"]
    assert stranger.client.delete(f"/v1/auth/sessions/{session}").status_code == 404
    assert person.status() == 200


def test_the_oldest_session_makes_room(auth: AuthService, person: Person) -> None:
    second = auth.sign_in(person)
    ((oldest,),) = auth.rows("select min(created_at) from session where account_id = %s", person.id)
    auth.rows(
        "insert into session (id, account_id, kind, label, created_at, expires_at)"
        " select gen_random_uuid(), %s, 'token', '', now(), now() + interval '1 day' from generate_series(1, 48)",
        person.id,
    )
    third = auth.sign_in(person)
    assert (person.status(), second.status(), third.status()) == (401, 200, 200)
    ((count, first),) = auth.rows("select count(*), min(created_at) from session where account_id = %s", person.id)
    assert count == 50
    assert first > oldest


def test_the_database_is_right_when_valkey_has_lost_everything(auth: AuthService, person: Person) -> None:
    """It is right about sessions that ended before the loss, too."""
    ended = auth.sign_in(person)
    assert ended.client.post("/v1/auth/logout").status_code == 204
    with Redis.from_url(auth.valkey_url) as redis:
        assert redis.delete(session_key(person.token), session_key(ended.token)) == 2
    assert (person.status(), ended.status()) == (200, 401)


def test_what_was_read_before_a_change_cannot_replace_what_is_true_after_it(auth: AuthService, person: Person) -> None:
    """The cache remembers that a session has ended, so that no reader can fill in that it is alive."""
    assert person.client.post("/v1/auth/logout").status_code == 204
    with Redis.from_url(auth.valkey_url) as redis:
        assert redis.get(session_key(person.token)) == b""
        assert redis.ttl(session_key(person.token)) > 500


def test_a_session_whose_time_is_over_is_over_whatever_the_token_says(auth: AuthService, person: Person) -> None:
    auth.rows("update session set expires_at = now() where account_id = %s", person.id)
    with Redis.from_url(auth.valkey_url) as redis:
        redis.delete(session_key(person.token))
    assert person.status() == 401
