"""Mirage's section on accounts, except for the calls that `accounts/test_shared_host.py` tests."""

import re

import httpx
import pytest

from tests.contract.mirage import wire
from tests.contract.mirage.wire import User, refused, succeeded

STATS = {"followers": 0, "following": 0, "posts": 0, "upvotes": 0, "downvotes": 0}


@pytest.fixture
def user(mirage: httpx.Client) -> User:
    """A user of the test's own."""
    return User(mirage)


@pytest.fixture
def other(mirage: httpx.Client) -> User:
    """A second one."""
    return User(mirage)


def profile(user: User, name: str | None = None) -> dict[str, object]:
    return succeeded(user.client.get(f"/api/user/{name or user.name}"))


def test_the_number_of_users_is_plain_text(mirage: httpx.Client) -> None:
    before = mirage.get("/api/usercount")
    assert (before.status_code, before.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert re.fullmatch("[0-9]+", before.text)
    User(mirage)
    assert int(mirage.get("/api/usercount").text) > int(before.text)


def test_anyone_may_read_a_profile(mirage: httpx.Client) -> None:
    user = User(mirage, avatar_url="https://a.example/x.png", description="a few words")
    body = profile(user)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", str(body.pop("created_at")))
    assert body == {
        "username": user.name,
        "avatar_url": "https://a.example/x.png",
        "description": "a few words",
        "custom_css": None,
        "background_image": None,
        "stats": STATS,
    }


def test_an_unknown_user_is_not_found(mirage: httpx.Client) -> None:
    for name in (wire.new_name(), "%00", "x" * 5000, "a%2Fb"):
        refused(mirage.get(f"/api/user/{name}"), 404, "user not found")


def test_settings_change_the_profile(user: User) -> None:
    done = "settings updated successfully"
    kept, clearable = {"avatar_url": "https://a.example/y.png"}, ("description", "custom_css", "background_image")
    fields = {**kept, **dict.fromkeys(clearable, "new")}
    succeeded(user.post("user/settings", **fields), message=done)
    assert {name: profile(user)[name] for name in fields} == fields
    succeeded(user.post("user/settings", **dict.fromkeys(("email", "password", *fields), "")), message=done)
    assert {name: profile(user)[name] for name in fields} == {**dict.fromkeys(clearable, ""), **kept}


def test_a_password_and_an_address_are_changed(user: User) -> None:
    succeeded(user.post("user/settings", password="another password", email=f"new-{user.email}"))
    wrong = user.client.post("/api/login", json={"username": user.name, "password": wire.PASSWORD})
    assert wrong.status_code in (400, 401)
    user.log_in("another password")


@pytest.mark.parametrize("fields", [{}, {"avatar_url": ""}, {"email": "", "password": ""}, {"other": "x"}])
def test_settings_without_fields_are_refused(user: User, fields: dict[str, object]) -> None:
    refused(user.post("user/settings", **fields), 400, "no fields to update")


def test_an_address_of_another_is_taken(user: User, other: User) -> None:
    refused(user.post("user/settings", email=f" {other.email.upper()} "), 400, "email already taken")


def test_settings_require_a_token(mirage: httpx.Client) -> None:
    refused(mirage.post("/api/user/settings", json={"description": "x"}), 401, "unauthorized")
