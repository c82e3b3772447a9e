"""`/v1/fetches`: owners request and see their fetches, and nobody else does."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Response

from common import asked_policy
from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.contexts import Requests
from tests.integration.upload.running_upload import UploadService, running_upload_service
from tests.serving import served
from upload_service.build import build, opened
from upload_service.fetches.running import run_fetch

CALLERS = ("owner", "stranger", "administrator", "nobody", "signed out")
SOMEWHERE = "http://files.example/a.txt"
MOST_OPEN = 4


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    changes: dict[str, Any] = {"fetch_allowed_networks": "127.0.0.0/8", "fetches_open": MOST_OPEN}
    with running_upload_service(make_database, engines, **changes) as service:
        yield service


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another server, with a file."""
    app = FastAPI()
    app.add_api_route("/a.txt", lambda: Response(b"abc", media_type="text/plain"))
    with served(app) as url:
        yield f"{url}/a.txt"


@pytest.fixture
def owner(service: UploadService) -> Person:
    return service.auth.sign_up()


@pytest.fixture
def client(service: UploadService, owner: Person) -> httpx.Client:
    return service.client(owner)


def ask(client: httpx.Client, url: str = SOMEWHERE, **asked: Any) -> dict[str, Any]:
    answer = client.post("/v1/fetches", json={"url": url, **asked})
    assert answer.status_code == 202, answer.text
    return answer.json()


def work(service: UploadService, fetch_id: str) -> None:
    """Run a fetch as the worker of transfers does."""

    async def run() -> None:
        async with opened(build(service.settings, Requests(), pool_size=4)) as context:
            await run_fetch(context, UUID(fetch_id))

    asyncio.run(run())


def problem(answer: httpx.Response, status: int, code: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if code:
        assert answer.json()["code"] == code


@pytest.mark.parametrize(("form", "path"), [("link", "/f/"), ("page", "/m/"), ("code", None)])
def test_a_fetch_becomes_a_file_of_the_account_and_a_share(
    service: UploadService, client: httpx.Client, elsewhere: str, form: str, path: str | None
) -> None:
    expires_at = "2999-01-01T00:00:00Z"
    asked = ask(client, elsewhere, form=form, downloads=3, expires_at=expires_at, password="secret")
    assert asked["state"] == "queued"
    assert [asked[name] for name in ("name", "size", "file_id", "code", "share_url", "error")] == [None] * 6
    work(service, asked["id"])
    done = client.get(f"/v1/fetches/{asked['id']}").json()
    assert (done["state"], done["name"], done["size"], done["bytes_done"]) == ("done", "a.txt", 3, 3)
    made = service.share.made[-1]
    assert (made["form"], made["uses"], made["expires_at"]) == (form, 3, "2999-01-01T00:00:00+00:00")
    assert made["password_hash"].startswith("$argon2id$")
    assert done["code"].startswith("code")
    if path:
        assert done["share_url"].endswith(path + done["code"])
    else:
        assert done["share_url"] is None
    (file,) = client.get("/v1/files").json()["files"]
    assert (file["id"], file["name"], file["size"]) == (done["file_id"], "a.txt", 3)
    assert client.delete(f"/v1/files/{file['id']}").status_code == 204
    assert client.get(f"/v1/fetches/{asked['id']}").json()["file_id"] is None


def test_a_failure_is_told_by_a_code_and_in_words(service: UploadService, client: httpx.Client) -> None:
    asked = ask(client, "http://10.0.0.1/")
    work(service, asked["id"])
    failed = client.get(f"/v1/fetches/{asked['id']}").json()
    assert (failed["state"], failed["error"]) == ("failed", "address_refused")
    assert failed["detail"]


def test_credentials_in_the_url_are_never_told(service: UploadService, client: httpx.Client, elsewhere: str) -> None:
    url = elsewhere.replace("http://", "http://user:hidden@")
    answer = client.post("/v1/fetches", json={"url": url})
    fetch_id = answer.json()["id"]
    answers = [answer, client.get("/v1/fetches"), client.get(f"/v1/fetches/{fetch_id}")]
    work(service, fetch_id)
    answers += [client.get(f"/v1/fetches/{fetch_id}"), client.get(f"/v1/fetches/{fetch_id}/events")]
    for told in answers:
        assert elsewhere in told.text
        assert "hidden" not in told.text
    assert service.ask("select url from fetch_job where id = %s", fetch_id) == [(elsewhere,)]


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("GET", "", (200, 404, 200, 401, 401)),
        ("GET", "/events", (200, 404, 200, 401, 401)),
        ("DELETE", "", (204, 404, 204, 401, 401)),
    ],
)
def test_only_the_owner_may_and_an_administrator(
    service: UploadService, owner: Person, who: str, method: str, path: str, statuses: tuple[int, ...]
) -> None:
    fetch_id = ask(service.client(owner))["id"]
    expected = statuses[CALLERS.index(who)]
    with service.caller(who, owner).stream(method, f"/v1/fetches/{fetch_id}{path}") as answer:
        assert answer.status_code == expected
    state = service.ask("select state from fetch_job where id = %s", fetch_id)
    assert state == [("canceled" if expected == 204 else "queued",)]


@pytest.mark.parametrize("who", ["nobody", "signed out"])
def test_who_is_not_signed_in_may_not_ask_or_list(service: UploadService, owner: Person, who: str) -> None:
    caller = service.caller(who, owner)
    problem(caller.post("/v1/fetches", json={"url": SOMEWHERE}), 401)
    problem(caller.get("/v1/fetches"), 401)


def test_what_is_settled_is_not_canceled(service: UploadService, client: httpx.Client, elsewhere: str) -> None:
    fetch_id = ask(client, elsewhere)["id"]
    work(service, fetch_id)
    problem(client.delete(f"/v1/fetches/{fetch_id}"), 409)
    canceled = ask(client)["id"]
    assert client.delete(f"/v1/fetches/{canceled}").status_code == 204
    problem(client.delete(f"/v1/fetches/{canceled}"), 409)
    assert client.get(f"/v1/fetches/{canceled}").json()["state"] == "canceled"


@pytest.mark.parametrize("fetch_id", ["645fdb5c-1e2c-40e1-8c98-4c68eea1bbfd", "0" * 32])
def test_what_is_not_there_is_not_found(client: httpx.Client, fetch_id: str) -> None:
    problem(client.get(f"/v1/fetches/{fetch_id}"), 404)
    problem(client.get(f"/v1/fetches/{fetch_id}/events"), 404)
    problem(client.delete(f"/v1/fetches/{fetch_id}"), 404)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{", b"{}", b'{"url": 1}', b'{"url": null}', b'{"url": "\\ud800"}', b"\xff"),
        *(b'{"url": "ftp://files.example/"}', b'{"url": "http://"}', b'{"url": "http://:a@files.example/"}'),
        b'{"url": "http://files.example/\\u0000"}',
        b'{"url": "http://files.example/%s"}' % (b"a" * 9000),
        b'{"url": "http://files.example/", "other": 1}',
        b"[" * 10_000,
    ],
)
def test_what_is_no_fetch_is_refused(client: httpx.Client, body: bytes) -> None:
    problem(client.post("/v1/fetches", content=body), 400)


@pytest.mark.parametrize(
    "asked",
    [
        *({"name": ""}, {"name": "a\0"}, {"name": "a" * 8193}, {"name": 1}),
        *({"sha256": "0" * 63}, {"sha256": "g" * 64}, {"sha256": "0" * 65}),
        *({"mirrors": ["a"]}, {"mirrors": [1] * 1001}, {"mirrors": 1}),
        *({"form": "room"}, {"form": ""}),
        *({"downloads": 0}, {"downloads": 2**31}, {"downloads": -1}, {"downloads": "many"}),
        *({"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "2999-01-01T00:00:00"}, {"expires_at": "soon"}),
        {"expires_at": "9999-12-31T23:59:59-23:59"},
        *({"password": ""}, {"password": "a" * 10_000}),
    ],
)
def test_terms_that_cannot_be_are_refused(client: httpx.Client, asked: dict[str, Any]) -> None:
    problem(client.post("/v1/fetches", json={"url": SOMEWHERE, **asked}), 400)
    assert client.get("/v1/fetches").json() == {"fetches": [], "next": None}


def test_a_body_that_is_too_large_is_refused(client: httpx.Client) -> None:
    problem(client.post("/v1/fetches", json={"url": SOMEWHERE, "name": "a" * 70_000}), 413)


def test_a_mirror_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    problem(client.post("/v1/fetches", json={"url": SOMEWHERE, "mirrors": [1]}), 404, "mirror_not_found")
    assert client.get("/v1/fetches").json()["fetches"] == []


def test_an_account_has_only_so_many_open(service: UploadService, client: httpx.Client) -> None:
    asked = [ask(client)["id"] for _ in range(MOST_OPEN)]
    refused = client.post("/v1/fetches", json={"url": SOMEWHERE})
    problem(refused, 429, "too_many_fetches")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.delete(f"/v1/fetches/{asked[0]}").status_code == 204
    ask(client)
    ask(service.client(service.auth.sign_up()))


def test_fetches_are_listed_in_pages_the_newest_first(service: UploadService, client: httpx.Client) -> None:
    asked = [ask(client)["id"] for _ in range(MOST_OPEN)]
    ask(service.client(service.auth.sign_up()))
    listed: list[str] = []
    page: dict[str, Any] = {"next": None}
    for size in (3, 1):
        page = client.get("/v1/fetches", params={"limit": 3} | ({"after": page["next"]} if page["next"] else {})).json()
        assert len(page["fetches"]) == size
        listed += [fetch["id"] for fetch in page["fetches"]]
    assert page["next"] is None
    assert listed == asked[::-1]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "a"}, {"after": "a"}, {"after": ""}])
def test_a_page_that_cannot_be_is_refused(client: httpx.Client, query: dict[str, Any]) -> None:
    answer = client.get("/v1/fetches", params=query)
    problem(answer, 400 if "after" in query else 422)


def test_what_is_larger_than_the_administrator_allows_is_not_kept(
    service: UploadService, client: httpx.Client, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_policy, "FRESH_SECONDS", 0)
    monkeypatch.setitem(service.share.policy, "upload_size", 2)
    asked = ask(client, elsewhere)["id"]
    work(service, asked)
    assert client.get(f"/v1/fetches/{asked}").json()["error"] == "too_large"


def test_the_document_of_the_api_says_all_of_it(service: UploadService) -> None:
    document = service.client().get("/v1/openapi/upload.json").json()
    paths = document["paths"]
    assert set(paths["/v1/fetches"]) == {"get", "post"}
    assert set(paths["/v1/fetches/{fetch_id}"]) == {"get", "delete"}
    assert set(paths["/v1/fetches/{fetch_id}/events"]) == {"get"}
    body = paths["/v1/fetches"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"url", "form", "expires_at", "downloads", "password", "sha256", "mirrors", "name"} == set(
        body["properties"]
    )
    assert paths["/v1/fetches"]["post"]["security"]
    assert "text/event-stream" in paths["/v1/fetches/{fetch_id}/events"]["get"]["responses"]["200"]["content"]
