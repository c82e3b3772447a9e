"""Replicas that cannot be read back, for whatever reason, and mirrors that are moved."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from common.errors import InvalidInput
from common.store import StoreUnavailable
from common.store.s3 import S3Store
from tests.integration.upload.mirrors.mirror_servers import MirrorServer, fs, http
from tests.integration.upload.mirrors.mirrored import Mirrored
from upload_service.content.model import File
from upload_service.mirrors import administration, replicating, upkeep
from upload_service.mirrors.drivers import MirrorDown, MirrorRefused
from upload_service.mirrors.failures import LOST_AFTER
from upload_service.mirrors.model import FAILED_AFTER, Mirror

KINDS = {"fs": fs, "http": http}
CONTENT = b"content" * 1000


async def refuses(_: str) -> None:
    raise MirrorRefused


async def is_down(_: str) -> None:
    raise MirrorDown


async def verified(system: Mirrored, mirror: Mirror) -> File:
    file = await system.upload(CONTENT, mirror)
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)
    return file


async def attempts(system: Mirrored, file: File, mirror: Mirror, times: int) -> None:
    for _ in range(times):
        await system.later()
        system.queue.replicas.clear()
        await system.advance(await system.replica_id(file, mirror))


async def test_what_a_mirror_refuses_to_give_back_is_copied_anew(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    file = await verified(system, mirror)
    watched = system.drivers.watch(mirror, before_read=refuses)
    await attempts(system, file, mirror, LOST_AFTER - 1)
    assert await system.state(file, mirror) == ("verified", "mirror_refused")
    await attempts(system, file, mirror, 1)
    assert await system.state(file, mirror) == ("queued", "mirror_refused")
    watched.before_read = is_well
    await attempts(system, file, mirror, 1)
    assert await system.state(file, mirror) == ("verified", None)


async def is_well(_: str) -> None: ...


async def test_a_mirror_that_refuses_everything_has_lost_nothing(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    file = await verified(system, mirror)
    await system.ask("update mirror set probe_error = 'mirror_refused'")
    system.drivers.watch(mirror, before_read=refuses)
    await attempts(system, file, mirror, LOST_AFTER + 1)
    assert await system.state(file, mirror) == ("verified", "mirror_refused")


@pytest.mark.parametrize("fault", [refuses, is_down])
async def test_where_a_mirror_once_put_it_is_not_asked_forever(
    system: Mirrored, server: MirrorServer, fault: object
) -> None:
    """An attempt died after the mirror had given a URL, and nothing can be read there."""
    mirror = await system.mirror(server)
    file = await system.upload(CONTENT, mirror)
    await system.ask("update replica set url = 'http://gone.example/file'")
    watched = system.drivers.watch(mirror)

    async def only_elsewhere(path: str) -> None:
        if watched.writes == 0:
            await fault(path)  # type: ignore[operator]

    watched.before_read = only_elsewhere
    await attempts(system, file, mirror, 1 if fault is refuses else LOST_AFTER)
    if fault is is_down:
        assert await system.state(file, mirror) == ("queued", "mirror_down")
        await attempts(system, file, mirror, 1)
    assert await system.state(file, mirror) == ("verified", None)
    assert watched.writes == 1


async def test_content_that_breaks_off_in_the_store_is_waited_for_ever_longer(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks_off(*_: object) -> AsyncIterator[bytes]:
        yield CONTENT[:100]
        yield CONTENT[100:200]
        raise StoreUnavailable

    mirror = await system.mirror(server)
    file = await system.upload(CONTENT, mirror)
    with monkeypatch.context() as patched:
        patched.setattr(S3Store, "read", breaks_off)
        await attempts(system, file, mirror, FAILED_AFTER)
    assert await system.state(file, mirror) == ("failed", "unavailable")
    assert (await system.mirror_now(mirror)).failures == 0
    await attempts(system, file, mirror, 1)
    assert await system.state(file, mirror) == ("verified", None)


async def test_a_mirror_that_is_moved_gets_everything_in_its_new_place(
    system: Mirrored, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", timedelta(milliseconds=10))
    old, new = folder / "old", folder / "new"
    for each in (old, new):
        each.mkdir()
    spec = administration.MirrorSpec("moved", "fs", {"root": str(old)})
    mirror = await administration.define_mirror(system.context, spec)
    first = await verified(system, mirror)
    second = await system.upload(os.urandom(300_000), mirror)
    begun, never = asyncio.Event(), asyncio.Event()

    async def stand_still(_: str) -> None:
        if not begun.is_set():
            begun.set()
            await never.wait()

    system.drivers.watch(mirror, each_block=stand_still)
    copying = asyncio.create_task(system.work())
    await begun.wait()
    moved = await administration.change_mirror(system.context, mirror.id, {"options": {"root": str(new)}})
    await asyncio.wait_for(copying, 20)
    for _ in range(2):
        await upkeep.sweep_replicas(system.context)
        await system.work()
    for file in (first, second):
        assert await system.state(file, moved) == ("verified", None)
    assert {path.name for path in new.rglob("*") if path.is_file()} == {
        (await system.replica_id(file, moved)).hex for file in (first, second)
    }


async def test_secrets_are_sent_to_nobody_else_unless_they_are_given_again(system: Mirrored) -> None:
    spec = administration.MirrorSpec("secret", "http", {"url": "http://a.example/u", "token": "the secret"})
    mirror = await administration.define_mirror(system.context, spec)
    for options in ({"url": "http://b.example/u"}, {"ping_url": "http://b.example/p"}):
        with pytest.raises(InvalidInput, match="token"):
            await administration.change_mirror(system.context, mirror.id, {"options": options})
        for token in ("another", ""):
            await administration.change_mirror(system.context, mirror.id, {"options": {**options, "token": token}})
        await administration.change_mirror(system.context, mirror.id, {"options": {**spec.options, "ping_url": ""}})
    await administration.change_mirror(system.context, mirror.id, {"options": {"url_field": "url"}})
    kept = system.drivers.sealer.open((await system.mirror_now(mirror)).options)
    assert kept == {**spec.options, "url_field": "url"}
