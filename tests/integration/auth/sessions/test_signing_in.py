"""Signing in by name and password."""

import asyncio
import time

import pytest
from argon2 import PasswordHasher

from auth_service.sessions.model import Grant, WrongPassword
from auth_service.sessions.passwords import Attempt
from auth_service.sessions.signing_in import log_in
from tests.integration.auth.running import PASSWORD, AuthService, Person, new_name, operating

pytestmark = pytest.mark.usefixtures("costly_passwords")


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

    # The three take turns, so that other load on the machine slows all of them alike.
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


def test_a_hash_of_older_parameters_is_replaced_at_the_next_sign_in(auth: AuthService, person: Person) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    auth.rows("update account set password_hash = %s where id = %s", old, person.id)
    assert auth.sign_in(person).status() == 200
    ((new,),) = auth.rows("select password_hash from account where id = %s", person.id)
    assert new.startswith("$argon2id$")
    assert "m=19456,t=2,p=1" in new
    assert auth.sign_in(person).status() == 200


async def test_of_two_first_sign_ins_with_an_old_hash_both_succeed(
    auth: AuthService, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finds the old hash, and the second to replace it finds that of the first."""
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    auth.rows("update account set password_hash = %s where id = %s", old, person.id)
    async with operating(auth) as context:
        both = asyncio.Barrier(2)
        check = context.passwords.matches

        async def check_together(hashed: str | None, password: str) -> bool:
            same = await check(hashed, password)
            if hashed == old:
                await both.wait()
            return same

        monkeypatch.setattr(context.passwords, "matches", check_together)
        attempt = Attempt(person.name, PASSWORD, person.address)
        opened = await asyncio.gather(*(log_in(context, attempt, Grant.token(label)) for label in ("one", "two")))
    assert [len(sessions) for sessions in opened] == [1, 1]


async def test_a_password_that_was_changed_while_it_was_checked_signs_nobody_in(
    auth: AuthService, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with operating(auth) as context:
        check = context.passwords.matches

        async def check_slowly(hashed: str | None, password: str) -> bool:
            same = await check(hashed, password)
            change = {"current": PASSWORD, "new": "another good password"}
            assert person.client.post("/v1/account/password", json=change).status_code == 200
            return same

        monkeypatch.setattr(context.passwords, "matches", check_slowly)
        with pytest.raises(WrongPassword):
            await log_in(context, Attempt(person.name, PASSWORD, person.address), Grant.token("late"))
    assert auth.rows("select count(*) from session where account_id = %s", person.id) == [(1,)]
