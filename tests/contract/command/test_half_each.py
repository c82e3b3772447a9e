"""The command and the web page on the same file: one sends the beginning, the other one the rest.

The page keeps the id and the key of a share, and for each item the address of its upload (`web/src/send/kept.ts`). The
command keeps the same in its journal.
"""

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.command.conftest import Command
from tests.integration.upload.dialects import tus_client as tus
from waystation import AsyncClient, Client, FileSource, Temporary, Terms
from waystation.journal import Entry
from waystation.uploads import Upload

SIZE = 3 * 1024 * 1024 + 5
HALF = 1024 * 1024


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sent.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def content(file: Path) -> bytes:
    return file.read_bytes()


def received(stack: StartedStack, share: dict[str, Any]) -> bytes:
    [item] = share["items"]
    address, until = f"{stack.url}/v1/codes/{share['code']}/items/{item['id']}", time.monotonic() + 30
    while (answer := httpx.get(address)).status_code == 425:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_the_page_ends_what_the_command_began(
    stack: StartedStack, file: Path, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal"

    async def half(self: Upload, at: int, end: int) -> httpx.Response:
        if at:
            raise Temporary
        return await append(self, at, HALF)

    append = Upload._append
    monkeypatch.setattr(Upload, "_append", half)
    async with AsyncClient(stack.url, journal=journal, patience=0) as client:
        with pytest.raises(Temporary):
            await client.send([FileSource(file)])
    _ended_by_the_page(stack, journal, content)


def _ended_by_the_page(stack: StartedStack, journal: Path, content: bytes) -> None:
    [kept] = [json.loads(path.read_text()) for path in journal.glob("*.json")]
    [(item, upload)] = kept["uploads"].items()
    with httpx.Client(base_url=stack.url) as page:
        address = f"{stack.url}/v1/uploads/{upload}"
        assert tus.offset(page, address) == HALF
        assert tus.patch(page, address, HALF, content[HALF:]).status_code == 204
        share = page.get(f"/v1/shares/{kept['share']}", headers={"Share-Key": kept["key"]}).json()
        assert [one["id"] for one in share["items"]] == [item]
        assert received(stack, share) == content


def test_the_command_ends_what_the_page_began(stack: StartedStack, file: Path, content: bytes, tmp_path: Path) -> None:
    with httpx.Client(base_url=stack.url) as page:
        share = page.post("/v1/shares", json={"items": [{"name": file.name, "size": SIZE}]}).json()
        [item] = share["items"]
        address = tus.begun(page, SIZE, Upload_Metadata=tus.metadata(item=item["upload"]))
        assert tus.patch(page, address, 0, content[:HALF]).status_code == 204
    source, journal = FileSource(file), tmp_path / "journal"
    with Entry(journal, "send", (stack.url, "/v1/shares", Terms().key(), source.identity)) as entry:
        uploads = {item["id"]: address.rpartition("/")[2]}
        entry.data = {"share": share["id"], "key": share["key"], "uploads": uploads, "sent": {}, "password": ""}
        entry.save()
    sent: list[int] = []
    with Client(stack.url, journal=journal) as client:
        done = client.send([source], progress=lambda step: sent.append(step.done))
    assert done.code == share["code"]
    # What the page had sent was not sent again.
    assert min(sent) >= HALF
    assert received(stack, share) == content
    assert list(journal.iterdir()) == []


def test_drop_offs_by_the_command(
    command: Command, stack: StartedStack, account: tuple[str, str], file: Path, tmp_path: Path
) -> None:
    name, password = account
    command("login", name, stdin=f"{password}\n")
    code = f"photos-{secrets.token_hex(4)}"
    limits = ("--share-limit", 1, "--type", "bin", "--greeting", "Thank you", "--expires", "7d")
    made = command("drop", "create", "Photos", "--code", code, *limits)
    assert (made.status, f"Code: {code}" in made.out, f"{stack.url}/d/{code}" in made.out) == (0, True, True), made.err
    assert command("drop", "--quiet").out == f"{code}\n"
    stranger = Command({**command.environment, "XDG_CONFIG_HOME": str(tmp_path / "other")})
    assert stranger("drop").status == 6
    assert "Thank you" in stranger("drop", "show", code).out
    other = tmp_path / "other.txt"
    other.write_text("text")
    assert stranger("drop", "send", code, other).status != 0
    told = stranger("drop", "send", code, file, "--message", "here", "--json")
    assert (told.status, [item["state"] for item in told.json["items"]]) == (0, ["ready"]), told.err
    assert "key" not in told.json
    [drop] = command("drop", "--json").json
    assert (drop["received"], drop["is_open"]) == (1, False)
    # It takes one delivery; and after its end nothing at all.
    for _ in range(2):
        assert stranger("drop", "send", code, file, "--fresh").status != 0
        assert command("drop", "end", code).status in (0, 4)
    assert [share["name"] for share in command("files", "--json").json] == ["sent.bin"]
