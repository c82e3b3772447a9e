"""The first administrator is made once, by whichever process comes first."""

import asyncio

from auth_service.accounts.registration import ensure_administrator
from tests.conftest import MakeDatabase
from tests.integration.auth.running import PASSWORD, AuthService, operating, running_auth
from tests.integration.share.running_share import ADMIN_PASSWORD


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
        person = auth.sign_up("boss")
        auth.rows("delete from account where role = 'administrator'")
        async with operating(auth) as context:
            assert not await ensure_administrator(context, "Boss", ADMIN_PASSWORD)
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
