"""Changing and deleting one's own account."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.integration.auth.running import PASSWORD, AuthService, Person, new_name


def test_a_renamed_account_is_known_by_its_new_name_at_once_and_by_no_other(auth: AuthService, person: Person) -> None:
    other, name = auth.sign_in(person), new_name()
    assert other.client.get("/v1/account").json()["name"] == person.name
    assert person.client.patch("/v1/account", json={"name": name}).json()["name"] == name
    for session in (person, other):
        answer = auth.client().get("/api/login/token", headers={"Authorization": f"Bearer {session.token}"})
        assert answer.json()["username"] == name
    assert auth.client().post("/v1/auth/login", json={"name": person.name, "password": PASSWORD}).status_code == 401
    assert auth.client().post("/v1/auth/login", json={"name": name, "password": PASSWORD}).status_code == 200
    assert auth.sign_up(person.name).status() == 200


def test_a_name_that_another_has_cannot_be_taken(auth: AuthService, person: Person) -> None:
    other = auth.sign_up()
    answer = person.client.patch("/v1/account", json={"name": other.name.upper()})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert person.client.patch("/v1/account", json={"name": "a\u0000b"}).status_code == 400
    assert person.client.get("/v1/account").json()["name"] == person.name
    assert person.client.patch("/v1/account", json={"name": person.name.upper()}).json()["name"] == person.name.upper()


def test_of_two_who_take_one_name_at_once_one_gets_it(auth: AuthService) -> None:
    people, name = [auth.sign_up() for _ in range(4)], new_name()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda person: person.client.patch("/v1/account", json={"name": name}), people))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


def test_a_new_password_ends_all_other_sessions(auth: AuthService, person: Person) -> None:
    other = auth.sign_in(person)
    mirage = auth.client(host="mirage.test").post("/api/login", json={"username": person.name, "password": PASSWORD})
    change = {"current": PASSWORD, "new": "another good password"}
    assert person.client.post("/v1/account/password", json=change).status_code == 200
    assert (person.status(), other.status()) == (200, 401)
    ended = auth.client(host="mirage.test").post("/api/logout", json={"token": mirage.json()["token"]})
    assert ended.status_code == 401
    login = {"name": person.name, "password": PASSWORD}
    assert auth.client().post("/v1/auth/login", json=login).status_code == 401
    assert auth.client().post("/v1/auth/login", json={**login, "password": change["new"]}).status_code == 200


def test_a_new_password_says_which_keys_remain_and_ends_them_if_asked(auth: AuthService, person: Person) -> None:
    pair = person.client.post("/v1/account/keys", json={"name": "script"}).json()
    basic = (pair["api_key"], pair["api_token"])
    change = {"current": PASSWORD, "new": "another good password"}
    answer = person.client.post("/v1/account/password", json=change)
    assert [key["name"] for key in answer.json()["keys"]] == ["script"]
    assert httpx.get(f"{auth.url}/v1/account", auth=basic).status_code == 200
    change = {"current": change["new"], "new": PASSWORD, "end_keys": True}
    assert person.client.post("/v1/account/password", json=change).json() == {"keys": []}
    assert httpx.get(f"{auth.url}/v1/account", auth=basic).status_code == 401
    assert person.client.get("/v1/account/keys").json() == {"keys": []}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"current": "wrong password", "new": "another good password"}, 403, "wrong_password"),
        ({"current": PASSWORD, "new": "short"}, 400, "password_too_short"),
        ({"current": PASSWORD, "new": "x" * 1025}, 400, "password_unusable"),
        ({"current": "x" * 1025, "new": "another good password"}, 400, "password_unusable"),
        ({"new": "another good password"}, 400, "invalid_input"),
    ],
)
def test_a_password_is_not_changed_by_who_does_not_know_it(
    auth: AuthService, person: Person, change: dict[str, str], status: int, code: str
) -> None:
    other = auth.sign_in(person)
    answer = person.client.post("/v1/account/password", json=change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert other.status() == 200


def test_a_deleted_account_is_signed_in_nowhere(auth: AuthService, person: Person) -> None:
    other = auth.sign_in(person)
    pair = person.client.post("/v1/account/keys", json={"name": "script"}).json()
    assert person.delete("wrong password").status_code == 403
    assert person.status() == 200
    assert person.delete().status_code == 204
    assert (person.status(), other.status()) == (401, 401)
    assert httpx.get(f"{auth.url}/v1/account", auth=(pair["api_key"], pair["api_token"])).status_code == 401
    assert person.delete().status_code == 401
    assert auth.client().post("/v1/auth/login", json={"name": person.name, "password": PASSWORD}).status_code == 401
    assert not auth.rows("select 1 from session where account_id = %s", person.id)
