"""Administrators list, promote and delete accounts, and nobody else does."""

import base64
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.integration.auth.running import AuthService, Person


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
    assert people[2].delete().status_code == 204
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
