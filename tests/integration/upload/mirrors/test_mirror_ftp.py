"""FTP: what a copy that broke off leaves, folders that are missing, and refusals."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.store.limits import MIB
from tests.integration.upload.mirrors.mirror_ftp import Ftp, ftp
from tests.integration.upload.mirrors.test_mirror_drivers import content_of, new_path, written
from upload_service.mirrors.drivers import Driver, MirrorDown, MirrorRefused, Place, Rules, open_driver
from upload_service.mirrors.drivers.interface import ReplicaEmpty


@asynccontextmanager
async def served(folder: Path, **changed: str) -> AsyncGenerator[tuple[Ftp, Driver]]:
    async with ftp(folder) as server:
        driver = open_driver("ftp", {**server.options, **changed}, Rules(stall_seconds=5))
        yield server, driver
        await driver.close()


@pytest.mark.parametrize("root", ["/", "/a", "/a/b//c/"])
async def test_copies_go_into_a_root_that_is_made(tmp_path: Path, root: str) -> None:
    async with served(tmp_path, root=root) as (server, driver):
        path, content = new_path(), bytes(3 * MIB)
        place = await written(driver, path, content)
        assert server.stored() == {f"{root.strip('/').replace('//', '/')}/{path}".lstrip("/"): content}
        assert await content_of(driver, place, 5, 7) == bytes(7)
        await driver.delete(place)
        assert server.stored() == {}


@pytest.mark.parametrize("how", ["written again", "deleted"])
async def test_nothing_remains_of_a_copy_that_broke_off(tmp_path: Path, how: str) -> None:
    async with served(tmp_path) as (server, driver):
        path, other = new_path(), new_path()
        await written(driver, other, b"other")
        server.breaks_off_after = MIB
        with pytest.raises(MirrorDown):
            await written(driver, path, bytes(20 * MIB))
        assert len(server.stored()) == 2
        server.breaks_off_after = None
        if how == "deleted":
            await driver.delete(Place(path))
            assert server.stored() == {other: b"other"}
        else:
            await written(driver, path, b"content")
            assert server.stored() == {other: b"other", path: b"content"}


async def test_a_folder_that_may_not_be_written_to_is_no_mirror_that_is_down(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, driver):
        server.is_read_only = True
        with pytest.raises(MirrorRefused):
            await written(driver, new_path(), b"content")


async def test_empty_content_is_refused_as_what_it_is(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, driver):
        with pytest.raises(ReplicaEmpty):
            await written(driver, new_path(), b"")
        assert server.stored() == {}


async def test_a_mirror_that_is_down_has_not_broken_off(tmp_path: Path) -> None:
    """OpenDAL connects only when the first block is read."""
    async with served(tmp_path) as (server, _):
        options = server.options
    driver = open_driver("ftp", options, Rules(stall_seconds=5))
    with pytest.raises(MirrorDown) as raised:
        await content_of(driver, Place(new_path()))
    assert raised.type is MirrorDown
    await driver.close()
