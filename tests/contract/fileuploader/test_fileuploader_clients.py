"""The calls of File Uploader's clients as they send them: the library, the ShareX configurations, the page."""

import io
import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.fileuploader import wire
from tests.contract.fileuploader.wire import bearer

LIBRARY_UPLOAD = ("file_url", "file_url_full", "key", "ext", "user_filename", "synced", "size", "craeted_at")


@pytest.fixture
async def library(stack: StartedStack) -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(stack.url) as session:
        yield session


async def library_upload(session: aiohttp.ClientSession, token: str | None, content: bytes, name: str) -> Any:
    """Upload like the library, which reads eight keys of a success, and the body of a failure as JSON."""
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(content), filename=name)
    headers = {"Authorization": "Bearer " + token} if token else {}
    async with session.post("/api/upload/private?include_ext=true", data=form, headers=headers) as answer:
        body = await answer.json()
        if answer.status != 200:
            # The library builds the texts of all errors before it looks for the one that happened.
            assert "Not Authorized: " + body.get("auth_error", "auth_error")
            return answer.status
        for key in LIBRARY_UPLOAD:
            assert key in body
        return body


async def test_the_librarys_sequence(library: aiohttp.ClientSession) -> None:
    asked = {"username": wire.new_name(), "password": "x"}
    async with library.post("/api/register?bot=false", json=asked) as answer:
        assert answer.status == 200
        assert (await answer.json())["username"] == asked["username"]
    async with library.post("/api/login?bot=true", json=asked) as answer:
        assert answer.status == 200
        token = (await answer.json())["accessToken"]
    uploaded = await library_upload(library, token, b"\0\1\2", "no extension")
    assert uploaded["synced"] is True
    assert not uploaded["auth_error"]
    async with library.get("/api/get_groups", headers=bearer(token)) as answer:
        assert (await answer.json())["groups"] == []
    async with library.get("/api/get_files/private", headers=bearer(token)) as answer:
        rows = (await answer.json())["data"]
        assert [{key: row[key] for key in LIBRARY_UPLOAD} for row in rows] == [
            {key: uploaded[key] for key in LIBRARY_UPLOAD}
        ]
    async with library.post("/api/refresh_token", json={"accessToken": token}) as answer:
        token = (await answer.json())["accessToken"]
    async with library.get("/api/login/token", headers=bearer(token)) as answer:
        assert (await answer.json())["username"] == asked["username"]
    nobodys = await library_upload(library, None, b"local", "local.txt")
    data = [{"file_url": nobodys["file_url"], "key": nobodys["key"]}]
    async with library.post("/api/transfer", headers=bearer(token), json={"data": data}) as answer:
        assert (await answer.json())["unsuccess"] == []
    for file in (uploaded, nobodys):
        async with library.get(f"/api/delete/{file['file_url']}?key={file['key']}") as answer:
            assert answer.status == 200
    async with library.get(f"/api/delete/{uploaded['file_url']}?key={uploaded['key']}") as answer:
        assert answer.status == 404
    for status in (200, 401):
        async with library.post("/api/logout", headers=bearer(token)) as answer:
            assert answer.status == status


async def test_the_library_can_read_the_errors(library: aiohttp.ClientSession) -> None:
    too_large = b"\0" * (104_857_600 + 1)
    assert await library_upload(library, None, too_large, "a.bin") == 413
    async with library.post("/api/login?bot=false", json={"username": wire.new_name(), "password": "x"}) as answer:
        assert answer.status == 404


def sharex(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    """Do what ShareX does: upload, open the link, follow the deletion link."""
    files = {"file": ("screenshot.png", b"\x89PNG", "image/png")}
    answer = client.post(path, files=files, headers=headers | {"User-Agent": "ShareX/16.0.1"})
    assert answer.status_code == 200
    body = answer.json()
    assert re.fullmatch(r"http://\S+/file/[a-zA-Z1-9\-+=]{10}\.png", body["file_url_full"])
    shown = client.get(body["file_url_full"])
    assert (shown.headers["content-type"], shown.content) == ("image/png", b"\x89PNG")
    deletion = f"{client.base_url}/api/delete/{body['file_url']}?key={body['key']}"
    assert client.get(deletion).status_code == 200
    failure = client.post(path, headers=headers)
    assert failure.json()["message"]


def test_the_sharex_file_of_2024(client: httpx.Client) -> None:
    sharex(client, "/api/upload?include_ext=true", {})
    sharex(client, "/api/upload?include_ext=true", bearer(wire.register(client)))


def test_the_later_sharex_file(client: httpx.Client) -> None:
    sharex(client, "/api/upload/private?include_ext=true", bearer(wire.register(client)))


def test_the_ready_made_sharex_file_works(client: httpx.Client) -> None:
    """ShareX sends the request of the file and then reads the parts of the answer that the file names."""
    token = wire.register(client)
    answer = client.post("/v1/account/uploaders/sharex", headers=bearer(token))
    assert answer.status_code == 200
    config = json.loads(answer.text)
    assert (config["RequestMethod"], config["Body"], config["FileFormName"]) == ("POST", "MultipartFormData", "file")
    files = {config["FileFormName"]: ("a.png", b"png")}
    body = client.post(config["RequestURL"], files=files, headers=config["Headers"]).json()
    assert body["synced"] is True

    def filled(template: str) -> str:
        return re.sub(r"\{json:(\w+)\}", lambda match: str(body[match[1]]), template)

    assert client.get(filled(config["URL"])).content == b"png"
    assert [row["file_url"] for row in wire.listed(client, token)] == [body["file_url"]]
    assert client.get(filled(config["DeletionURL"])).status_code == 200
    assert wire.listed(client, token) == []


def test_the_page_of_a_visitor(client: httpx.Client) -> None:
    """The page sends the text `null` as its token until a user signs in."""
    headers = {"Authorization": "Bearer null"}
    answer = client.post("/api/upload", files={"file": ("a.jpg", b"jpg")}, headers=headers)
    body = answer.json()
    assert (answer.status_code, body["synced"]) == (200, False)
    kept = [{"file_url": body["file_url"], "key": body["key"]}]
    token = wire.register(client)
    headers = bearer(token)
    assert client.post("/api/transfer", json={"data": kept}, headers=headers).json()["unsuccess"] == []
    assert client.get("/api/get_groups", headers=headers).json()["groups"] == []
    rows = client.get("/api/get_files", headers=headers).json()["data"]
    shown = ("file_url_full", "user_filename", "size", "creation_date", "synced", "key")
    assert [[name in row for name in shown] for row in rows] == [[True] * len(shown)]
    refreshed = client.post("/api/refresh_token", json={"accessToken": f"Bearer {token}"}).json()["accessToken"]
    assert client.post("/api/logout", json={}, headers=bearer(refreshed)).status_code == 200
