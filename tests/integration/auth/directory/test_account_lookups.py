"""Chat looks up accounts by their names and ids."""

import pytest

from tests.integration.auth.mirage_users import User
from tests.integration.auth.running import AuthService, new_name


def test_chat_finds_an_account_by_any_spelling_of_its_name(auth: AuthService) -> None:
    user = User(auth, avatar_url="https://a.example/x.png")
    found = auth.internal("/internal/accounts/find", {"name": f" {user.name.upper()} "}, "chat").json()["account"]
    assert (found["name"], found["avatar_url"]) == (user.name, "https://a.example/x.png")
    for name in (new_name(), "", "a\0b", "x" * 4096):
        assert auth.internal("/internal/accounts/find", {"name": name}, "chat").json() == {"account": None}


def test_chat_asks_for_the_names_of_many_accounts_at_once(auth: AuthService) -> None:
    people = [auth.sign_up() for _ in range(3)]
    gone = "00000000-0000-4000-8000-000000000000"
    asked = {"ids": [*(str(person.id) for person in people), gone]}
    found = auth.internal("/internal/accounts/names", asked, "chat").json()["accounts"]
    expected = [{"id": str(person.id), "name": person.name, "avatar_url": None} for person in people]
    assert sorted(found, key=lambda row: row["id"]) == sorted(expected, key=lambda row: str(row["id"]))
    assert auth.internal("/internal/accounts/names", {"ids": []}, "chat").json() == {"accounts": []}


@pytest.mark.parametrize(
    ("path", "refused"),
    [("/internal/accounts/find", ("upload", "share")), ("/internal/accounts/names", ("share",))],
)
def test_services_that_need_no_names_get_none(auth: AuthService, path: str, refused: tuple[str, ...]) -> None:
    for service in refused:
        assert auth.internal(path, {"name": "x", "ids": []}, service).status_code == 403
    assert auth.client().post(path, json={"name": "x", "ids": []}).status_code == 401
