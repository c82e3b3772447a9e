"""Replicas that an HTTP store keeps at another origin: temporary answers, refusals, and losses."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from common import clock
from common.store import ObjectStore
from tests.integration.running_remote import Remote, answers, opened, remote
from tests.integration.upload.mirrors.mirror_servers import MirrorServer, http
from tests.integration.upload.mirrors.mirrored import Mirrored, mirrored
from upload_service.content.model import File
from upload_service.mirrors.drivers.public_urls import PublicUrls
from upload_service.mirrors.failures import LOST_AFTER
from upload_service.mirrors.model import Mirror

KINDS = {"http": http}
CONTENT = b"content" * 1000


@pytest.fixture
async def system(database: str, store: ObjectStore, folder: Path) -> AsyncGenerator[Mirrored]:
    async with (
        opened("127.0.0.0/8", stall_seconds=5) as outbound,
        mirrored(database, store, folder, urls=PublicUrls(outbound)) as system,
    ):
        yield system


async def kept_elsewhere(system: Mirrored, mirror: Mirror, elsewhere: Remote) -> File:
    """A file with a verified replica at a URL of another origin."""
    file = await system.upload(CONTENT, mirror)
    await system.work()
    await system.ask("update replica set url = %s", elsewhere.url("/file"))
    await recheck(system, file, mirror)
    assert await system.state(file, mirror) == ("verified", None)
    return file


async def recheck(system: Mirrored, file: File, mirror: Mirror) -> None:
    await system.later()
    system.queue.replicas.clear()
    await system.advance(await system.replica_id(file, mirror))


CONTENT_ANSWER = answers("200 OK", f"Content-Length: {len(CONTENT)}\n", CONTENT)


@pytest.mark.parametrize("status", [408, 421, 425, 429, 500, 503])
async def test_a_url_that_answers_try_later_has_lost_nothing_however_often(
    system: Mirrored, server: MirrorServer, status: int
) -> None:
    mirror = await system.mirror(server)
    async with remote(CONTENT_ANSWER) as elsewhere:
        file = await kept_elsewhere(system, mirror, elsewhere)
        elsewhere.respond = answers(f"{status} Later", "Content-Length: 0\n")
        for _ in range(LOST_AFTER + 1):
            await recheck(system, file, mirror)
            assert await system.state(file, mirror) == ("verified", "mirror_down")
        elsewhere.respond = CONTENT_ANSWER
        await recheck(system, file, mirror)
        assert await system.state(file, mirror) == ("verified", None)


async def test_a_mirror_that_asks_for_a_pause_is_left_alone_for_as_long(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    async with remote(CONTENT_ANSWER) as elsewhere:
        file = await kept_elsewhere(system, mirror, elsewhere)
        elsewhere.respond = answers("429 Too Many Requests", "Content-Length: 0\nRetry-After: 600\n")
        await recheck(system, file, mirror)
        (wait,) = await system.row("due_at - now()", file, mirror)
        assert timedelta(seconds=590) < wait <= timedelta(seconds=600)
        left_alone = (await system.mirror_now(mirror)).open_until
        assert left_alone is not None
        assert left_alone - clock.now() > timedelta(seconds=590)


async def test_a_url_that_refuses_again_and_again_has_lost_its_copy(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    async with remote(CONTENT_ANSWER) as elsewhere:
        file = await kept_elsewhere(system, mirror, elsewhere)
        elsewhere.respond = answers("403 Forbidden", "Content-Length: 0\n")
        for _ in range(LOST_AFTER - 1):
            await recheck(system, file, mirror)
            assert await system.state(file, mirror) == ("verified", "mirror_refused")
        await recheck(system, file, mirror)
        assert await system.state(file, mirror) == ("queued", "mirror_refused")


async def test_a_copy_that_comes_short_again_and_again_is_lost_and_its_mirror_is_well(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    async with remote(CONTENT_ANSWER) as elsewhere:
        file = await kept_elsewhere(system, mirror, elsewhere)
        elsewhere.respond = answers("200 OK", f"Content-Length: {len(CONTENT)}\n", CONTENT[:-1])
        for _ in range(LOST_AFTER - 1):
            await recheck(system, file, mirror)
            assert await system.state(file, mirror) == ("verified", "replica_broken_off")
        await recheck(system, file, mirror)
        assert await system.state(file, mirror) == ("queued", "replica_broken_off")
        assert (await system.mirror_now(mirror)).failures == 0
        await recheck(system, file, mirror)
        assert await system.state(file, mirror) == ("verified", None)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_url_at_which_there_is_nothing_has_lost_its_copy_at_once(
    system: Mirrored, server: MirrorServer, status: int
) -> None:
    mirror = await system.mirror(server)
    async with remote(CONTENT_ANSWER) as elsewhere:
        file = await kept_elsewhere(system, mirror, elsewhere)
        elsewhere.respond = answers(f"{status} Nothing", "Content-Length: 0\n")
        await recheck(system, file, mirror)
        assert await system.state(file, mirror) == ("queued", "replica_lost")
