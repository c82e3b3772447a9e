"""One's own account, and what administrators do with others'."""

import base64
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import uuid4

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.integration.auth.running import PASSWORD, AuthService, Person, new_name, running_auth


@pytest.fixture(scope="module")
def auth(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    with running_auth(make_database, valkey_url) as service:
        yield service


@pytest.fixture
def person(auth: AuthService) -> Person:
    return auth.sign_up()


def delete(person: Person, password: str = PASSWORD) -> httpx.Response:
    return person.client.request("DELETE", "/v1/account", json={"password": password})


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
    assert person.client.post("/v1/account/password", json=change).status_code == 204
    assert (person.status(), other.status()) == (200, 401)
    ended = auth.client(host="mirage.test").post("/api/logout", json={"token": mirage.json()["token"]})
    assert ended.status_code == 401
    login = {"name": person.name, "password": PASSWORD}
    assert auth.client().post("/v1/auth/login", json=login).status_code == 401
    assert auth.client().post("/v1/auth/login", json={**login, "password": change["new"]}).status_code == 200


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
    assert delete(person, "wrong password").status_code == 403
    assert person.status() == 200
    assert delete(person).status_code == 204
    assert (person.status(), other.status()) == (401, 401)
    assert httpx.get(f"{auth.url}/v1/account", auth=(pair["api_key"], pair["api_token"])).status_code == 401
    assert delete(person).status_code == 401
    assert auth.client().post("/v1/auth/login", json={"name": person.name, "password": PASSWORD}).status_code == 401
    assert not auth.rows("select 1 from session where account_id = %s", person.id)


def test_keys_are_shown_once_and_open_files_only(auth: AuthService, person: Person) -> None:
    answer = person.client.post("/v1/account/keys", json={"name": "nightly"})
    assert answer.status_code == 201
    pair = answer.json()
    assert re.fullmatch("[0-9a-f]{32}", pair["api_key"])
    assert re.fullmatch("[0-9a-f]{32}", pair["api_token"])
    listed = person.client.get("/v1/account/keys")
    assert listed.json()["keys"] == [{key: pair[key] for key in ("id", "name", "hint", "created_at")}]
    assert pair["hint"] == pair["api_key"][:4]
    stored = str(auth.rows("select * from api_key where account_id = %s", person.id))
    assert pair["api_key"] not in stored
    assert pair["api_token"] not in stored
    by_key = httpx.Client(base_url=auth.url, auth=(pair["api_key"], pair["api_token"]))
    auth.opened.enter_context(by_key)
    assert by_key.get("/v1/account").json()["id"] == str(person.id)
    for method, path in [
        ("POST", "/v1/account/keys"),
        ("GET", "/v1/account/keys"),
        ("POST", "/v1/account/uploaders/curl"),
        ("POST", "/v1/account/uploaders/sharex"),
        ("GET", "/v1/auth/sessions"),
        ("POST", "/v1/auth/refresh"),
        ("POST", "/v1/auth/logout"),
        ("DELETE", "/v1/account"),
        ("PATCH", "/v1/account"),
    ]:
        answer = by_key.request(method, path, json={"name": "x", "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (403, "session_needed"), path


def test_a_key_needs_its_own_token(auth: AuthService, person: Person) -> None:
    one, other = (person.client.post("/v1/account/keys", json={"name": name}).json() for name in "ab")
    flipped = one["api_token"][:-1] + ("0" if one["api_token"][-1] != "0" else "1")
    for key, token in [
        (one["api_key"], other["api_token"]),
        (one["api_key"], flipped),
        (one["api_key"], ""),
        (one["api_token"], one["api_key"]),
        (one["api_key"].upper(), one["api_token"]),
    ]:
        assert httpx.get(f"{auth.url}/v1/account", auth=(key, token)).status_code == 401
    assert httpx.get(f"{auth.url}/v1/account", auth=(one["api_key"], one["api_token"])).status_code == 200


def test_a_regenerated_or_revoked_key_is_worth_nothing_at_once(auth: AuthService, person: Person) -> None:
    def status(pair: dict[str, str]) -> int:
        return httpx.get(f"{auth.url}/v1/account", auth=(pair["api_key"], pair["api_token"])).status_code

    old = person.client.post("/v1/account/keys", json={"name": "a"}).json()
    assert status(old) == 200
    new = person.client.post(f"/v1/account/keys/{old['id']}/regenerate").json()
    assert (new["id"], new["name"]) == (old["id"], "a")
    assert (status(old), status(new)) == (401, 200)
    mixed = {"api_key": new["api_key"], "api_token": old["api_token"]}
    assert status(mixed) == 401
    stranger = auth.sign_up()
    assert stranger.client.delete(f"/v1/account/keys/{old['id']}").status_code == 404
    assert stranger.client.post(f"/v1/account/keys/{old['id']}/regenerate").status_code == 404
    assert person.client.delete(f"/v1/account/keys/{old['id']}").status_code == 204
    assert status(new) == 401
    assert person.client.delete(f"/v1/account/keys/{old['id']}").status_code == 404


@pytest.mark.parametrize("name", ["", "x" * 101, "a\u0000b", "a\nb", 7])
def test_a_key_has_a_name(person: Person, name: object) -> None:
    assert person.client.post("/v1/account/keys", json={"name": name}).status_code == 400


def test_an_account_has_so_many_keys_and_no_more(auth: AuthService, person: Person) -> None:
    auth.rows(
        "insert into api_key (id, account_id, name, key_digest, token_digest, hint, created_at)"
        " select gen_random_uuid(), %s, '', gen_random_uuid()::text::bytea, '', '', now() from generate_series(1, 199)",
        person.id,
    )
    assert person.client.post("/v1/account/keys", json={"name": "the last"}).status_code == 201
    answer = person.client.post("/v1/account/keys", json={"name": "too many"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")


def test_a_sharex_file_is_ready_to_be_opened(auth: AuthService, person: Person) -> None:
    answer = person.client.post("/v1/account/uploaders/sharex", headers={"Host": "files.test:8080"})
    assert answer.headers["content-disposition"] == 'attachment; filename="waystation.sxcu"'
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["RequestURL"] == "http://files.test:8080/api/upload/private"
    assert (found["RequestMethod"], found["Body"], found["FileFormName"]) == ("POST", "MultipartFormData", "file")
    assert found["URL"] == "{json:file_url_full}"
    assert found["DeletionURL"] == "http://files.test:8080/api/delete/{json:file_url}?key={json:key}"
    assert found["ErrorMessage"] == "{json:message}"
    token = found["Headers"]["Authorization"].removeprefix("Bearer ")
    assert auth.client(token=token).get("/v1/account").json()["id"] == str(person.id)
    session = person.client.get("/v1/auth/sessions").json()["sessions"][0]
    assert session["label"] == "ShareX"
    assert datetime.fromisoformat(session["expires_at"]).timestamp() == pytest.approx(time.time() + 15_552_000, abs=60)
    assert person.client.delete(f"/v1/auth/sessions/{session['id']}").status_code == 204
    assert auth.client(token=token).get("/v1/account").status_code == 401


def test_a_curl_line_names_the_public_address(make_database: MakeDatabase, valkey_url: str) -> None:
    with running_auth(make_database, valkey_url, public_url="https://files.example.org/") as auth:
        person = auth.sign_up()
        answer = person.client.post("/v1/account/uploaders/curl")
        assert answer.headers["content-type"].startswith("text/plain")
        pattern = r"curl -H 'Authorization: Bearer (\S+)' -F 'file=@FILE' '(https://\S+)'\n"
        found = re.fullmatch(pattern, answer.text)
        assert found
        assert found[2] == "https://files.example.org/api/upload/private?include_ext=true"
        assert auth.client(token=found[1]).get("/v1/account").status_code == 200


def test_nobody_but_an_administrator_administers(auth: AuthService, person: Person) -> None:
    pair = auth.administrator().client.post("/v1/account/keys", json={"name": "a"}).json()
    by_key = "Basic " + base64.b64encode(f"{pair['api_key']}:{pair['api_token']}".encode()).decode()
    for method, path in [
        ("GET", "/v1/accounts"),
        ("PATCH", f"/v1/accounts/{person.id}"),
        ("DELETE", f"/v1/accounts/{person.id}"),
        ("POST", "/v1/signing-keys"),
    ]:
        body = {"role": "administrator"}
        assert person.client.request(method, path, json=body).status_code == 403
        assert auth.client().request(method, path, json=body).status_code == 401
        assert auth.client().request(method, path, json=body, headers={"Authorization": by_key}).status_code == 403
    assert person.client.get("/v1/account").json()["role"] == "user"


def test_accounts_are_listed_in_pages(auth: AuthService) -> None:
    people = [auth.sign_up() for _ in range(5)]
    administrator = auth.administrator()
    first = administrator.client.get("/v1/accounts?limit=3").json()
    assert [account["name"] for account in first["accounts"]] == [person.name for person in people[:1:-1]]
    assert delete(people[2]).status_code == 204
    second = administrator.client.get("/v1/accounts", params={"limit": 2, "after": first["next"]}).json()
    assert [account["name"] for account in second["accounts"]] == [people[1].name, people[0].name]
    whole = administrator.client.get("/v1/accounts?limit=200").json()
    assert whole["next"] is None
    assert all("password_hash" not in account for account in whole["accounts"])
    for query in ("limit=0", "limit=201", "limit=x"):
        assert administrator.client.get(f"/v1/accounts?{query}").status_code == 422
    assert administrator.client.get("/v1/accounts?after=x").status_code == 400


def test_a_new_role_counts_at_once(auth: AuthService, person: Person) -> None:
    administrator = auth.administrator()
    assert person.client.get("/v1/accounts").status_code == 403
    path = f"/v1/accounts/{person.id}"
    assert administrator.client.patch(path, json={"role": "administrator"}).json()["role"] == "administrator"
    assert person.client.get("/v1/accounts").status_code == 200
    assert administrator.client.patch(path, json={"role": "user"}).json()["role"] == "user"
    assert person.client.get("/v1/accounts").status_code == 403
    assert administrator.client.patch(path, json={"role": "emperor"}).status_code == 400
    missing = f"/v1/accounts/{uuid4()}"
    assert administrator.client.patch(missing, json={"role": "user"}).status_code == 404
    assert administrator.client.delete(missing).status_code == 404


def test_there_is_always_an_administrator(auth: AuthService) -> None:
    administrator, other = auth.administrator(), auth.sign_up()
    path, theirs = f"/v1/accounts/{administrator.id}", f"/v1/accounts/{other.id}"
    for answer in (administrator.client.delete(path), administrator.client.patch(path, json={"role": "user"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert administrator.client.patch(theirs, json={"role": "administrator"}).status_code == 200
    calls = [(administrator, theirs), (other, path)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda call: call[0].client.patch(call[1], json={"role": "user"}), calls))
    assert auth.rows("select count(*) from account where role = 'administrator'") == [(1,)]
    auth.rows("update account set role = 'administrator' where id = %s", administrator.id)
    auth.rows("update account set role = 'user' where id = %s", other.id)


def test_an_administrator_deletes_an_account(auth: AuthService, person: Person) -> None:
    assert auth.administrator().client.delete(f"/v1/accounts/{person.id}").status_code == 204
    assert person.status() == 401


def test_the_api_is_documented(auth: AuthService) -> None:
    document = httpx.get(f"{auth.url}/v1/openapi/auth.json").json()
    paths = document["paths"]
    assert {"/v1/auth/login", "/v1/account", "/v1/account/keys", "/v1/accounts", "/v1/signing-keys"} <= set(paths)
    assert not any(path.startswith(("/internal", "/api")) for path in paths)
    login = paths["/v1/auth/login"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(login["required"]) == {"name", "password"}
    assert {"token", "api_key"} <= set(document["components"]["securitySchemes"])
