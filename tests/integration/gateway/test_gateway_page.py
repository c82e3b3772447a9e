"""The web page behind the gateway: one document for all places, parts that never change, headers that confine it."""

import gzip
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.running_gateway import open_door

INDEX = "<!doctype html><title>the page</title>"
SCRIPT = "console.log('the page')"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PLACES = [
    "/",
    "/c/7K2QF",
    "/c/7K2QF?lng=zh",
    "/rooms",
    "/rooms/17",
    "/mine",
    "/mine/files",
    "/mine/account",
    "/admin",
    "/admin/policy",
    "/d/7K2QF",
    "/sign-in",
    "/register",
    "/reset",
    "/?lng=zh",
]
CONFINED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a page")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(INDEX, encoding="utf-8")
    (folder / "assets" / "main-abc123.js").write_text(SCRIPT, encoding="utf-8")
    (folder / "assets" / "main-abc123.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "worker.js").write_text(SCRIPT, encoding="utf-8")
    (folder / "secret.txt").write_text("not named in the routes", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
async def client(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        open_door(tmp_path_factory.mktemp("data"), WEB_ROOT=str(folder)) as door,
        httpx.AsyncClient(base_url=door.url, headers=BROWSER, timeout=30) as client,
    ):
        yield client


@pytest.mark.parametrize("path", PLACES)
async def test_every_place_is_the_same_document_that_is_never_kept_unasked(client: httpx.AsyncClient, path: str):
    answer = await client.get(path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    again = await client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/", "/assets/main-abc123.js"])
async def test_the_page_is_confined(client: httpx.AsyncClient, path: str):
    headers = (await client.get(path)).headers
    assert {name: headers.get_list(name) for name in CONFINED} == {name: [value] for name, value in CONFINED.items()}
    rules = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (rules["default-src"], rules["frame-ancestors"], rules["base-uri"]) == ("'none'", "'none'", "'none'")
    assert rules["require-trusted-types-for"] == "'script'"
    assert "http" not in headers["Content-Security-Policy"]


async def test_a_page_of_ones_own_is_filled_in_and_has_its_own_rules(folder: Path, tmp_path: Path):
    rules = "default-src 'self'; script-src 'self' 'unsafe-inline'"
    async with (
        open_door(tmp_path, WEB_ROOT=str(folder), GATEWAY_PAGE="filled", WEB_CSP=rules) as door,
        httpx.AsyncClient(base_url=door.url, headers=BROWSER, timeout=30) as client,
    ):
        for path in ("/", "/c/7K2QF", "/admin"):
            answer = await client.get(path)
            assert (answer.json()["service"], answer.json()["path"]) == ("share", "/internal/page")
            assert answer.headers.get_list("Content-Security-Policy") == [rules]
            assert {name: answer.headers.get_list(name) for name in CONFINED} == {
                name: [value] for name, value in CONFINED.items()
            }
        part = await client.get("/assets/main-abc123.js")
        assert (part.text, part.headers["Content-Security-Policy"]) == (SCRIPT, rules)
        for path in ("/internal/page", "/nothing"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_parts_are_kept_forever_and_sent_compressed(client: httpx.AsyncClient):
    answer = await client.get("/assets/main-abc123.js", headers={"Accept-Encoding": "gzip"})
    assert (answer.text, answer.headers["Content-Encoding"]) == (SCRIPT, "gzip")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    plain = await client.get("/assets/main-abc123.js", headers={"Accept-Encoding": "identity"})
    assert (plain.text, "Content-Encoding" in plain.headers) == (SCRIPT, False)


async def test_the_manifest_is_the_places_own_unless_the_folder_has_one(client: httpx.AsyncClient, folder: Path):
    answer = await client.get("/manifest.webmanifest")
    assert (answer.json()["service"], answer.json()["path"]) == ("share", "/manifest.webmanifest")
    (folder / "manifest.webmanifest").write_text("{}", encoding="utf-8")
    answer = await client.get("/manifest.webmanifest")
    assert (answer.text, answer.headers["Cache-Control"]) == ("{}", "no-cache")
    assert "manifest-src 'self'" in answer.headers["Content-Security-Policy"]
    (folder / "manifest.webmanifest").unlink()


async def test_the_service_worker_is_asked_for_each_time(client: httpx.AsyncClient):
    answer = await client.get("/worker.js")
    assert (answer.text, answer.headers["Cache-Control"]) == (SCRIPT, "no-cache")
    assert answer.headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/nothing", "/assets/other.js", "/assets/", "/secret.txt", "/index.html")),
        *(
            ("GET", path)
            for path in ("/assets/../secret.txt", "/assets/%2e%2e/secret.txt", "/v1/nothing", "/nothing/c/x")
        ),
        *((method, "/mine/files") for method in ("POST", "PUT", "DELETE")),
    ],
)
async def test_what_is_not_there_is_told_to_programs_as_json_and_to_browsers_by_the_page(
    client: httpx.AsyncClient, method: str, path: str
):
    for accept in ("*/*", "application/json, text/plain, */*", "text/html, image/gif, */*; q=.2"):
        answer = await client.request(method, path, headers={"Accept": accept})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    opened = await client.request(method, path)
    assert opened.status_code == 404
    # Paths under /v1 are for programs alone.
    if method != "GET" or path.startswith("/v1/"):
        assert opened.json() == {"detail": "Not Found"}
        return
    assert opened.text == INDEX
    assert (opened.headers["Cache-Control"], opened.headers["Vary"].split(",")[0]) == ("no-store", "Accept")
    assert {name: opened.headers.get_list(name) for name in CONFINED} == {
        name: [value] for name, value in CONFINED.items()
    }


async def test_the_api_goes_before_the_page(client: httpx.AsyncClient):
    assert (await client.post("/")).json()["service"] == "share"
    for path, headers in (("/", {"User-Agent": "curl/8.0"}), ("/c/7K2QF", {"Accept": "*/*"}), ("/c/7K2QF/key", {})):
        assert (await client.get(path, headers=headers)).json()["service"]
    assert (await client.delete("/c/7K2QF/key")).json()["service"] == "share"


async def test_a_dialects_own_host_name_has_no_page(client: httpx.AsyncClient):
    for path in ("/", "/nothing"):
        answer = await client.get(path, headers={"Host": "filecodebox.example.org"})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_without_a_built_page_there_is_none(folder: Path, client: httpx.AsyncClient):
    hidden = folder / "index.away"
    (folder / "index.html").rename(hidden)
    try:
        answer = await client.get("/")
    finally:
        hidden.rename(folder / "index.html")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
