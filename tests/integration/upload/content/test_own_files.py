"""`/v1/files`: what owners do with their files, and what nobody else does."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.running_upload import UploadService, running_upload_service

CALLERS = ("owner", "stranger", "administrator", "nobody", "signed out")
VERBS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("GET", "", None, (200, 404, 200, 401, 401)),
    ("PATCH", "", {"name": "new.txt"}, (200, 404, 403, 401, 401)),
    ("PATCH", "", {"expires_at": None}, (200, 404, 403, 401, 401)),
    ("PATCH", "", {"password": "secret"}, (200, 404, 403, 401, 401)),
    ("GET", "/content", None, (200, 404, 403, 401, 401)),
    ("HEAD", "/content", None, (200, 404, 403, 401, 401)),
    ("DELETE", "", None, (204, 404, 204, 401, 401)),
]
SOON = timedelta(hours=1)


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service:
        yield service


@pytest.fixture
def owner(service: UploadService) -> Person:
    return service.auth.sign_up()


@pytest.fixture
def client(service: UploadService, owner: Person) -> httpx.Client:
    return service.client(owner)


def problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb[0]}{verb[1]} {verb[2] or ''}")
def test_only_the_owner_may(service: UploadService, owner: Person, verb: tuple[Any, ...], who: str) -> None:
    file_id = service.own_file(owner)
    method, path, body, statuses = verb
    expected = statuses[CALLERS.index(who)]
    answer = service.caller(who, owner).request(method, f"/v1/files/{file_id}{path}", json=body)
    assert answer.status_code == expected, answer.text
    if method != "DELETE" or expected >= 400:
        kept = service.client(owner).get(f"/v1/files/{file_id}")
        assert kept.status_code == 200
        changed = method == "PATCH" and expected == 200
        assert (kept.json()["name"], kept.json()["has_password"]) == (
            "new.txt" if changed and "name" in body else "name.txt",
            changed and "password" in body,
        )


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb[0]}{verb[1]}")
def test_what_is_nobodys_is_only_the_administrators_to_see_and_delete(
    service: UploadService, owner: Person, verb: tuple[Any, ...]
) -> None:
    method, path, body, statuses = verb
    file_id = service.own_file(None)
    answer = service.client(owner).request(method, f"/v1/files/{file_id}{path}", json=body)
    assert answer.status_code == 404
    answer = service.caller("administrator", owner).request(method, f"/v1/files/{file_id}{path}", json=body)
    assert answer.status_code == statuses[CALLERS.index("administrator")]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb[0]}{verb[1]}")
def test_what_is_unknown_is_not_found(client: httpx.Client, verb: tuple[Any, ...]) -> None:
    method, path, body, _ = verb
    assert client.request(method, f"/v1/files/{uuid4()}{path}", json=body).status_code == 404
    assert client.request(method, f"/v1/files/nonsense{path}", json=body).status_code == 422


def test_a_file_says_what_it_is(service: UploadService, owner: Person, client: httpx.Client) -> None:
    file_id = service.own_file(owner, b"content", "ä.txt")
    answer = client.get(f"/v1/files/{file_id}").json()
    created_at = datetime.fromisoformat(answer.pop("created_at"))
    assert abs(created_at - datetime.now(UTC)) < SOON
    assert answer == {
        "id": file_id,
        "name": "ä.txt",
        "size": 7,
        "sha256": hashlib.sha256(b"content").hexdigest(),
        "state": "ready",
        "expires_at": None,
        "has_password": False,
    }


def test_the_owner_fetches_without_a_code(service: UploadService, owner: Person, client: httpx.Client) -> None:
    file_id = service.own_file(owner, b"content", "ä.html")
    client.patch(f"/v1/files/{file_id}", json={"password": "not asked for here"})
    for method in ("GET", "HEAD"):
        answer = client.request(method, f"/v1/files/{file_id}/content")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == "attachment; filename=\"_.html\"; filename*=UTF-8''%C3%A4.html"
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "sandbox" in answer.headers["content-security-policy"]
        stored = httpx.request(method, service.settings.s3_endpoint + answer.headers["x-store-path"])
        assert (stored.status_code, stored.headers["content-length"]) == (200, "7")
        assert stored.content == (b"content" if method == "GET" else b"")


def pages(client: httpx.Client, limit: int, **query: str) -> list[list[str]]:
    """The ids on each page of a list."""
    found: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        answer = client.get("/v1/files", params={"limit": limit, **after, **query})
        assert answer.status_code == 200, answer.text
        found.append([file["id"] for file in answer.json()["files"]])
        if answer.json()["next"] is None:
            return found
        after = {"after": answer.json()["next"]}


def test_a_list_shows_ones_own_the_newest_first(service: UploadService, owner: Person, client: httpx.Client) -> None:
    assert pages(client, 1) == [[]]
    uploaded = [service.own_file(owner) for _ in range(3)]
    service.own_file(service.auth.sign_up())
    service.own_file(None)
    assert pages(client, 200) == [uploaded[::-1]]
    assert client.get("/v1/files").json()["next"] is None


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (4, [4, 1]), (5, [5])])
def test_pages_neither_lose_nor_repeat_files_of_one_moment(
    service: UploadService, owner: Person, client: httpx.Client, limit: int, sizes: list[int]
) -> None:
    uploaded = {service.own_file(owner) for _ in range(5)}
    service.ask("update file set created_at = '2026-01-01T00:00:00.123456Z' where owner = %s", owner.id)
    found = pages(client, limit)
    assert [len(page) for page in found] == sizes
    listed = [UUID(file_id) for page in found for file_id in page]
    assert {str(file_id) for file_id in listed} == uploaded
    assert listed == sorted(listed, reverse=True)


def test_files_that_come_and_go_between_two_pages_shift_nothing(
    service: UploadService, owner: Person, client: httpx.Client
) -> None:
    first, second, third = [service.own_file(owner) for _ in range(3)]
    answer = client.get("/v1/files", params={"limit": 2}).json()
    assert [file["id"] for file in answer["files"]] == [third, second]
    service.own_file(owner)
    client.delete(f"/v1/files/{second}")
    after = client.get("/v1/files", params={"limit": 2, "after": answer["next"]}).json()
    assert [file["id"] for file in after["files"]] == [first]


def test_an_administrator_lists_anothers_files(service: UploadService, owner: Person, client: httpx.Client) -> None:
    file_id = service.own_file(owner)
    asked = {"owner": str(owner.id)}
    assert pages(service.caller("administrator", owner), 1, **asked) == [[file_id]]
    assert pages(client, 1, **asked) == [[file_id]]
    problem(service.caller("stranger", owner).get("/v1/files", params=asked), 403)
    problem(service.caller("nobody", owner).get("/v1/files", params=asked), 401)


FAR = base64.urlsafe_b64encode(b"\x7f" + b"\xff" * 23).decode()


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": limit} for limit in ("0", "201", "-1", "x", "9" * 30, "")),
        *({"after": after} for after in ("", "x", "ä", "A" * 31, "A" * 33, "\0", "=" * 32, FAR)),
        {"owner": "nonsense"},
    ],
    ids=str,
)
def test_lists_that_cannot_be_are_refused(client: httpx.Client, query: dict[str, str]) -> None:
    answer = client.get("/v1/files", params=query)
    problem(answer, 422 if "after" not in query else 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"name": null}',
        b'{"name": 1}',
        b'{"name": ""}',
        b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
        b'{"name": "' + b"x" * 9000 + b'"}',
        b'{"nome": "x"}',
        b'{"expires_at": "tomorrow"}',
        b'{"expires_at": "2030-01-01T00:00:00"}',
        b'{"expires_at": "9999-12-31T23:59:59-12:00"}',
        b'{"expires_at": 1e300}',
        b'{"password": ""}',
        b'{"password": "' + b"x" * 1025 + b'"}',
        b'{"password": 1}',
        b'{"a":' * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_changes_that_cannot_be_are_refused_and_change_nothing(
    service: UploadService, owner: Person, client: httpx.Client, body: bytes
) -> None:
    file_id = service.own_file(owner)
    before = client.get(f"/v1/files/{file_id}").json()
    problem(client.patch(f"/v1/files/{file_id}", content=body), 400)
    assert client.get(f"/v1/files/{file_id}").json() == before
    assert UUID(file_id) not in [renamed for renamed, _ in service.share.renamed]


def test_a_body_of_megabytes_is_refused(service: UploadService, owner: Person, client: httpx.Client) -> None:
    file_id = service.own_file(owner)
    body = b'{"password": "' + b"x" * 1_000_000 + b'"}'
    problem(client.patch(f"/v1/files/{file_id}", content=body), 413)


def test_only_what_is_named_changes(service: UploadService, owner: Person, client: httpx.Client) -> None:
    path = f"/v1/files/{service.own_file(owner)}"
    ends = datetime(2999, 1, 1, 12, 30, tzinfo=UTC)
    steps: list[tuple[dict[str, Any], tuple[str, datetime | None, bool]]] = [
        ({}, ("name.txt", None, False)),
        ({"name": "né w.txt"}, ("né w.txt", None, False)),
        ({"expires_at": "2999-01-01T13:30:00+01:00"}, ("né w.txt", ends, False)),
        ({"password": "pass"}, ("né w.txt", ends, True)),
        ({"name": "n" * 8192}, ("n" * 255, ends, True)),
        ({"name": "../../etc/x\r\n.txt"}, ("x  .txt", ends, True)),
        ({"password": None}, ("x  .txt", ends, False)),
        ({"expires_at": None, "name": "last"}, ("last", None, False)),
    ]
    for change, (name, expires_at, has_password) in steps:
        answer = client.patch(path, json=change)
        assert answer.status_code == 200, answer.text
        assert client.get(path).json() == answer.json()
        told = answer.json()["expires_at"]
        assert (answer.json()["name"], answer.json()["has_password"]) == (name, has_password)
        assert (told and datetime.fromisoformat(told)) == expires_at


def test_a_new_name_is_told_to_share_first(service: UploadService, owner: Person, client: httpx.Client) -> None:
    file_id = service.own_file(owner)
    service.share.is_down = True
    try:
        answer = client.patch(f"/v1/files/{file_id}", json={"name": "new", "password": "x"})
    finally:
        service.share.is_down = False
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    kept = client.get(f"/v1/files/{file_id}").json()
    assert (kept["name"], kept["has_password"]) == ("name.txt", False)
    assert client.patch(f"/v1/files/{file_id}", json={"name": "new"}).status_code == 200
    assert service.share.renamed[-1] == (UUID(file_id), "new")


def test_passwords_are_kept_as_hashes_and_told_to_share(
    service: UploadService, owner: Person, client: httpx.Client
) -> None:
    file_id = service.own_file(owner)

    def told() -> str | None:
        hashes = [
            service.internal("POST", f"/internal/files/{file_id}/{call}", asked).json()["password_hash"]
            for call, asked in (("download", {"method": "GET"}), ("password", None))
        ]
        assert hashes[0] == hashes[1]
        return hashes[0]

    assert told() is None
    client.patch(f"/v1/files/{file_id}", json={"password": "my password"})
    hashed = told()
    assert hashed is not None
    assert hashed.startswith("$argon2id$")
    client.patch(f"/v1/files/{file_id}", json={"password": None})
    assert told() is None


def test_a_file_that_is_being_verified_or_corrupt_is_listed_but_not_fetched(
    service: UploadService, owner: Person, client: httpx.Client
) -> None:
    for state, status in (("pending", 425), ("corrupt", 410)):
        file_id = uuid4()
        statement = "insert into file (id, name, size, state, owner) values (%s, 'x', 1, %s, %s)"
        service.ask(statement, file_id, state, owner.id)
        shown = client.get(f"/v1/files/{file_id}").json()
        assert (shown["state"], shown["sha256"]) == (state, None)
        problem(client.get(f"/v1/files/{file_id}/content"), status)
        assert client.delete(f"/v1/files/{file_id}").status_code == 204


def test_the_document_names_every_call(client: httpx.Client) -> None:
    document = client.get("/v1/openapi/upload.json").json()
    assert set(document["paths"]["/v1/files"]) == {"get"}
    assert set(document["paths"]["/v1/files/{file_id}"]) == {"get", "patch", "delete"}
    body = document["paths"]["/v1/files/{file_id}"]["patch"]["requestBody"]
    assert set(body["content"]["application/json"]["schema"]["properties"]) == {"name", "expires_at", "password"}
