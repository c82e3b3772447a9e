"""Wrong passwords are counted, and nobody who guesses them locks the owner out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from redis import Redis

from tests.conftest import MakeDatabase
from tests.integration.auth.running import PASSWORD, AuthService, login_body, new_address, new_name, running_auth
from tests.through_gateway import coming_from

PER_ADDRESS, PER_ACCOUNT = 5, 7


@pytest.fixture(scope="module")
def auth(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    """A service that counts wrong passwords, and does not count calls."""
    limits = {"login_failure_address_count": PER_ADDRESS, "login_failure_account_count": PER_ACCOUNT}
    with running_auth(make_database, valkey_url, **limits) as service:
        yield service


def guess(auth: AuthService, name: str, address: str, password: str = "wrong password") -> httpx.Response:
    with httpx.Client(base_url=auth.url, headers=coming_from(address)) as client:
        return client.post("/v1/auth/login", json={"name": name, "password": password})


def test_one_address_tries_many_accounts_in_vain(auth: AuthService) -> None:
    people = [auth.sign_up() for _ in range(PER_ADDRESS + 2)]
    address = new_address()
    statuses = [guess(auth, person.name, address).status_code for person in people]
    assert statuses == [401] * PER_ADDRESS + [429] * 2
    refused = guess(auth, people[0].name, address, PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 300
    assert guess(auth, people[0].name, new_address(), PASSWORD).status_code == 200


def test_names_that_nobody_has_count_like_others(auth: AuthService) -> None:
    """Otherwise a refusal would reveal whether there is an account."""
    name = new_name()
    statuses = [guess(auth, name, new_address()).status_code for _ in range(PER_ACCOUNT + 1)]
    assert statuses == [401] * PER_ACCOUNT + [429]


def test_many_addresses_try_one_account_in_vain_and_its_owner_still_gets_in(auth: AuthService) -> None:
    person = auth.sign_up()
    spellings = [person.name, person.name.upper(), f" {person.name}"]
    statuses = [guess(auth, spellings[n % 3], new_address()).status_code for n in range(PER_ACCOUNT + 2)]
    assert statuses == [401] * PER_ACCOUNT + [429] * 2
    assert guess(auth, person.name, new_address(), PASSWORD).status_code == 429
    assert guess(auth, person.name, person.address, PASSWORD).status_code == 200
    assert guess(auth, person.name, person.address).status_code == 401
    assert guess(auth, person.name, person.address, PASSWORD).status_code == 200
    assert person.status() == 200


def test_a_known_address_has_a_budget_and_no_more(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_auth(make_database, valkey_url, login_failure_account_count=PER_ACCOUNT) as auth:
        person = auth.sign_up()
        statuses = [guess(auth, person.name, person.address).status_code for _ in range(PER_ACCOUNT + 1)]
        assert statuses == [401] * PER_ACCOUNT + [429]
        assert guess(auth, person.name, new_address(), PASSWORD).status_code == 200


def test_an_address_is_known_from_the_first_sign_in_on_and_kept_as_a_digest(auth: AuthService) -> None:
    person, address = auth.sign_up(), new_address()
    assert guess(auth, person.name, address, PASSWORD).status_code == 200
    for _ in range(PER_ACCOUNT):
        guess(auth, person.name, new_address())
    assert guess(auth, person.name, address, PASSWORD).status_code == 200
    stored = auth.rows("select * from known_address where account_id = %s", person.id)
    assert len(stored) == 2
    assert address not in str(stored)


def test_an_address_that_was_away_for_long_is_no_more_known(auth: AuthService) -> None:
    person = auth.sign_up()
    auth.rows("update known_address set seen_at = now() - interval '30 days' where account_id = %s", person.id)
    for _ in range(PER_ACCOUNT):
        guess(auth, person.name, new_address())
    assert guess(auth, person.name, person.address, PASSWORD).status_code == 429


def test_right_passwords_are_given_back(auth: AuthService) -> None:
    person, address = auth.sign_up(), new_address()
    for _ in range(2 * PER_ADDRESS):
        assert guess(auth, person.name, address, PASSWORD).status_code == 200
    # A password that cannot be one was never compared.
    for _ in range(2 * PER_ADDRESS):
        assert guess(auth, person.name, address, "x" * 2000).status_code == 400
    assert [guess(auth, person.name, address).status_code for _ in range(PER_ADDRESS)] == [401] * PER_ADDRESS
    assert guess(auth, person.name, address, PASSWORD).status_code == 429


def test_guesses_sent_at_once_do_not_slip_past_the_count(auth: AuthService) -> None:
    person, address = auth.sign_up(), new_address()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: guess(auth, person.name, address), range(3 * PER_ADDRESS)))
    assert sum(answer.status_code == 401 for answer in answers) <= PER_ADDRESS


def test_a_window_is_not_prolonged_by_further_tries(auth: AuthService) -> None:
    address = new_address()
    with Redis.from_url(auth.valkey_url) as redis:
        for _ in range(PER_ADDRESS):
            guess(auth, new_name(), address)
        (counter,) = redis.keys(f"*wrong-password-address*{address}*")
        assert redis.ttl(counter) > 290
        redis.expire(counter, 100)
        for _ in range(5):
            assert guess(auth, new_name(), address).status_code == 429
        assert redis.ttl(counter) <= 100
        # When its time is over, so is the block.
        redis.delete(counter)
    assert guess(auth, new_name(), address).status_code == 401


def test_the_dialects_count_wrong_passwords_with_everyone_else(auth: AuthService) -> None:
    person = auth.sign_up()
    for number in range(PER_ACCOUNT):
        host = ("files.test", "fileuploader.test", "mirage.test")[number % 3]
        answer = auth.client(host=host).post("/api/login", json=login_body(person.name, "wrong"))
        assert answer.status_code == (401 if host == "mirage.test" else 400)
    assert guess(auth, person.name, new_address(), PASSWORD).status_code == 429
    for host in ("files.test", "fileuploader.test", "mirage.test"):
        answer = auth.client(host=host).post("/api/login", json=login_body(person.name))
        assert answer.status_code == 429
        assert "retry-after" in answer.headers


def test_who_has_a_token_does_not_guess_the_password_either(auth: AuthService) -> None:
    person = auth.sign_up()
    thief = auth.client(token=person.token)
    change = {"current": "wrong password", "new": "a password of the thief"}
    statuses = [thief.post("/v1/account/password", json=change).status_code for _ in range(3)]
    statuses += [
        thief.request("DELETE", "/v1/account", json={"password": "wrong"}).status_code for _ in range(PER_ADDRESS - 2)
    ]
    assert statuses == [403] * PER_ADDRESS + [429]
    assert thief.request("DELETE", "/v1/account", json={"password": PASSWORD}).status_code == 429
    change = {"current": PASSWORD, "new": "a password of the owner"}
    assert person.client.post("/v1/account/password", json=change).status_code == 200


def test_an_ipv6_network_counts_as_one_address(auth: AuthService) -> None:
    network = f"2001:db8:{new_address().split('.')[1]}:{new_address().split('.')[2]}"
    statuses = [guess(auth, new_name(), f"{network}::{n + 1:x}").status_code for n in range(PER_ADDRESS + 1)]
    assert statuses == [401] * PER_ADDRESS + [429]
