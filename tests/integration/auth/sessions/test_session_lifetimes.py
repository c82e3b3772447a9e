"""Signing in and out, and what ends a session: everywhere, at once, and only once."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import jwt
import pytest
from argon2 import PasswordHasher
from redis import Redis

from auth_service.accounts.registration import ensure_administrator
from auth_service.sessions.model import Grant, WrongPassword
from auth_service.sessions.passwords import Attempt
from auth_service.sessions.signing_in import log_in
from tests.conftest import MakeDatabase
from tests.integration.auth.running import PASSWORD, AuthService, Person, new_name, operating, running_auth
from tests.integration.running_share import ADMIN_PASSWORD


@pytest.fixture(scope="module")
def auth(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    with running_auth(make_database, valkey_url) as service:
        yield service


@pytest.fixture
def person(auth: AuthService) -> Person:
    return auth.sign_up()


def session_key(token: str) -> str:
    session = jwt.decode(token, options={"verify_signature": False})["jti"]
    return f"credential:session:{session.replace('-', '')}"


def test_who_registered_is_signed_in(auth: AuthService) -> None:
    name = new_name()
    answer = auth.client().post("/v1/auth/register", json={"name": f"  {name} ", "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    account = auth.client(token=answer.json()["token"]).get("/v1/account").json()
    assert account == {**answer.json()["account"], "email": None, "created_at": account["created_at"]}
    assert (account["name"], account["role"]) == (name, "user")


def test_a_name_that_nobody_has_and_a_wrong_password_get_one_answer(auth: AuthService, person: Person) -> None:
    unknown = auth.client().post("/v1/auth/login", json={"name": new_name(), "password": PASSWORD})
    wrong = auth.client().post("/v1/auth/login", json={"name": person.name, "password": "wrong password"})
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()
    assert unknown.headers["www-authenticate"] == "Bearer"


def test_a_name_that_nobody_has_costs_as_much_as_a_wrong_password(auth: AuthService, person: Person) -> None:
    """Both hash. Medians differ by less than half of what hashing takes; without it, the answer takes a tenth."""
    client = auth.client()

    def seconds(name: str) -> float:
        began = time.perf_counter()
        assert client.post("/v1/auth/login", json={"name": name, "password": "wrong pass"}).status_code == 401
        return time.perf_counter() - began

    # In turns, so that what else the machine does befalls all alike.
    tries = [(seconds(person.name), seconds(new_name()), seconds("\u0007")) for _ in range(15)]
    wrong, unknown, impossible = (sorted(times)[7] for times in zip(*tries, strict=True))
    assert unknown > wrong / 2
    assert impossible > wrong / 2


@pytest.mark.parametrize("spell", [str.upper, lambda name: name.replace("user", "ｕｓｅｒ"), lambda name: f" {name} "])
def test_a_name_may_be_spelt_in_any_form(auth: AuthService, person: Person, spell: object) -> None:
    assert callable(spell)
    answer = auth.client().post("/v1/auth/login", json={"name": spell(person.name), "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["account"]["name"] == person.name


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
    """Also about what was ended before the loss."""
    ended = auth.sign_in(person)
    assert ended.client.post("/v1/auth/logout").status_code == 204
    with Redis.from_url(auth.valkey_url) as redis:
        assert redis.delete(session_key(person.token), session_key(ended.token)) == 2
    assert (person.status(), ended.status()) == (200, 401)


def test_what_was_read_before_a_change_cannot_replace_what_is_true_after_it(auth: AuthService, person: Person) -> None:
    """A session that has just ended is remembered as such, so that nobody fills in that it lives."""
    assert person.client.post("/v1/auth/logout").status_code == 204
    with Redis.from_url(auth.valkey_url) as redis:
        assert redis.get(session_key(person.token)) == b""
        assert redis.ttl(session_key(person.token)) > 500


def test_a_session_whose_time_is_over_is_over_whatever_the_token_says(auth: AuthService, person: Person) -> None:
    auth.rows("update session set expires_at = now() where account_id = %s", person.id)
    with Redis.from_url(auth.valkey_url) as redis:
        redis.delete(session_key(person.token))
    assert person.status() == 401


def test_a_hash_of_older_parameters_is_replaced_at_the_next_sign_in(auth: AuthService, person: Person) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    auth.rows("update account set password_hash = %s where id = %s", old, person.id)
    assert auth.sign_in(person).status() == 200
    ((new,),) = auth.rows("select password_hash from account where id = %s", person.id)
    assert new.startswith("$argon2id$")
    assert "m=19456,t=2,p=1" in new
    assert auth.sign_in(person).status() == 200


async def test_a_password_that_was_changed_while_it_was_checked_signs_nobody_in(
    auth: AuthService, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with operating(auth) as context:
        check = context.passwords.matches

        async def check_slowly(hashed: str | None, password: str) -> bool:
            same = await check(hashed, password)
            change = {"current": PASSWORD, "new": "another good password"}
            assert person.client.post("/v1/account/password", json=change).status_code == 204
            return same

        monkeypatch.setattr(context.passwords, "matches", check_slowly)
        with pytest.raises(WrongPassword):
            await log_in(context, Attempt(person.name, PASSWORD, person.address), Grant.token("late"))
    assert auth.rows("select count(*) from session where account_id = %s", person.id) == [(1,)]


def test_the_first_administrator_is_made_once(auth: AuthService) -> None:
    administrator = auth.administrator()
    assert administrator.client.get("/v1/account").json()["role"] == "administrator"
    assert auth.rows("select count(*) from account where role = 'administrator'") == [(1,)]
    wrong = auth.client().post("/v1/auth/login", json={"name": "admin", "password": f"{ADMIN_PASSWORD}x"})
    assert wrong.status_code == 401
    taken = auth.client().post("/v1/auth/register", json={"name": "ＡＤＭＩＮ", "password": PASSWORD})
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")


async def test_a_user_who_has_the_administrators_name_is_not_promoted(
    make_database: MakeDatabase, valkey_url: str
) -> None:
    with running_auth(make_database, valkey_url, admin_name="root") as auth:
        person = auth.sign_up("admin")
        auth.rows("delete from account where role = 'administrator'")
        async with operating(auth) as context:
            assert not await ensure_administrator(context, "Admin", ADMIN_PASSWORD)
        assert auth.rows("select role from account") == [("user",)]
        assert auth.sign_in(person).status() == 200


async def test_processes_that_start_at_once_make_one_administrator(auth: AuthService) -> None:
    auth.rows("delete from account where role = 'administrator'")
    async with operating(auth) as context:
        made = await asyncio.gather(
            *(ensure_administrator(context, name, ADMIN_PASSWORD) for name in ("admin", "root", "admin"))
        )
    assert sorted(made) == [False, False, True]
    assert auth.rows("select count(*) from account where role = 'administrator'") == [(1,)]
