"""Registering: names, passwords and bodies of all kinds."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from auth_service.accounts.skeletons import compute_skeletons
from auth_service.directory import names
from common import asked_policy
from common.lookalikes import skeleton
from tests.conftest import MakeDatabase
from tests.integration.auth.running import PASSWORD, AuthService, new_name, running_auth, sweeping
from tests.integration.share.running_share import policy_stand_in
from tests.serving import served

REGISTER = "/v1/auth/register"


def register(auth: AuthService, name: object, password: object = PASSWORD) -> httpx.Response:
    return auth.client().post(REGISTER, json={"name": name, "password": password})


def count_accounts(auth: AuthService) -> int:
    return auth.rows("select count(*) from account")[0][0]


def test_of_registrations_of_one_name_at_once_one_wins(auth: AuthService) -> None:
    for _ in range(3):
        name = f"Stra\u00dfe caf\u00e9 {new_name()}"
        forms = [name, name.upper(), name.replace("\u00e9", "e\u0301"), name.replace("user", "ＵＳＥＲ"), f" {name}"]
        with ThreadPoolExecutor(len(forms)) as pool:
            answers = list(pool.map(lambda form: register(auth, form), forms))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"name_taken"}


def test_a_name_is_free_again_for_nobody_but_by_its_end(auth: AuthService) -> None:
    person = auth.sign_up()
    assert register(auth, person.name).status_code == 409
    assert person.client.request("DELETE", "/v1/account", json={"password": PASSWORD}).status_code == 204
    assert register(auth, person.name).status_code == 201


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 256, "a\x00b", "a\nb", "a\x7fb", "\u200d", "a\u202eb", "a\u200bb", "\ufdfa" * 255, "x" * 60_000],
)
def test_a_name_that_cannot_be_one_is_refused(auth: AuthService, name: str) -> None:
    before = count_accounts(auth)
    answer = register(auth, name)
    assert (answer.status_code, answer.json()["code"]) == (400, "name_unusable")
    assert count_accounts(auth) == before


@pytest.mark.parametrize("name", ["ж" * 255, "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "नमस्ते\u200d", "👩\u200d🚀", "x", "' or 1=1 --"])
def test_names_are_of_any_script(auth: AuthService, name: str) -> None:
    answer = register(auth, name)
    assert answer.status_code == 201
    assert answer.json()["account"]["name"] == name


def test_a_name_may_not_differ_by_what_nobody_sees(auth: AuthService) -> None:
    person = auth.sign_up()
    assert register(auth, person.name.replace("user", "us\u200der")).status_code == 409


@pytest.mark.parametrize(
    ("password", "code"),
    [("", "password_too_short"), ("1234567", "password_too_short"), ("x" * 1025, "password_unusable")],
)
def test_a_password_has_its_limits(auth: AuthService, password: str, code: str) -> None:
    answer = register(auth, new_name(), password)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert register(auth, new_name(), "é" * 512).status_code == 201
    assert register(auth, new_name(), "é" * 513).status_code == 400


@pytest.mark.parametrize("path", [REGISTER, "/v1/auth/login", "/api/register", "/api/login"])
@pytest.mark.parametrize("size", [60_000, 2**20])
def test_a_password_of_a_megabyte_is_refused_at_once_and_not_hashed(auth: AuthService, path: str, size: int) -> None:
    name = new_name()
    body = {"name": name, "username": name, "password": "x" * size}
    began = time.perf_counter()
    answer = auth.client().post(path, json=body)
    assert 400 <= answer.status_code < 500
    # Bounded by what hashing takes, with room for a slow machine: hashing a megabyte once more would not show.
    assert time.perf_counter() - began < 10
    assert not auth.rows("select 1 from account where name = %s", name)


@pytest.mark.parametrize("path", [REGISTER, "/v1/auth/login", "/api/register", "/api/login", "/api/refresh_token"])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"name":' * 5_000 + b"1" + b"}" * 5_000,
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"name=x&password=y",
        b"{",
        b"\xff\xfe",
        b'{"name": "\\ud800", "username": "\\ud800", "password": "12345678"}',
        b'{"name": NaN, "username": 1, "password": Infinity}',
        b'{"name": ["a"], "username": {"a": 1}, "password": null}',
    ],
)
def test_a_body_of_no_use_is_refused(auth: AuthService, path: str, body: bytes) -> None:
    before = count_accounts(auth)
    answer = auth.client().post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json(), dict)
    assert count_accounts(auth) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_body_is_json_whatever_it_says_it_is(auth: AuthService, kind: str) -> None:
    """The clients of the dialects send JSON under several names; a form is refused under each."""
    body = json.dumps({"username": new_name(), "password": PASSWORD}).encode()
    assert auth.client().post("/api/register", content=body, headers={"Content-Type": kind}).status_code == 200
    form = b"username=x&password=y"
    assert auth.client().post("/api/register", content=form, headers={"Content-Type": kind}).status_code == 400


def test_registration_can_be_closed_and_opened(
    make_database: MakeDatabase, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = {"registration": False}
    with (
        served(policy_stand_in(policy)) as share_url,
        running_auth(make_database, valkey_url, share_url=share_url) as auth,
    ):
        answer = register(auth, new_name())
        assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
        body = {"username": new_name(), "password": PASSWORD}
        mine = auth.client().post("/api/register", json=body)
        assert (mine.status_code, mine.json()["status"]) == (403, "error")
        theirs = auth.client().post("/api/register", json={**body, "email": "a@b.c"})
        assert theirs.status_code == 403
        assert "error" in theirs.json()
        assert count_accounts(auth) == 1
        assert auth.administrator().status() == 200
        policy["registration"] = True
        monkeypatch.setattr(asked_policy, "FRESH_SECONDS", 0)
        assert register(auth, new_name()).status_code == 201


def test_nobody_registers_while_the_policy_is_not_known(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_auth(make_database, valkey_url, share_url="http://127.0.0.1:1") as auth:
        answer = register(auth, new_name())
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert count_accounts(auth) == 1


def test_a_name_that_looks_like_another_is_taken(auth: AuthService) -> None:
    ours, theirs = auth.sign_up(f"{new_name()} ace"), auth.sign_up()
    alike = ours.name.replace("a", "\u0430").replace("e", "\u0435")
    assert alike != ours.name
    for name in (alike, f"{ours.name[:-3]}  ace", "\u0430dmin", "deleted account"):
        answer = auth.client().post("/v1/auth/register", json={"name": name, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken"), name
        answer = theirs.client.patch("/v1/account", json={"name": name})
        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken"), name
    for name in (f"{ours.name}\ufe0f", "\u2800"):
        answer = auth.client().post("/v1/auth/register", json={"name": name, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (400, "name_unusable")
    assert ours.client.patch("/v1/account", json={"name": ours.name.upper()}).status_code == 200


async def test_accounts_from_before_keep_their_names_and_are_looked_alike_by_nobody(auth: AuthService) -> None:
    first, second = auth.sign_up(f"{new_name()} ace"), auth.sign_up()
    # As they were registered when nothing was compared but the keys.
    alike = f"{first.name[:-3]}\u0430ce\ufe0f"
    auth.rows("update account set name_skeleton = null")
    auth.rows("update account set name = %s, name_key = %s where id = %s", alike, names.key(alike), second.id)
    async with sweeping(auth) as context:
        await compute_skeletons(context)
    assert auth.rows("select count(*) from account where name_skeleton is null") == [(0,)]
    assert auth.rows("select id from account where name_skeleton = %s", skeleton(alike)) == [(first.id,)]
    second.name = alike
    assert [auth.sign_in(person).status() for person in (first, second)] == [200, 200]
    third = {"name": f"{first.name[:-3]}ac\u0435", "password": PASSWORD}
    assert auth.client().post("/v1/auth/register", json=third).status_code == 409
