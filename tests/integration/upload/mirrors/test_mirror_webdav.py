"""WebDAV servers that are particular about paths, and folders that another request makes at the same time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tests.integration.running_remote import answers, remote
from tests.integration.upload.mirrors.driving import content_of, new_path, written
from tests.integration.upload.mirrors.mirror_dav import dav
from upload_service.mirrors.drivers import (
    Driver,
    MirrorDown,
    MirrorRefused,
    Place,
    ReplicaBrokenOff,
    Rules,
    open_driver,
)

RULES = Rules(stall_seconds=5)


@asynccontextmanager
async def opened(endpoint: str, root: str | None = None) -> AsyncGenerator[Driver]:
    driver = open_driver("webdav", {"endpoint": endpoint, **({"root": root} if root else {})}, RULES)
    yield driver
    await driver.close()


@pytest.mark.parametrize(
    ("endpoint", "root", "place"),
    [
        ("/", None, "/"),
        ("", "/", "/"),
        ("//", "//", "/"),
        ("", "a", "/a/"),
        ("/", "/a//b/", "/a/b/"),
        ("", "100%25 ü", "/100%25 ü/"),
        ("", "50%", "/50%/"),
        ("/%C3%BC%20x/", "b", "/ü x/b/"),
    ],
)
async def test_an_address_means_the_same_however_its_slashes_and_percent_signs_are_written(
    endpoint: str, root: str | None, place: str
) -> None:
    async with dav() as server:
        if endpoint.strip("/"):
            server.folders.add("/ü x/")
        async with opened(server.url + endpoint, root) as driver:
            path = new_path()
            replica = await written(driver, path, b"content")
            await driver.check()
            assert server.content == {place + path: b"content"}
            assert await content_of(driver, replica) == b"content"
            await driver.delete(replica)
            assert server.content == {}


@pytest.mark.parametrize("status", [403, 405, 409])
async def test_a_folder_that_another_request_is_making_is_there(status: int) -> None:
    async with dav() as server, opened(server.url, "a/b") as driver:
        server.made_meanwhile = status
        path = new_path()
        await written(driver, path, b"content")
        assert server.content == {f"/a/b/{path}": b"content"}


async def test_a_folder_that_cannot_be_made_is_refused() -> None:
    async with dav() as server, opened(f"{server.url}/missing") as driver:
        with pytest.raises(MirrorRefused):
            await written(driver, new_path(), b"content")
        assert server.content == {}


async def test_a_folder_that_was_removed_is_made_again() -> None:
    async with dav() as server, opened(server.url) as driver:
        await written(driver, new_path(), b"first")
        server.folders = {"/"}
        await written(driver, path := new_path(), b"second")
        assert server.content[f"/{path}"] == b"second"


@pytest.mark.parametrize("status", [408, 421, 425, 429, 503])
async def test_a_mirror_that_says_later_may_say_when(status: int) -> None:
    async with dav() as server, opened(server.url) as driver:
        server.always = (status, {"Retry-After": "120"})
        for asking in (written(driver, new_path(), b"content"), content_of(driver, Place(new_path())), driver.check()):
            with pytest.raises(MirrorDown) as raised:
                await asking
            assert raised.value.retry_after == timedelta(seconds=120)


async def test_an_answer_that_breaks_off_is_told_from_a_mirror_that_is_down() -> None:
    async with (
        remote(answers("200 OK", "Content-Length: 7\n", b"")) as server,
        opened(server.url().rstrip("/")) as driver,
    ):
        with pytest.raises(ReplicaBrokenOff):
            await content_of(driver, Place(new_path()))
