"""Administrators list, search and suspend accounts, invite people, and let them set new passwords."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.integration.auth.running import AuthService, Person, login_body, running_auth
from tests.integration.share.running_share import policy_stand_in
from tests.serving import served

NEW_PASSWORD = "another good password"


@pytest.fixture
def administrator(auth: AuthService) -> Person:
    """Signed in for this test: a session of an earlier one may be of somebody who was no administrator for a moment."""
    return auth.administrator()


@pytest.fixture
def colleague(auth: AuthService) -> Iterator[Person]:
    """Another administrator, who is none afterwards."""
    person = auth.sign_up()
    auth.rows("update account set role = 'administrator' where id = %s", person.id)
    yield auth.sign_in(person)
    auth.rows("update account set role = 'user', suspended_at = null where id = %s", person.id)


def edit(administrator: Person, person: Person, **values: Any) -> httpx.Response:
    return administrator.client.patch(f"/v1/admin/accounts/{person.id}", json=values)


def acts(auth: AuthService, person: Person) -> list[tuple[Any, ...]]:
    return auth.rows("select act, old, new from audit_entry where target_id = %s order by at", str(person.id))


def names(administrator: Person, **query: Any) -> list[str]:
    answer = administrator.client.get("/v1/admin/accounts", params=query)
    assert answer.status_code == 200, answer.text
    return [account["name"] for account in answer.json()["accounts"]]


@pytest.mark.parametrize("sort", ["created_at", "name", "last_seen_at"])
def test_the_list_in_every_order_has_each_account_once(auth: AuthService, administrator: Person, sort: str) -> None:
    for _ in range(3):
        auth.sign_up()
    for order in ("asc", "desc"):
        found: list[str] = []
        query: dict[str, Any] = {"sort": sort, "order": order, "limit": 2}
        first = None
        while True:
            page = administrator.client.get("/v1/admin/accounts", params=query).json()
            first = first or page
            found += [account["id"] for account in page["accounts"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]
        assert len(found) == len(set(found)) == first["total"]
    assert administrator.client.get("/v1/admin/accounts", params={**query, "sort": "x"}).status_code == 422


def test_accounts_are_found_by_name_address_id_role_and_state(auth: AuthService, administrator: Person) -> None:
    person = auth.sign_up(f"Grace_100%-{uuid4().hex[:6]} \u202f<b>=1+1")
    auth.rows("update account set email = 'GH@navy.example', email_key = 'x' where id = %s", person.id)
    for keyword in ("GRACE_100%", "ace_1", "navy.ex", "<b>=1", "gr", str(person.id), person.id.hex):
        assert names(administrator, search=keyword) == [person.name], keyword
    assert names(administrator, search="ce_1__") == []
    assert names(administrator, search="ra") == []
    assert names(administrator, role="administrator") == ["admin"]
    assert names(administrator, state="suspended") == []
    edit(administrator, person, suspended=True)
    assert names(administrator, state="suspended") == [person.name]
    assert person.name not in names(administrator, state="active", limit=200)


@pytest.mark.parametrize("name", ["ΟΔΟΣ", "ΟΔΟΣ 7", "İSTANBUL"])
def test_names_that_languages_write_in_lower_case_by_rules_of_their_own(
    auth: AuthService, administrator: Person, name: str
) -> None:
    person = auth.sign_up(f"{uuid4().hex[:6]} {name}")
    assert names(administrator, search=name) == [person.name]
    after = None
    for _ in range(len(auth.rows("select from account"))):
        query = {"sort": "name", "order": "asc", "limit": 1, **({"after": after} if after else {})}
        after = administrator.client.get("/v1/admin/accounts", params=query).json()["next"]
    assert after is None, "no page begins with what the one before ended with"


def test_a_suspension_ends_sessions_for_good_and_keys_for_as_long(auth: AuthService, administrator: Person) -> None:
    person = auth.sign_up()
    pair = person.client.post("/v1/account/keys", json={"name": "laptop"}).json()
    basic = base64.b64encode(f"{pair['api_key']}:{pair['api_token']}".encode()).decode()
    by_key = {"Authorization": f"Basic {basic}"}
    stranger = auth.client()
    opaque = stranger.post("/api/login", json=login_body(person.name), headers={"Host": "mirage.test"}).json()["token"]
    assert stranger.get("/v1/account", headers=by_key).status_code == 200
    detail = administrator.client.get(f"/v1/admin/accounts/{person.id}").json()
    assert (detail["sessions"], detail["keys"], detail["suspended_at"]) == (2, 1, None)

    answer = edit(administrator, person, suspended=True, reason="spam <script>")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["suspended_for"], answer.json()["sessions"], answer.json()["keys"]) == ("spam <script>", 0, 1)
    assert person.status() == 401
    assert stranger.get("/v1/account", headers=by_key).status_code == 401
    name = (
        f"key:{auth.rows('select encode(key_digest, %s) from api_key where account_id = %s', 'hex', person.id)[0][0]}"
    )
    assert auth.internal("/internal/credentials", {"name": name}).json() == {"identity": None}

    for password, status in (("wrong", 401), (person.password, 403)):
        refused = stranger.post("/v1/auth/login", json=login_body(person.name, password))
        assert refused.status_code == status
    assert refused.json()["code"] == "account_suspended"
    uploader = stranger.post("/api/login", json=login_body(person.name), headers={"Host": "fileuploader.test"})
    assert (uploader.status_code, uploader.json()) == (
        403,
        {"status": "error", "message": "This account is suspended."},
    )
    mirage = stranger.post("/api/login", json=login_body(person.name), headers={"Host": "mirage.test"})
    assert (mirage.status_code, mirage.json()) == (403, {"error": "This account is suspended."})
    settings = {"description": "x"}
    changed = stranger.post(
        "/api/user/settings", json=settings, headers={"Host": "mirage.test", "Authorization": opaque}
    )
    assert (changed.status_code, changed.json()) == (401, {"error": "unauthorized"})

    assert edit(administrator, person, suspended=False).json()["suspended_for"] is None
    assert person.status() == 401
    assert stranger.get("/v1/account", headers=by_key).status_code == 200
    assert auth.sign_in(person).status() == 200
    suspended = {"suspended": False, "reason": None}, {"suspended": True, "reason": "spam <script>"}
    assert acts(auth, person) == [("account.suspend", *suspended), ("account.restore", *suspended[::-1])]


def test_two_administrators_who_remove_each_other_leave_one(auth: AuthService, administrator: Person) -> None:
    other = auth.sign_up()
    auth.rows("update account set role = 'administrator' where id = %s", other.id)
    other = auth.sign_in(other)
    calls = [(administrator, other, {"suspended": True}), (other, administrator, {"role": "user"})]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda call: edit(call[0], call[1], **call[2]).status_code, calls))
    # The second one is none any more when its turn comes.
    assert sorted(answers)[0] == 200
    assert sorted(answers)[1] in (401, 403)
    assert auth.rows("select count(*) from account where role = 'administrator' and suspended_at is null") == [(1,)]
    auth.rows("update account set role = 'administrator', suspended_at = null where id = %s", administrator.id)
    auth.rows("update account set role = 'user' where id = %s", other.id)


def test_the_last_administrator_stays_whatever_others_are_suspended(auth: AuthService, colleague: Person) -> None:
    administrator = auth.administrator()
    assert edit(administrator, colleague, suspended=True).status_code == 200
    for values in ({"role": "user"}, {"suspended": True}, {"role": "user", "suspended": True}):
        refused = edit(administrator, administrator, **values)
        assert (refused.status_code, refused.json()["code"]) == (409, "last_administrator")
    assert administrator.client.delete(f"/v1/admin/accounts/{administrator.id}").status_code == 409
    # One who is suspended is not the last one.
    assert edit(administrator, colleague, role="user").status_code == 200


def test_what_an_administrator_does_ends_with_the_session(auth: AuthService, colleague: Person) -> None:
    """The cache may still know a session that ended: what counts is the row, when the act is carried out."""
    person = auth.sign_up()
    assert colleague.client.get("/v1/admin/accounts").status_code == 200
    auth.rows("delete from session where account_id = %s", colleague.id)
    for answer in (
        edit(colleague, person, suspended=True),
        colleague.client.delete(f"/v1/admin/accounts/{person.id}"),
        colleague.client.post(f"/v1/admin/accounts/{person.id}/reset"),
        colleague.client.post("/v1/admin/invitations", json={}),
    ):
        assert answer.status_code == 403, answer.text
    assert person.status() == 200


def test_a_link_sets_a_new_password_once(auth: AuthService, administrator: Person) -> None:
    person = auth.sign_up()
    path = f"/v1/admin/accounts/{person.id}/reset"
    answers = [administrator.client.post(path, headers={"Host": "share.example"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[-1].text
    links = [answer.json() for answer in answers]
    tokens = [link["url"].partition("/reset#")[2] for link in links]
    assert links[1]["url"].startswith("http://share.example/reset#")

    def use(token: str, password: str = NEW_PASSWORD) -> tuple[int, str]:
        answer = auth.client().post("/v1/auth/reset", json={"token": token, "password": password})
        return answer.status_code, answer.json()["code"] if answer.content else ""

    assert use(tokens[0]) == (404, "link_invalid")
    assert use("\0" * 43) == (404, "link_invalid")
    assert use(tokens[1], "short") == (400, "password_too_short")
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, [tokens[1]] * 4))[:2] == [(204, ""), (404, "link_invalid")]
    assert person.status() == 401
    assert auth.client().post("/v1/auth/login", json=login_body(person.name)).status_code == 401
    person.password = NEW_PASSWORD
    person = auth.sign_in(person)
    assert [act for act, _, _ in acts(auth, person)] == ["account.reset", "account.reset", "account.password"]
    # A password that was changed since makes a link void.
    token = administrator.client.post(path).json()["url"].partition("#")[2]
    change = {"current": NEW_PASSWORD, "new": person.password + "!"}
    assert person.client.post("/v1/account/password", json=change).status_code == 200
    assert use(token) == (404, "link_invalid")
    assert token not in str(auth.rows("select old, new from audit_entry"))


def test_an_invitation_lets_one_account_in_while_registration_is_closed(
    make_database: MakeDatabase, valkey_url: str
) -> None:
    with (
        served(policy_stand_in({"registration": False})) as share,
        running_auth(make_database, valkey_url, share_url=share) as auth,
    ):
        administrator = auth.administrator()

        def register(token: str | None, name: str) -> tuple[int, str]:
            asked = {"name": name, "password": NEW_PASSWORD, "invitation": token}
            answer = auth.client().post("/v1/auth/register", json=asked)
            return answer.status_code, answer.json().get("code", "")

        made = administrator.client.post("/v1/admin/invitations", json={"note": '=HYPERLINK("x")', "days": 1}).json()
        token = made["url"].partition("/register#")[2]
        assert register(None, "nobody") == (403, "registration_closed")
        assert register("x" * 43, "nobody") == (403, "invitation_invalid")
        assert register(token, "admin")[0] == 409
        with ThreadPoolExecutor(3) as pool:
            answers = sorted(pool.map(lambda n: register(token, f"guest {n}"), range(3)))
        assert answers == [(201, ""), *[(403, "invitation_invalid")] * 2]
        (listed,) = administrator.client.get("/v1/admin/invitations").json()["invitations"]
        assert (listed["state"], listed["note"], "url" in listed) == ("used", '=HYPERLINK("x")', False)
        assert administrator.client.delete(f"/v1/admin/invitations/{listed['id']}").status_code == 404

        # Nothing that a lost right made may be used.
        second = administrator.client.post("/v1/admin/invitations", json={"role": "administrator"}).json()
        name = "second administrator"
        assert register(second["url"].partition("#")[2], name)[0] == 201
        body = {"name": name, "password": NEW_PASSWORD}
        bearer = f"Bearer {auth.client().post('/v1/auth/login', json=body).json()['token']}"
        theirs = auth.client()
        theirs.headers["Authorization"] = bearer
        invitation = theirs.post("/v1/admin/invitations", json={"role": "administrator"}).json()["url"]
        reset = theirs.post(f"/v1/admin/accounts/{listed['used_by']}/reset").json()["url"]
        found = administrator.client.get("/v1/admin/accounts", params={"search": name}).json()["accounts"][0]
        assert administrator.client.patch(f"/v1/admin/accounts/{found['id']}", json={"role": "user"}).status_code == 200
        assert register(invitation.partition("#")[2], "third") == (403, "invitation_invalid")
        refused = auth.client().post(
            "/v1/auth/reset", json={"token": reset.partition("#")[2], "password": NEW_PASSWORD}
        )
        assert refused.status_code == 404
        assert administrator.client.post("/v1/admin/invitations", json={"days": 91}).status_code == 400


def test_a_visit_is_recorded_once_an_hour(auth: AuthService, administrator: Person) -> None:
    person = auth.sign_up()

    def seen() -> Any:
        answer = administrator.client.get(f"/v1/admin/accounts/{person.id}")
        assert answer.status_code == 200, answer.text
        return answer.json()["last_seen_at"]

    first = seen()
    name = f"session:{person.session_id().hex}"
    assert auth.internal("/internal/credentials", {"name": name}).json()["identity"]
    assert seen() == first
    auth.rows("update account set last_seen_at = now() - interval '61 minutes' where id = %s", person.id)
    assert auth.internal("/internal/credentials", {"name": name}).json()["identity"]
    assert seen() >= first
