"""API keys: made, replaced and revoked, and what they may do."""

import re

import httpx
import pytest

from tests.integration.auth.running import PASSWORD, AuthService, Person


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
