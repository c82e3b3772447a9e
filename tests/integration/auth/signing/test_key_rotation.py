"""Signing keys that change while everyone stays signed in."""

import time
from collections.abc import Iterator

import jwt
import pytest

from auth_service.signing.keys import rotate_old_keys
from auth_service.signing.model import KEY_KEPT, KEY_LEAD
from tests.conftest import MakeDatabase
from tests.integration.auth.running import AuthService, Person, new_token, running_auth, service_of, sweeping


@pytest.fixture
def auth(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    with running_auth(make_database, valkey_url) as service:
        yield service


def kid_of(person: Person) -> str:
    return jwt.get_unverified_header(person.token)["kid"]


def published(auth: AuthService) -> list[str]:
    keys = auth.client().get("/v1/auth/jwks").json()["keys"]
    assert all(set(key) == {"kty", "crv", "alg", "use", "kid", "x"} for key in keys)
    return [key["kid"] for key in keys]


def let_time_pass(auth: AuthService, interval: str) -> None:
    auth.rows(
        "update signing_key set created_at = created_at - %s::interval, retired_at = retired_at - %s::interval",
        interval,
        interval,
    )


def accepted_soon(person: Person) -> None:
    """Wait until the key is known: verifiers ask for an unknown key at most once a second."""
    deadline = time.monotonic() + 5
    while person.status() != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_new_key_is_published_before_it_signs_and_nobody_is_signed_out(auth: AuthService) -> None:
    before = auth.sign_up()
    answer = auth.administrator().client.post("/v1/signing-keys")
    assert answer.status_code == 201
    new = answer.json()["kid"]
    meanwhile = auth.sign_up()
    assert kid_of(meanwhile) == kid_of(before) != new
    assert published(auth) == [new, kid_of(before)]
    let_time_pass(auth, f"{KEY_LEAD.total_seconds()} seconds")
    after = auth.sign_up()
    assert kid_of(after) == new
    accepted_soon(after)
    assert [person.status() for person in (before, meanwhile, after)] == [200, 200, 200]
    assert kid_of(auth.sign_in(before)) == new


def test_keys_that_follow_one_another_at_once_sign_one_after_the_other(auth: AuthService) -> None:
    administrator, before = auth.administrator(), auth.sign_up()
    answers = [administrator.client.post("/v1/signing-keys") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert published(auth) == [*(answer.json()["kid"] for answer in reversed(answers)), kid_of(before)]
    assert kid_of(auth.sign_up()) == kid_of(before)
    let_time_pass(auth, f"{KEY_LEAD.total_seconds() + 1} seconds")
    after = auth.sign_up()
    assert kid_of(after) == answers[-1].json()["kid"]
    accepted_soon(after)
    assert [person.status() for person in (administrator, before, after)] == [200, 200, 200]


def test_an_old_token_is_refreshed_to_one_of_the_new_key(auth: AuthService) -> None:
    person = auth.sign_up()
    new = auth.administrator().client.post("/v1/signing-keys").json()["kid"]
    let_time_pass(auth, f"{KEY_LEAD.total_seconds()} seconds")
    answer = person.client.post("/v1/auth/refresh")
    assert jwt.get_unverified_header(answer.json()["token"])["kid"] == new


async def test_services_go_on_trusting_one_another(auth: AuthService) -> None:
    old = await new_token(auth.url)
    auth.administrator().client.post("/v1/signing-keys")
    assert await service_of(auth.url, old) == "share"
    let_time_pass(auth, f"{KEY_LEAD.total_seconds()} seconds")
    new = await new_token(auth.url)
    assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
    assert await service_of(auth.url, new) == await service_of(auth.url, old) == "share"


async def test_the_sweep_replaces_a_key_that_is_old_enough(auth: AuthService) -> None:
    person = auth.sign_up()
    async with sweeping(auth, key_lifetime=KEY_KEPT) as context:
        await rotate_old_keys(context)
        assert published(auth) == [kid_of(person)]
        let_time_pass(auth, "184 days")
        await rotate_old_keys(context)
        await rotate_old_keys(context)
        new, old = published(auth)
        assert old == kid_of(person) != new
        assert person.status() == 200
        # Published until no token that it signed can be alive, and then forgotten.
        let_time_pass(auth, "185 days")
        await rotate_old_keys(context)
        assert old not in published(auth)
        assert auth.rows("select 1 from signing_key where kid = %s", old) == []
