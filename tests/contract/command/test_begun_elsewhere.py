"""One account, two devices: a file that one of them began is ended by the other, by the account's token alone."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.command.conftest import Command, unfinished
from tests.integration.upload.dialects import tus_client as tus
from waystation import AsyncClient, FileSource, Temporary
from waystation.uploads import Upload

SIZE = 3 * 1024 * 1024 + 5
HALF = 1024 * 1024


def token_of(stack: StartedStack, account: tuple[str, str]) -> dict[str, str]:
    name, password = account
    answer = httpx.post(f"{stack.url}/v1/auth/login", json={"name": name, "password": password})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_the_command_ends_what_another_device_began(
    command: Command, stack: StartedStack, account: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sent.bin"
    content = os.urandom(SIZE)
    file.write_bytes(content)
    other = tmp_path / "other" / "sent.bin"
    other.parent.mkdir()
    other.write_bytes(content[::-1])
    with httpx.Client(base_url=stack.url, headers=token_of(stack, account)) as page:
        items = [{"name": file.name, "size": SIZE}, {"name": file.name, "size": SIZE}, {"text": "and some words"}]
        share = page.post("/v1/shares", json={"items": items}).json()
        for item in share["items"][:2]:
            address = tus.begun(page, SIZE, Upload_Metadata=tus.metadata(item=item["upload"]))
            assert tus.patch(page, address, 0, content[:HALF]).status_code == 204
        code, offsets, append = share["code"], list[int](), Upload._append

        async def noting(self: Upload, at: int, end: int) -> httpx.Response:
            offsets.append(at)
            return await append(self, at, end)

        monkeypatch.setattr(Upload, "_append", noting)
        assert command("send", "--continue", code, file).status == 6
        name, password = account
        command("login", name, stdin=f"{password}\n")
        assert command("send", "--continue", "unknown", file).status == 4
        assert command("send", "--continue", code, "--expires", "7d", file).status == 2
        assert command("send", "--continue", code, __file__).status == 2
        done = command("send", "--continue", code, file, "--json")
        assert (done.status, done.json["code"], min(offsets)) == (0, code, HALF), done.err
        # Another file of the same name and size is found out, and takes nothing but its own item with it.
        assert command("send", "--continue", code, other).status == 7
        left: list[dict[str, Any]] = page.get(f"/v1/shares/{share['id']}").json()["items"]
    assert [item["id"] for item in left] == [share["items"][0]["id"], share["items"][2]["id"]]
    assert httpx.get(f"{stack.url}/v1/codes/{code}/items/{left[0]['id']}").content == content
    assert unfinished(command) == []


async def test_another_device_ends_what_the_command_began(
    stack: StartedStack, account: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, append = tmp_path / "half.bin", Upload._append
    content = os.urandom(SIZE)
    file.write_bytes(content)

    async def half(self: Upload, at: int, end: int) -> httpx.Response:
        if at:
            raise Temporary
        return await append(self, at, HALF)

    monkeypatch.setattr(Upload, "_append", half)
    headers = token_of(stack, account)
    token = headers["Authorization"].removeprefix("Bearer ")
    async with AsyncClient(stack.url, token=token, journal=tmp_path / "journal", patience=0) as client:
        with pytest.raises(Temporary):
            await client.send([FileSource(file)])
    _ended_by_another(stack, headers, content)


def _ended_by_another(stack: StartedStack, headers: dict[str, str], content: bytes) -> None:
    with httpx.Client(base_url=stack.url, headers=headers) as page:
        [listed] = page.get("/v1/shares").json()["shares"]
        assert listed["awaited"] == 1
        [item] = page.get(f"/v1/shares/{listed['id']}").json()["items"]
        assert (item["state"], item["received"]) == ("sending", HALF)
        address = f"{stack.url}/v1/uploads/{item['upload_id']}"
        assert tus.offset(page, address) == HALF
        assert tus.patch(page, address, HALF, content[HALF:]).status_code == 204
        [item] = page.get(f"/v1/shares/{listed['id']}").json()["items"]
        assert (item["received"], item["upload_id"]) == (SIZE, None)
