"""The identity of an SFTP mirror, and the ways to sign in to its account."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncssh
import pytest

from deploy.local.ports import LOOPBACK
from tests.integration.upload.mirrors.driving import content_of, new_path, written
from tests.integration.upload.mirrors.mirror_front import Background, background
from tests.integration.upload.mirrors.mirror_servers import STALL_SECONDS
from tests.integration.upload.mirrors.mirror_sftp import SftpStore
from upload_service.mirrors.drivers import MirrorRefused, OptionsInvalid, Place, Rules, open_driver

RULES = Rules(stall_seconds=STALL_SECONDS)


@pytest.fixture(scope="module")
def running() -> Iterator[Background]:
    with background() as started:
        yield started


@pytest.fixture
def server(running: Background, tmp_path: Path) -> Iterator[SftpStore]:
    with SftpStore(tmp_path, running) as started:
        yield started


def options_of(server: SftpStore) -> dict[str, str]:
    return {
        "host": LOOPBACK,
        "port": str(server.port),
        "username": "mirror",
        "root": str(server.folder),
        "host_key": server.host_key,
    }


async def test_a_key_signs_in(server: SftpStore) -> None:
    driver = open_driver("sftp", {**options_of(server), "private_key": server.client_key}, RULES)
    place = await written(driver, new_path(), b"content")
    assert await content_of(driver, place) == b"content"
    await driver.close()


async def test_another_key_is_refused(server: SftpStore) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    driver = open_driver("sftp", {**options_of(server), "private_key": other}, RULES)
    with pytest.raises(MirrorRefused):
        await driver.check()
    await driver.close()


async def test_a_server_with_another_host_key_is_told_no_password(server: SftpStore) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    driver = open_driver("sftp", {**options_of(server), "password": server.password, "host_key": other}, RULES)
    with pytest.raises(MirrorRefused):
        await driver.check()
    assert server.passwords_seen == 0
    await driver.close()


async def test_a_root_that_is_a_file_is_refused(server: SftpStore) -> None:
    root = server.folder / "file"
    root.write_bytes(b"")
    options = {**options_of(server), "password": server.password, "root": str(root)}
    driver = open_driver("sftp", options, RULES)
    with pytest.raises(MirrorRefused):
        await driver.check()
    await driver.close()


async def test_a_transfer_that_is_cancelled_does_not_end_the_driver(server: SftpStore) -> None:
    driver = open_driver("sftp", {**options_of(server), "password": server.password}, RULES)
    place = await written(driver, new_path(), b"content")
    reading = asyncio.create_task(content_of(driver, place))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await content_of(driver, place) == b"content"
    await driver.close()


async def test_a_transfer_that_is_broken_off_disturbs_no_other(server: SftpStore) -> None:
    """They share a connection, on which it leaves no file open."""
    driver = open_driver("sftp", {**options_of(server), "password": server.password}, RULES)
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield b"con"
        begun.set()
        await goes_on.wait()
        yield b"tent"

    path = new_path()
    broken_off, other = (asyncio.create_task(driver.write(each, halting(), 7)) for each in (new_path(), path))
    await begun.wait()
    await asyncio.sleep(0.1)
    broken_off.cancel()
    with pytest.raises(asyncio.CancelledError):
        await broken_off
    goes_on.set()
    await other
    assert await content_of(driver, Place(path)) == b"content"
    assert server.passwords_seen == 1
    assert server.files_open == 0
    await driver.close()


def test_a_key_with_a_passphrase_is_not_taken(server: SftpStore) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key("pkcs8-pem", "locked").decode()
    with pytest.raises(OptionsInvalid) as raised:
        open_driver("sftp", {**options_of(server), "private_key": key}, RULES)
    assert key not in raised.value.message
