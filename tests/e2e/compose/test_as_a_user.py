"""`docker compose up` on a clone with no `.env`, for real: what a user of that system notices."""

import random

import httpx
import pytest

from tests.e2e.compose.running import (
    FORGET_OBJECTS,
    MAKE_BUCKET,
    SERVICES,
    System,
    administrator,
    detail,
    service_of,
)
from tests.e2e.mirrors import eventually

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


def test_form_upload_comes_back_identical(client: httpx.Client, kept: dict[str, bytes]) -> None:
    data = random.Random(1).randbytes(3_000_000)
    code = detail(client.post("/share/file/", files={"file": ("a file.bin", data)}))["code"]
    kept[code] = data
    answer = client.get("/share/select/", params={"code": code})
    assert answer.content == data
    assert "a%20file.bin" in answer.headers["Content-Disposition"]


def test_the_web_page_is_there(client: httpx.Client) -> None:
    page = client.get("/c/7K2QF", headers={"Accept": "text/html", "Accept-Encoding": "identity"})
    assert page.headers["Content-Type"].startswith("text/html")
    script = page.text.partition('src="/assets/')[2].partition('"')[0]
    assert client.get(f"/assets/{script}").headers["Cache-Control"].endswith("immutable")


def test_all_of_it_runs(system: System) -> None:
    assert {service_of(container) for container in system.containers()} == SERVICES


def test_the_administrator_signs_in_with_the_password_that_was_generated(system: System, client: httpx.Client) -> None:
    signed_in = administrator(system, client)
    account = client.get("/v1/account", headers=signed_in).raise_for_status().json()
    assert (account["name"], account["role"]) == ("admin", "administrator")
    accounts = client.get("/v1/accounts", headers=signed_in)
    assert accounts.status_code == 200, accounts.text
    assert client.post("/v1/auth/logout", headers=signed_in).status_code == 204
    assert client.get("/v1/account", headers=signed_in).status_code == 401


def test_a_file_reaches_a_mirror_that_stands_in_for_the_store(system: System, client: httpx.Client) -> None:
    """The mirror is another bucket of the same store, which is one that every machine with this system has."""
    signed_in = administrator(system, client)
    key, secret = system.python("upload", MAKE_BUCKET).split()
    options = {"endpoint": "http://store:9000", "region": "us-east-1", "bucket": "mirror"}
    options |= {"access_key_id": key, "secret_access_key": secret}
    asked = {"name": "another bucket", "kind": "s3", "options": options, "is_default": True}
    mirror = client.post("/v1/mirrors", json=asked, headers=signed_in)
    assert mirror.status_code == 201, mirror.text
    data = random.Random(4).randbytes(6_000_000)
    sent = client.post("/api/upload/private", files={"file": ("a file.bin", data)}, headers=signed_in).json()
    path = f"/v1/files/{client.get('/v1/files', headers=signed_in).json()['files'][0]['id']}/mirrors"
    eventually(lambda: client.get(path, headers=signed_in).json()["mirrors"][0]["state"] == "verified")
    system.python("upload", FORGET_OBJECTS.format(size=len(data)))
    assert client.get(f"/file/{sent['file_url']}").content == data
    mirror_path = f"/v1/mirrors/{mirror.json()['id']}"
    assert client.delete(mirror_path, headers=signed_in).status_code == 204
    eventually(lambda: client.get(mirror_path, headers=signed_in).status_code == 404)


def test_no_url_leads_into_the_networks_of_the_system(system: System, client: httpx.Client) -> None:
    signed_in = administrator(system, client)
    for url in ("http://store:9000/", "http://auth:8000/internal/health/ready", "http://127.0.0.1:8000/"):
        asked = client.post("/v1/fetches", json={"url": url}, headers=signed_in)
        assert asked.status_code == 202, asked.text
        path = f"/v1/fetches/{asked.json()['id']}"
        eventually(lambda path=path: client.get(path, headers=signed_in).json()["state"] == "failed")
        assert client.get(path, headers=signed_in).json()["error"] == "address_refused"


def test_a_file_by_link_comes_back_identical(client: httpx.Client) -> None:
    data = random.Random(3).randbytes(3_000_000)
    answer = client.post("/api/upload", params={"include_ext": "true"}, files={"file": ("a file.bin", data)})
    assert answer.status_code == 200, answer.text
    sent = answer.json()
    assert sent["file_url_full"] == f"{client.base_url}/file/{sent['file_url']}"
    assert client.get(sent["file_url_full"]).content == data
    # What is by path alone on every other host name is nobody's on that of another dialect.
    for host, status in (("fileuploader.example.org", 200), ("filecodebox.example.org", 404)):
        assert client.get(f"/f/{sent['file_url']}", headers={"Host": host}).status_code == status
    deleted = client.get(f"/api/delete/{sent['file_url']}", params={"key": sent["key"]})
    assert (deleted.status_code, client.get(sent["file_url_full"]).status_code) == (200, 404)


def test_internal_paths_are_not_routed(client: httpx.Client) -> None:
    assert client.get("/internal/health/ready").status_code == 404
