"""Copies to mirrors of every kind: reported as they are, verified only when proven, and removed again."""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.integration.upload.mirrors.mirror_servers import SERVERS, MirrorServer
from tests.integration.upload.mirrors.mirrored import Mirrored
from upload_service.content import cleaning, files
from upload_service.mirrors import administration, replicating, upkeep, wishes

MIB = 1024 * 1024
KINDS = SERVERS
PATIENCE_SECONDS = 20


async def test_a_copy_is_queued_then_under_way_then_verified(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", timedelta(milliseconds=10))
    content, told = os.urandom(3 * MIB), list[tuple[str, int]]()
    mirror = await system.mirror(server)
    file = await system.upload(content, mirror)
    assert await system.state(file, mirror) == ("queued", None)

    async def look(_: str) -> None:
        found = (await system.seen(file))[mirror.id]
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The second and the third time, some bytes are recorded as soon as the claim is renewed.
            while len(told) in (1, 2) and found.bytes_done == told[-1][1]:
                await asyncio.sleep(0.01)
                found = (await system.seen(file))[mirror.id]
        told.append((found.state.value, found.bytes_done))
        assert found.url is None

    system.drivers.watch(mirror, each_block=look, after_write=look)
    await system.work()
    assert {state for state, _ in told} == {"copying"}
    sizes = [size for _, size in told]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 2
    found = (await system.seen(file))[mirror.id]
    assert (found.state.value, found.bytes_done, found.error) == ("verified", len(content), None)
    assert found.verified_at is not None
    assert server.stored() == {await system.path(file, mirror): content}


@pytest.mark.parametrize("size", [0, 1])
async def test_the_smallest_files_are_copied_too(system: Mirrored, server: MirrorServer, size: int) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(b"x" * size, mirror)
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)
    assert list(server.stored().values()) == [b"x" * size]


async def test_equal_content_is_copied_once_and_removed_with_the_last_file(
    system: Mirrored, server: MirrorServer
) -> None:
    content, mirror = os.urandom(1000), await system.mirror(server)
    first = await system.upload(content, mirror)
    await system.work()
    second = await system.upload(content, mirror, owner=uuid4())
    # The mirror has the content already.
    assert system.queue.replicas == []
    assert await system.state(second, mirror) == ("verified", None)
    assert len(server.stored()) == 1
    await files.release_file(system.context, first.id)
    await system.work()
    assert await system.state(second, mirror) == ("verified", None)
    assert len(server.stored()) == 1
    await files.release_file(system.context, second.id)
    await system.work()
    assert server.stored() == {}
    assert await system.ask("select distinct state from replica") == [("removed",)]


async def test_what_a_mirror_damages_while_it_takes_it_is_never_called_verified(
    system: Mirrored, server: MirrorServer
) -> None:
    content, mirror = os.urandom(70_000), await system.mirror(server)

    def lose(path: str) -> None:
        server.remove(path)

    def flip(path: str) -> None:
        server.flip(path, 69_999)

    def truncate(path: str) -> None:
        server.truncate(path, 65_536)

    for damage, error in ((lose, "replica_lost"), (flip, "replica_damaged"), (truncate, "replica_damaged")):

        async def damaged(path: str, damage: Callable[[str], None] = damage) -> None:
            damage(path)

        file = await system.upload(content + error.encode() + damage.__name__.encode(), mirror)
        system.drivers.watch(mirror, after_write=damaged)
        await system.work()
        assert await system.state(file, mirror) == ("queued", error)
        # It counts as a failure of the replica, not of the mirror.
        assert (await system.mirror_now(mirror)).failures == 0
        system.drivers.watched.clear()
        await system.later()
        await system.advance(await system.replica_id(file, mirror))
        assert await system.state(file, mirror) == ("verified", None)
    assert len(server.stored()) == 3


async def test_a_wish_taken_back_breaks_the_copy_off_and_leaves_nothing(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", timedelta(milliseconds=10))
    mirror = await system.mirror(server)
    file = await system.upload(os.urandom(3 * MIB), mirror)
    begun, never = asyncio.Event(), asyncio.Event()

    async def stand_still(_: str) -> None:
        begun.set()
        await never.wait()

    system.drivers.watch(mirror, each_block=stand_still)
    copying = asyncio.create_task(system.work())
    await begun.wait()
    await wishes.unwant_mirror(system.context, file, mirror.id)
    # The same task continues and removes what the copy may have left.
    await asyncio.wait_for(copying, PATIENCE_SECONDS)
    assert await system.seen(file) == {}
    assert await system.ask("select distinct state from replica") == [("removed",)]
    assert server.stored() == {}


async def test_what_a_mirror_damages_later_is_found_and_repaired(system: Mirrored, server: MirrorServer) -> None:
    content, mirror = os.urandom(5000), await system.mirror(server)
    file = await system.upload(content, mirror)
    await system.work()
    path = await system.path(file, mirror)
    for damage in (
        lambda: server.flip(path, 4321),
        lambda: server.truncate(path, 4999),
        lambda: server.truncate(path, 0),
        lambda: server.remove(path),
    ):
        damage()
        await upkeep.sweep_replicas(system.context)
        assert system.queue.replicas == [], "it is not looked at before its time"
        await system.later()
        await upkeep.sweep_replicas(system.context)
        await system.advance(system.queue.replicas.pop())
        assert (await system.state(file, mirror))[0] == "queued"
        assert (await system.state(file, mirror))[1] in ("replica_damaged", "replica_lost")
        await system.work()
        assert await system.state(file, mirror) == ("verified", None)
        assert server.stored() == {path: content}


async def test_a_check_of_what_is_intact_puts_the_next_one_off(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(b"content", mirror)
    await system.work()
    before = (await system.seen(file))[mirror.id].verified_at
    assert before
    await system.later()
    await upkeep.sweep_replicas(system.context)
    await system.work()
    verified_at, due_in = await system.row("verified_at, due_at - now()", file, mirror)
    assert verified_at > before
    assert timedelta(days=6) < due_in < timedelta(days=8)


async def test_the_public_link_is_made_of_the_pattern_or_is_what_the_mirror_said(
    system: Mirrored, server: MirrorServer
) -> None:
    named = await system.mirror(server, link_pattern="https://cdn.example/x/{path}?a=1")
    plain = await system.mirror(server)
    file = await system.upload(b"linked", named, plain)
    assert {found.url for found in (await system.seen(file)).values()} == {None}
    await system.work()
    seen = await system.seen(file)
    assert seen[named.id].url == f"https://cdn.example/x/{await system.path(file, named)}?a=1"
    url = seen[plain.id].url
    if server.kind == "http":
        assert url is not None
        assert url.endswith(await system.path(file, plain))
    else:
        assert url is None


async def test_removing_a_mirror_takes_everything_from_it(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server, parallel=1)
    kept = [await system.upload(os.urandom(10), mirror) for _ in range(3)]
    await system.work()
    assert len(server.stored()) == 3
    await administration.remove_mirror(system.context, mirror.id, forget=False)
    await system.work()
    await upkeep.sweep_replicas(system.context)
    assert server.stored() == {}
    assert await system.ask("select 1 from mirror") == []
    assert await system.seen(kept[0]) == {}
    assert (await files.find_file(system.context, kept[0].id)).blob_id


async def test_a_mirror_that_is_forgotten_keeps_what_it_has(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(b"kept there", mirror)
    await system.work()
    # This works too after an ordinary removal was begun and the mirror cannot be reached.
    await administration.remove_mirror(system.context, mirror.id, forget=False)
    await administration.remove_mirror(system.context, mirror.id, forget=True)
    await system.work()
    assert list(server.stored().values()) == [b"kept there"]
    assert await system.ask("select 1 from mirror union all select 1 from replica") == []
    assert await system.seen(file) == {}


async def test_a_blob_that_is_collected_leaves_its_replica_to_be_removed(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(b"collected", mirror)
    await system.work()
    await files.release_file(system.context, file.id)
    await cleaning.collect_garbage(system.context, timedelta(0))
    assert await system.ask("select blob_id, state from replica") == [(None, "removing")]
    assert len(server.stored()) == 1
    await system.work()
    assert server.stored() == {}
    assert await system.ask("select distinct state from replica") == [("removed",)]
