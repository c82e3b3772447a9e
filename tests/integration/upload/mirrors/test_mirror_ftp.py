"""FTP: what a copy that broke off leaves, folders that are missing, and refusals."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from common.store.limits import MIB
from deploy.local.ports import LOOPBACK
from tests.integration.upload.mirrors.driving import content_of, new_path, written
from tests.integration.upload.mirrors.mirror_ftp import Ftp, ftp
from upload_service.mirrors.drivers import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorRefused,
    Place,
    Rules,
    open_driver,
)
from upload_service.mirrors.drivers.ftp_login import sign_in
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


@pytest.mark.parametrize("age", [timedelta(days=3), timedelta(days=300)])
async def test_a_sweep_removes_what_killed_copies_left_and_nobody_else_wrote(tmp_path: Path, age: timedelta) -> None:
    root = tmp_path / "a"
    async with served(tmp_path, root="/a") as (server, driver):
        await written(driver, new_path(), b"copy")
        server.breaks_off_after = MIB
        for _ in range(2):
            with pytest.raises(MirrorDown):
                await written(driver, new_path(), bytes(20 * MIB))
        server.breaks_off_after = None
        old, recent = sorted(file for file in root.iterdir() if file.is_file())
        others = [
            root / name for name in ("1.document", "notes.ab12cd34", f"{secrets.token_hex(16)}.tar", ".unfinished")
        ]
        for file in others:
            file.write_bytes(b"somebody else's")
        for file in (old, *others):
            changed_at = (datetime.now(UTC) - age).timestamp()
            os.utime(file, (changed_at, changed_at))
        before, expected = datetime.now(UTC) - timedelta(days=2), set(server.stored()) - {f"a/{old.name}"}
        assert await driver.remove_left(before) == 1
        assert set(server.stored()) == expected
        assert recent.exists()


async def test_nothing_is_left_on_a_mirror_whose_root_is_missing(tmp_path: Path) -> None:
    async with served(tmp_path, root="/missing") as (_, driver):
        assert await driver.remove_left(datetime.now(UTC)) == 0


async def test_a_folder_that_may_not_be_written_to_is_no_mirror_that_is_down(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, driver):
        server.is_read_only = True
        with pytest.raises(MirrorRefused):
            await written(driver, new_path(), b"content")


async def test_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    """A server that makes a wrong password wait is not down."""
    async with served(tmp_path, password="wrong") as (server, driver):
        with pytest.raises(MirrorRefused):
            await driver.check()
        assert [said for said in server.said if said.startswith("PASS")] == ["PASS wrong"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (b"220-Welcome\r\n220-\r\n 220 of us\r\n220 ready\r\n", None),
        (b"421 too many users\r\n", MirrorDown),
        (b"530 not you\r\n", MirrorRefused),
        (b"220-" + b"x" * 100_000, MirrorDown),
        (b"220-x\r\n" * 300, MirrorDown),
        (b"SSH-2.0-OpenSSH\r\n", MirrorDown),
        (b"\xff\xff\xff\r\n", MirrorDown),
        (b"", MirrorDown),
    ],
    ids=["several lines", "busy", "refuses", "a long line", "many lines", "SSH", "bytes", "nothing"],
)
async def test_greetings_of_servers(told: bytes, expected: type[MirrorError] | None) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(told)
        if expected is None:
            for answer in (b"331 password\r\n", b"230-in\r\n230 now\r\n"):
                await reader.readline()
                writer.write(answer)
            await reader.readline()
        writer.close()

    server = await asyncio.start_server(greet, LOOPBACK, 0)
    endpoint = f"ftp://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    options = {"endpoint": endpoint, "user": "mirror", "password": "a password"}
    if expected is None:
        await sign_in(options)
    else:
        with pytest.raises(expected):
            await sign_in(options)
    server.close()


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
