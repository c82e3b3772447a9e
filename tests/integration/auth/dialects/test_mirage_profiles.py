"""Mirage's profiles, settings and number of users."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.auth.mirage_users import OWN_HOST, User
from tests.integration.auth.running import PASSWORD, AuthService, new_name

JSON = {"Content-Type": "application/json"}
STATS = {"followers": 0, "following": 0, "posts": 0, "upvotes": 0, "downvotes": 0}


@pytest.fixture
def client(auth: AuthService) -> httpx.Client:
    return auth.client(host=OWN_HOST)


DONE = (200, {"message": "settings updated successfully"})
NOTHING = (400, {"error": "no fields to update"})


def test_the_number_of_users_is_a_bare_number(auth: AuthService, client: httpx.Client) -> None:
    before = client.get("/api/usercount")
    assert (before.status_code, before.headers["content-type"]) == (200, "text/html; charset=utf-8")
    User(auth)
    assert int(client.get("/api/usercount").text) == int(before.text) + 1


def test_a_profile_tells_what_its_owner_said(auth: AuthService) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    user = User(auth, avatar_url="https://a.example/x.png", description="a few words")
    found = user.profile()
    created_at = datetime.strptime(found.pop("created_at"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert before <= created_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert found == {
        "username": user.name,
        "avatar_url": "https://a.example/x.png",
        "description": "a few words",
        "custom_css": None,
        "background_image": None,
        "stats": STATS,
    }


def test_a_profile_is_found_by_any_spelling_and_nobody_by_none(auth: AuthService, client: httpx.Client) -> None:
    user = User(auth)
    assert client.get(f"/api/user/{user.name.upper()}").json()["username"] == user.name
    for path in (new_name(), "", "%00", "a/b", "x" * 5000, "%ff", f"{user.name}/"):
        answer = client.get(f"/api/user/{path}")
        assert (answer.status_code, answer.json()) == (404, {"error": "user not found"}), path


def test_a_name_with_a_slash_has_a_profile(auth: AuthService, client: httpx.Client) -> None:
    person = auth.sign_up(f"a/{secrets.token_hex(6)}")
    assert client.get(f"/api/user/{person.name}").json()["username"] == person.name


def test_settings_are_changed_one_by_one(auth: AuthService) -> None:
    user = User(auth, description="old")
    assert user.set(custom_css="b { color: red }", background_image="https://a.example/b.png") == DONE
    assert user.set(avatar_url="https://a.example/c.png") == DONE
    found = user.profile()
    shown = ("avatar_url", "description", "custom_css", "background_image")
    assert [found[name] for name in shown] == [
        "https://a.example/c.png",
        "old",
        "b { color: red }",
        "https://a.example/b.png",
    ]


def test_some_settings_can_be_emptied_and_others_are_left(auth: AuthService) -> None:
    user = User(auth, avatar_url="https://a.example/x.png", description="old")
    assert user.set(description="", custom_css="", background_image="") == DONE
    assert user.set(avatar_url="", email="", password="") == NOTHING
    found = user.profile()
    assert (found["avatar_url"], found["description"], found["custom_css"]) == ("https://a.example/x.png", "", "")
    assert user.log_in().status_code == 200


@pytest.mark.parametrize("fields", [{}, {"unknown": "x"}, {"description": None, "email": 7, "password": ["x"]}])
def test_no_settings_are_told(auth: AuthService, fields: dict[str, Any]) -> None:
    assert User(auth).set(**fields) == NOTHING


def test_an_address_of_somebody_else_cannot_be_taken(auth: AuthService) -> None:
    user, other = User(auth), User(auth)
    taken = (400, {"error": "email already taken"})
    assert user.set(email=other.email.upper(), description="not kept") == taken
    assert user.profile()["description"] is None
    assert user.set(email=user.email.upper()) == DONE
    assert user.set(email=f"{secrets.token_hex(6)}@example.org") == DONE
    assert other.set(email=user.email) == DONE


def test_a_new_password_ends_every_other_session(auth: AuthService) -> None:
    user = User(auth)
    login = {"name": user.name, "password": PASSWORD}
    signed = auth.client().post("/v1/auth/login", json=login).json()["token"]
    assert user.set(password="another password") == DONE
    assert user.set(description="still signed in") == DONE
    assert auth.client(token=signed).get("/v1/account").status_code == 401
    assert (user.log_in().status_code, user.log_in("another password").status_code) == (401, 200)


def test_a_signed_token_is_taken_after_its_word(auth: AuthService) -> None:
    person, user = auth.sign_up(), User(auth)
    assert user.set(f"Bearer {person.token}", description="by the native token") == DONE
    assert user.client.get(f"/api/user/{person.name}").json()["description"] == "by the native token"
    key = person.client.post("/v1/account/keys", json={"name": "a script"}).json()
    answer = httpx.post(
        f"{auth.url}/api/user/settings", json={"password": "x"}, auth=(key["api_key"], key["api_token"])
    )
    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})


@pytest.mark.parametrize("token", ["", "null", "x", "Bearer", "Bearer x", "Bearer a.b.c", "é".encode()])
def test_without_a_token_nothing_is_set(client: httpx.Client, token: str | bytes) -> None:
    headers: Any = {"Authorization": token}
    answer = client.post("/api/user/settings", json={"description": "x"}, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})
    assert client.post("/api/user/settings", json={}).json() == {"error": "unauthorized"}


def test_a_token_that_was_replaced_sets_nothing(auth: AuthService) -> None:
    user = User(auth)
    old = user.token
    user.log_in()
    assert user.set(old, description="x") == (401, {"error": "unauthorized"})


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "a\0b"},
        {"email": "a\0b"},
        {"password": "x" * 1025},
        {"avatar_url": "https://a.example/" + "x" * 8192},
        {"email": "x" * 321},
    ],
)
def test_what_cannot_be_kept_is_refused(auth: AuthService, fields: dict[str, str]) -> None:
    user = User(auth)
    before = user.profile()
    status, body = user.set(**fields)
    assert (status, set(body)) == (400, {"error"})
    assert user.profile() == before


def test_settings_are_json_and_not_much_of_it(auth: AuthService, client: httpx.Client) -> None:
    path = "/api/user/settings"
    headers = {"Authorization": User(auth).token}
    form = client.post(path, data={"description": "x"}, headers=headers)
    assert (form.status_code, set(form.json())) == (415, {"error"})
    for body in (b"", b"{", b"[]", b"[" * 10_000 + b"]" * 10_000, b'{"email": "\\ud800"}', b'{"email": "\xff"}'):
        answer = client.post(path, content=body, headers=headers | JSON)
        assert (answer.status_code, set(answer.json())) == (400, {"error"})
    large = client.post(path, json={"custom_css": "x" * 70_000}, headers=headers)
    assert (large.status_code, set(large.json())) == (413, {"error"})
    wrong_method = client.put(path, json={}, headers=headers)
    assert (wrong_method.status_code, set(wrong_method.json())) == (405, {"error"})
