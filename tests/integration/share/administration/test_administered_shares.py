"""Every share in the hands of administrators: lists, searches, sums and acts, and the record of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.integration.share.asking import share_text
from tests.integration.share.running_share import ShareService

CALLS = (
    ("GET", "/v1/admin/shares"),
    ("GET", f"/v1/admin/shares/{uuid4()}"),
    ("PATCH", f"/v1/admin/shares/{uuid4()}"),
    ("DELETE", f"/v1/admin/shares/{uuid4()}"),
    ("POST", "/v1/admin/shares/batch"),
    ("GET", "/v1/admin/summary"),
)


@pytest.fixture
def administrator(service: ShareService) -> httpx.Client:
    return service.client(account=service.administrator())


@pytest.fixture
def mark() -> str:
    """A word that only this test's shares have in their names."""
    return f"mark{uuid4().hex[:12]}"


def listed(administrator: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    answer = administrator.get("/v1/admin/shares", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["shares"]


def batch(administrator: httpx.Client, act: str, ids: list[str], **values: Any) -> dict[str, Any]:
    answer = administrator.post("/v1/admin/shares/batch", json={"act": act, "ids": ids, **values})
    assert answer.status_code == 200, answer.text
    return answer.json()


def entries(service: ShareService, share_id: str) -> list[tuple[Any, ...]]:
    """The acts on a share in the audit log: name, account, address, old and new values."""
    statement = "select act, account_name, address, old, new from audit_entry where target_id = %s order by at"
    with psycopg.connect(service.database_url) as connection:
        return connection.execute(statement, [share_id]).fetchall()


def test_only_administrators_who_are_signed_in_may_call(service: ShareService, client: httpx.Client) -> None:
    user, key = service.client(account=service.sign_up()), service.key_of(service.administrator())
    for method, path in CALLS:
        assert client.request(method, path).status_code == 401
        assert user.request(method, path).status_code == 403
        with_key = client.request(method, path, auth=httpx.BasicAuth(key["api_key"], key["api_token"]))
        assert with_key.json()["code"] == "session_needed"


def test_shares_are_found_by_filters_and_words(
    service: ShareService, client: httpx.Client, administrator: httpx.Client, mark: str
) -> None:
    owner = service.sign_up()
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    kept = service.shared(name=f"{mark} 100%_Bericht.PDF", owner=str(owner.id), size=5)
    ending = service.shared(name=f"{mark} b.txt", expires_at=soon, form="link", size=9)
    text = share_text(client, f"A note about {mark}", expire_style="count", expire_value=3)
    codes = {share["code"] for share in listed(administrator, search=mark.upper())}
    assert codes == {kept.code, ending.code, text}
    for query, expected in (
        ({"kind": "text"}, {text}),
        ({"kind": "file"}, {kept.code, ending.code}),
        ({"form": "link"}, {ending.code}),
        ({"owner": str(owner.id)}, {kept.code}),
        ({"health": "warning"}, {ending.code, text}),
        ({"health": "attention"}, {ending.code, text}),
        ({"health": "permanent"}, {kept.code}),
        ({"health": "healthy"}, {kept.code}),
        ({"health": "danger"}, set[str]()),
        ({"status": "expired"}, set[str]()),
        ({"status": "active", "health": "never_retrieved"}, {kept.code, ending.code, text}),
    ):
        found = listed(administrator, search=mark, **query)
        # A text with a limited number of uses ends after a day, give or take the moment of this look.
        assert {share["code"] for share in found} == expected, query
    for words, expected in (
        ("100%_ber", {kept.code}),
        (r"100\%", set[str]()),
        ("100_", set[str]()),
        (kept.code, {kept.code}),
    ):
        assert {share["code"] for share in listed(administrator, search=words)} & codes == expected, words
    assert kept.code in {share["code"] for share in listed(administrator, search="10", owner=str(owner.id))}


def test_each_order_is_paged_without_gaps_and_repeats(
    service: ShareService, administrator: httpx.Client, mark: str
) -> None:
    ends = [None, datetime.now(UTC) + timedelta(days=2), datetime.now(UTC) + timedelta(days=1)]
    for number in range(7):
        end = ends[number % 3]
        service.shared(name=f"{mark} {'aB'[number % 2]}", size=number % 3, expires_at=end.isoformat() if end else None)
    for sort in ("created_at", "expires_at", "name", "size", "downloads", "code"):
        whole = [share["id"] for share in listed(administrator, search=mark, sort=sort, order="asc")]
        assert len(set(whole)) == 7
        for order in ("asc", "desc"):
            paged: list[str] = []
            query = {"search": mark, "sort": sort, "order": order, "limit": 2}
            page = administrator.get("/v1/admin/shares", params=query).json()
            assert page["total"] == 7
            while True:
                paged += [share["id"] for share in page["shares"]]
                if page["next"] is None:
                    break
                page = administrator.get("/v1/admin/shares", params={**query, "after": page["next"]}).json()
                assert page["total"] is None
            assert paged == (whole if order == "asc" else whole[::-1]), (sort, order)
    names = [share["name"][-1] for share in listed(administrator, search=mark, sort="name", order="asc")]
    assert names == ["a"] * 4 + ["B"] * 3
    cursor = administrator.get("/v1/admin/shares", params={"limit": 1}).json()["next"]
    for wrong in ({"sort": "name", "after": cursor}, {"after": "x"}, {"after": "W10="}, {"after": ""}):
        assert administrator.get("/v1/admin/shares", params=wrong).status_code == 400, wrong


def test_the_sums_follow_what_is_shared(service: ShareService, administrator: httpx.Client) -> None:
    before = administrator.get("/v1/admin/summary").json()
    service.shared(size=1000)
    service.shared(size=10, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    after = administrator.get("/v1/admin/summary").json()
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {
        "shares": 2,
        "size": 1010,
        "active": 2,
        "files": 2,
        "today": 2,
        "today_size": 1010,
        "expiring_soon": 1,
        "never_retrieved": 2,
        "permanent": 1,
    }


def test_acts_change_many_shares_at_once_and_are_recorded(
    service: ShareService, client: httpx.Client, administrator: httpx.Client, mark: str
) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    made = [service.shared(name=mark, expires_at=end.isoformat(), uses=1) for _ in range(3)]
    ids, unknown = [str(one.id) for one in made], str(uuid4())
    for act, values, changed in (
        ("extend", {"seconds": 86400}, {"expires_at": (end + timedelta(days=1))}),
        ("limit", {"downloads_left": 7}, {"downloads_left": 7}),
        ("expire", {"expires_at": None}, {"expires_at": None}),
        ("limit", {"downloads_left": None}, {"downloads_left": None}),
        ("annotate", {"note": " <b>=1+1</b> ", "tags": ["A", " a ", "b"]}, {"note": "<b>=1+1</b>", "tags": ["A", "b"]}),
        ("annotate", {"tags": []}, {"note": "<b>=1+1</b>", "tags": []}),
    ):
        answer = batch(administrator, act, [*ids, unknown, ids[0]], **values)
        assert (answer["done"], answer["missing"]) == (ids, [unknown])
        for share in listed(administrator, search=mark):
            for name, value in changed.items():
                found = datetime.fromisoformat(share[name]) if isinstance(value, datetime) else share[name]
                assert found == value, (act, share)
    codes = batch(administrator, "new_code", [*ids, unknown])
    assert codes["missing"] == [unknown]
    assert {share["id"]: share["code"] for share in listed(administrator, search=mark)} == codes["codes"]
    assert client.post("/share/metadata/", json={"code": made[0].code}).json()["code"] == 404
    assert client.post("/share/metadata/", json={"code": codes["codes"][ids[0]]}).json()["code"] == 200
    assert batch(administrator, "end", [*ids, unknown]) == {
        "done": ids,
        "missing": [unknown],
        "failed": {},
        "codes": {},
    }
    assert listed(administrator, search=mark) == []
    assert batch(administrator, "extend", ids, seconds=1)["missing"] == ids
    recorded = entries(service, ids[0])
    assert [act for act, *_ in recorded] == [
        *("share.extend", "share.limit", "share.expire", "share.limit", "share.annotate", "share.annotate"),
        *("share.code", "share.end"),
    ]
    assert {entry[1:3] for entry in recorded} == {("admin", dict(administrator.headers)["x-forwarded-for"])}
    assert recorded[1][3:] == ({"downloads_left": 1}, {"downloads_left": 7})
    assert made[0].code not in str(recorded)
    assert entries(service, unknown) == []


def test_a_link_has_no_code_to_be_replaced(service: ShareService, administrator: httpx.Client) -> None:
    link = service.share_link()
    answer = batch(administrator, "new_code", [str(link.id)])
    assert (answer["done"], list(answer["failed"])) == ([], [str(link.id)])


def test_one_share_is_changed(service: ShareService, administrator: httpx.Client) -> None:
    taken, made = service.shared(), service.shared(name="before")
    path = f"/v1/admin/shares/{made.id}"
    code = f"{uuid4().hex[:5].upper()}"
    answer = administrator.patch(path, json={"name": "after", "downloads_left": 2, "code": code, "tags": ["x"]})
    assert answer.status_code == 200
    found = administrator.get(path).json()
    assert [found[name] for name in ("name", "downloads_left", "code", "tags")] == ["after", 2, code, ["x"]]
    several = {"name": "other", "downloads_left": 9, "note": "other"}
    assert administrator.patch(path, json={**several, "code": taken.code}).json()["code"] == "code_taken"
    late = {**several, "code": None, "expires_at": "9999-12-31T00:00:00Z"}
    assert administrator.patch(path, json=late).status_code == 400
    assert administrator.get(path).json() == found
    for body in ({"code": "x"}, {"name": ""}, {"downloads_left": 0}, {"tags": ["x" * 25]}, {"note": "\0"}, {"gone": 1}):
        assert administrator.patch(path, json=body).status_code == 400, body
    assert administrator.get(path).json() == found
    chosen = f"My-{uuid4().hex[:9]}_1"
    assert administrator.patch(path, json={"code": chosen}).json()["code"] == chosen
    assert [share["id"] for share in listed(administrator, search=chosen, sort="code")] == [str(made.id)]
    for answer in ({"code": ""}, {"code": "files"}, {"code": "a b c"}, {"code": "x" * 65}):
        assert administrator.patch(path, json=answer).status_code == 400, answer
    assert administrator.delete(path).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        assert administrator.request(method, path, json={}).status_code == 404


def test_a_spent_share_can_be_given_uses_again(
    service: ShareService, client: httpx.Client, administrator: httpx.Client, mark: str
) -> None:
    made = service.shared(name=mark, uses=1)
    assert client.get("/share/select/", params={"code": made.code}).status_code == 200
    assert [share["id"] for share in listed(administrator, search=mark, status="expired")] == [str(made.id)]
    batch(administrator, "limit", [str(made.id)], downloads_left=1)
    assert [share["downloads"] for share in listed(administrator, search=mark, status="active")] == [1]
    assert service.client().get("/share/select/", params={"code": made.code}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"act": "extend"},
        {"act": "extend", "seconds": 0},
        {"act": "extend", "seconds": 10**15},
        {"act": "expire"},
        {"act": "expire", "expires_at": "9999-12-31T00:00:00Z"},
        {"act": "limit"},
        {"act": "limit", "downloads_left": 2**31},
        {"act": "annotate"},
        {"act": "annotate", "tags": [str(number) for number in range(13)]},
        {"act": "end", "ids": []},
        {"act": "end", "ids": [str(uuid4())] * 1001},
        {"act": "burn"},
        {"act": "end", "more": 1},
    ],
)
def test_an_act_that_makes_no_sense_is_refused(
    service: ShareService, administrator: httpx.Client, body: dict[str, Any]
) -> None:
    made = service.shared()
    answer = administrator.post("/v1/admin/shares/batch", json={"ids": [str(made.id)], **body})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert entries(service, str(made.id)) == []


def test_of_two_who_end_a_share_at_once_one_is_recorded(service: ShareService, administrator: httpx.Client) -> None:
    made = str(service.shared().id)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: batch(administrator, "end", [made]), range(4)))
    assert sorted(answer["done"] for answer in answers) == [[], [], [], [made]]
    assert len(entries(service, made)) == 1


def test_of_those_who_edit_a_share_at_once_each_is_obeyed_and_recorded_until_one_ends_it(
    service: ShareService, client: httpx.Client, administrator: httpx.Client
) -> None:
    """Each change is of the share as the one before left it: the log is one line of them, and the end is its end."""
    made = service.shared(name="0")
    path = f"/v1/admin/shares/{made.id}"

    def edit(number: int) -> int:
        if number == 5:
            return administrator.delete(path).status_code
        values = {"name": str(number), "downloads_left": number} if number % 2 else {"name": str(number)}
        return administrator.patch(path, json=values).status_code

    with ThreadPoolExecutor(3) as pool:
        first = list(pool.map(edit, (1, 2, 3)))
        answers = list(pool.map(edit, (4, 5, 6, 7, 8)))
    assert first == [200] * 3
    assert answers[1] == 204
    assert {answer for number, answer in enumerate(answers) if number != 1} <= {200, 404}
    found = entries(service, str(made.id))
    assert [entry[0] for entry in found] == ["share.change"] * (3 + answers.count(200)) + ["share.end"]
    known: dict[str, Any] = {"name": "0", "downloads_left": None}
    for _, _, _, old, new in found[:-1]:
        assert old == {name: known[name] for name in old}
        known |= new
    assert client.get("/share/select/", params={"code": made.code}).json()["code"] == 404


def test_the_log_is_only_ever_added_to(service: ShareService, administrator: httpx.Client) -> None:
    made = str(service.shared().id)
    batch(administrator, "end", [made])
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        for statement in (
            "update audit_entry set account_name = 'nobody'",
            "delete from audit_entry",
            "truncate audit_entry",
        ):
            with pytest.raises(psycopg.errors.RaiseException):
                connection.execute(statement)
    assert len(entries(service, made)) == 1


def test_a_change_of_the_policy_is_recorded_with_its_values(service: ShareService, administrator: httpx.Client) -> None:
    version = administrator.get("/v1/policy").json()["version"]
    asked = {"version": version, "values": {"upload_size": 77, "name": "Waystation"}}
    assert administrator.patch("/v1/policy", json=asked).status_code == 200
    (entry,) = entries(service, str(version + 1))
    assert (entry[0], entry[3:]) == ("policy.change", ({"upload_size": 10 * 1024**3}, {"upload_size": 77}))


def test_no_share_ends_later_than_can_be_written(service: ShareService, administrator: httpx.Client) -> None:
    share = service.shared(expires_at="9999-01-01T00:00:00Z")
    answer = administrator.post(
        "/v1/admin/shares/batch", json={"act": "extend", "ids": [str(share.id)], "seconds": 2**31 - 1}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
