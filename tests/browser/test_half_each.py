"""The command sends the first half of a file, and the page the other one.

What the command has kept of the upload is put where the page keeps its own, which no user can do. It shows that both
speak of the same upload, and that the page does not send what is there already.
"""

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Request

from tests.browser.conftest import Visit
from waystation import AsyncClient, FileSource, Temporary
from waystation.uploads import Upload

pytestmark = pytest.mark.browser

SIZE = 2 * 1024 * 1024 + 5
HALF = 1024 * 1024
REMEMBER = "entries => entries.forEach(([name, value]) => localStorage.setItem(name, JSON.stringify(value)))"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "half.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


async def _begun_by_the_command(url: str, file: Path, journal: Path) -> None:
    async with AsyncClient(url, journal=journal, patience=0) as client:
        with pytest.raises(Temporary):
            await client.send([FileSource(file)])


def test_the_page_ends_what_the_command_began(
    visit: Visit, address: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Upload._append  # pyright: ignore[reportPrivateUsage]

    async def half(self: Upload, at: int, end: int) -> httpx.Response:
        if at:
            raise Temporary
        return await append(self, at, HALF)

    monkeypatch.setattr(Upload, "_append", half)
    # Playwright has a loop in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _begun_by_the_command(address, file, tmp_path)).result()
    [kept] = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    [(item, upload)] = kept["uploads"].items()
    share = httpx.get(f"{address}/v1/shares/{kept['share']}", headers={"Share-Key": kept["key"]}).json()
    sent = {
        "id": kept["share"],
        "key": kept["key"],
        "code": share["code"],
        "url": share["url"],
        "name": file.name,
        "size": SIZE,
        "count": 1,
        "created_at": share["created_at"],
        "expires_at": None,
        "complete": False,
    }
    begun = {
        "size": SIZE,
        "metadata": {},
        "creationTime": share["created_at"],
        "parallelUploadUrls": None,
        "uploadUrl": f"{address}/v1/uploads/{upload}",
    }
    visitor = visit()
    page = visitor.goes_to()
    page.evaluate(REMEMBER, [["waystation.sent", [sent]], [f"tus::waystation-item-{item}::1", begun]])
    offsets: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    page.reload()
    page.get_by_text("Choose it again").wait_for()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose again").click()
    chooser.value.set_files([file])
    visitor.waits_until_verified(1)
    assert offsets == [HALF]
    assert httpx.get(f"{address}/v1/codes/{share['code']}/items/{item}").content == file.read_bytes()
