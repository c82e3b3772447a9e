"""The command sends the first half of a file and is stopped; its user ends it in the page, on another device."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Visit
from tests.browser.test_accounts import register
from waystation import AsyncClient, FileSource, Temporary
from waystation.uploads import Upload

pytestmark = pytest.mark.browser

SIZE = 2 * 1024 * 1024 + 5
HALF = 1024 * 1024


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "half.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture(autouse=True)
def _stopped_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    append = Upload._append  # pyright: ignore[reportPrivateUsage]

    async def half(self: Upload, at: int, end: int) -> httpx.Response:
        if at:
            raise Temporary
        return await append(self, at, HALF)

    monkeypatch.setattr(Upload, "_append", half)


async def _send(url: str, token: str, file: Path) -> None:
    async with AsyncClient(url, token=token, journal=file.parent / "journal", patience=0) as client:
        with pytest.raises(Temporary):
            await client.send([FileSource(file)])


def _begun_by_the_command(url: str, page: Page, file: Path) -> None:
    token = page.evaluate("JSON.parse(localStorage['waystation.session']).token")
    # Playwright has a loop in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _send(url, token, file)).result()


def _chooses_again(page: Page, file: Path) -> None:
    page.get_by_role("button", name="Send the rest…").click()
    page.get_by_text("Choose it again").wait_for()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose again").click()
    chooser.value.set_files([file])


def test_the_page_ends_what_the_command_began(visit: Visit, address: str, file: Path) -> None:
    visitor = visit(viewport={"width": 360, "height": 740})
    page = visitor.page
    register(visitor, "mine")
    _begun_by_the_command(address, page, file)
    page.reload()
    page.get_by_text("1 file is not complete").wait_for()
    offsets: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    _chooses_again(page, file)
    visitor.waits_until_verified(1)
    assert offsets == [HALF]
    code = visitor.code()
    [item] = httpx.get(f"{address}/v1/codes/{code}").json()["items"]
    assert httpx.get(f"{address}/v1/codes/{code}/items/{item['id']}").content == file.read_bytes()
    page.get_by_role("link", name="Mine").click()
    page.get_by_role("link", name=code).wait_for()
    expect(page.get_by_text("not complete")).to_have_count(0)


def test_another_file_of_the_same_name_and_size_is_taken_back(visit: Visit, address: str, file: Path) -> None:
    visitor = visit(viewport={"width": 360, "height": 740})
    page = visitor.page
    register(visitor, "mine")
    _begun_by_the_command(address, page, file)
    page.reload()
    file.write_bytes(os.urandom(SIZE))
    _chooses_again(page, file)
    page.get_by_text("This is another file than the one that was begun").wait_for()
    expect(page.locator(".itemState.ready")).to_have_count(0)
