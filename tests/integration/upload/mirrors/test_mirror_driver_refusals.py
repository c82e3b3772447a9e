"""Drivers of mirrors that answer as no healthy server does, or lead elsewhere."""

import asyncio
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.running_remote import answers, redirects, remote
from tests.integration.upload.mirrors.driving import content_of, new_path, written
from upload_service.mirrors.drivers import MirrorDown, MirrorRefused, Place, Rules, folder, open_driver


async def test_a_disk_that_hangs_is_down_and_holds_up_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Rules(folders=(tmp_path,), stall_seconds=0.1)
    driver = open_driver("fs", {"root": str(tmp_path)}, rules)
    answers = threading.Event()
    monkeypatch.setattr(folder.FolderDriver, "_find", lambda _: answers.wait())
    try:
        for _ in range(3 * folder.THREADS):
            with pytest.raises(MirrorDown):
                await driver.check()
        async with asyncio.timeout(10):
            await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.01) for _ in range(8)))
    finally:
        answers.set()
        await driver.close()


@pytest.mark.parametrize("kind", ["s3", "webdav"])
async def test_a_mirror_that_redirects_elsewhere_is_not_followed(kind: str) -> None:
    async with remote(answers("200 OK", "Content-Length: 6\n", b"secret")) as inner:
        async with remote(redirects(inner.url())) as outer:
            options = {"endpoint": outer.url().rstrip("/")}
            if kind == "s3":
                keys = {"access_key_id": "key", "secret_access_key": "secret"}
                options |= {"region": "us-east-1", "bucket": "mirror", **keys}
            driver = open_driver(kind, options, Rules())
            with pytest.raises(MirrorRefused):
                await content_of(driver, Place(new_path()), 0, 6)
            await driver.close()
        assert inner.requests == []


@pytest.mark.parametrize("status", ["408 Request Timeout", "421 Misdirected", "425 Too Early", "429 Slow Down"])
async def test_an_s3_mirror_that_says_later_may_say_when(status: str) -> None:
    async with remote(answers(status, "Content-Length: 0\nRetry-After: 120\n")) as server:
        options = {"endpoint": server.url().rstrip("/"), "region": "us-east-1", "bucket": "mirror"}
        driver = open_driver("s3", {**options, "access_key_id": "key", "secret_access_key": "secret"}, Rules())
        for asking in (written(driver, new_path(), b"content"), content_of(driver, Place(new_path())), driver.check()):
            with pytest.raises(MirrorDown) as raised:
                await asking
            assert raised.value.retry_after == timedelta(seconds=120)
        await driver.close()


async def test_a_folder_that_became_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "allowed" / "mirror", tmp_path / "outside"
    root.mkdir(parents=True)
    outside.mkdir()
    driver = open_driver("fs", {"root": str(root)}, Rules(folders=(tmp_path / "allowed",)))
    await written(driver, new_path(), b"content")
    root.rename(tmp_path / "allowed" / "old")
    root.symlink_to(outside)
    with pytest.raises(MirrorRefused):
        await written(driver, new_path(), b"content")
    assert list(outside.iterdir()) == []
