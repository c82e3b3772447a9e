"""Claims: one worker at a time for a replica, a few at a time for a mirror, and workers that die or wake up late."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.integration.upload.mirrors.mirror_front import Background
from tests.integration.upload.mirrors.mirror_servers import MirrorServer, fs, http
from tests.integration.upload.mirrors.mirrored import Mirrored
from upload_service.content import files
from upload_service.content.model import File
from upload_service.mirrors import replicating, upkeep, wishes
from upload_service.mirrors.model import Mirror
from upload_service.mirrors.queries import claimed

KINDS = {"fs": fs, "http": http}
SOON = timedelta(milliseconds=10)
LONG = timedelta(hours=1)


class Gate:
    """A gate at which workers stop until it is opened; it counts those that have come."""

    def __init__(self) -> None:
        self.came, self._opened = asyncio.Event(), asyncio.Event()
        self.count = self.most = self.inside = 0

    async def __call__(self, _: str) -> None:
        self.count += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.came.set()
        try:
            await self._opened.wait()
        finally:
            self.inside -= 1

    def open(self) -> None:
        self._opened.set()


async def lose_claim(system: Mirrored) -> None:
    """Let every claim run out, as if the workers had slept."""
    await system.ask("update replica set lease_until = now() - interval '1 second'")


async def test_copies_checks_and_removals_of_a_mirror_are_limited_together(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server, parallel=3)
    old = [await system.upload(os.urandom(10), mirror) for _ in range(6)]
    await system.work()
    for file in old[:3]:
        await files.release_file(system.context, file.id)
    for _ in range(3):
        await system.upload(os.urandom(10), mirror)
    await system.later()
    due = [row[0] for row in await system.ask("select id from replica")]
    states = sorted(row[0] for row in await system.ask("select state from replica"))
    assert states == ["queued"] * 3 + ["removing"] * 3 + ["verified"] * 3
    gate = Gate()
    system.drivers.watch(mirror, before_write=gate, before_read=gate, before_delete=gate)
    working = [asyncio.create_task(system.advance(replica_id)) for replica_id in due]
    async with asyncio.timeout(60):
        while sum(not task.done() for task in working) > 3 or gate.inside < 3:
            await asyncio.sleep(0.01)
    assert sum(not task.done() for task in working) == gate.inside == 3
    gate.open()
    await asyncio.gather(*working)
    while system.queue.replicas:
        asked, system.queue.replicas[:] = list(system.queue.replicas), []
        await asyncio.gather(*(system.advance(replica_id) for replica_id in asked))
    assert gate.most <= 3
    assert await system.ask("select distinct state from replica where state <> 'removed'") == [("verified",)]
    assert len(server.stored()) == 6


async def test_a_task_that_is_delivered_twice_is_one_copy(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server, parallel=8)
    file = await system.upload(os.urandom(100_000), mirror)
    watched, replica_id = system.drivers.watch(mirror), await system.replica_id(file, mirror)
    await asyncio.gather(*(system.advance(replica_id) for _ in range(8)))
    await system.advance(replica_id)
    assert (watched.writes, watched.reads) == (1, 1)
    assert await system.state(file, mirror) == ("verified", None)


async def test_what_a_dead_worker_had_is_taken_over_when_its_claim_runs_out(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server, parallel=1)
    file = await system.upload(b"content", mirror)
    replica_id = await system.replica_id(file, mirror)
    async with system.context.db.connection() as connection:
        assert await claimed.claim_replica(connection, replica_id, uuid4(), timedelta(minutes=1))
    system.queue.replicas.clear()
    await upkeep.sweep_replicas(system.context)
    await system.advance(replica_id)
    assert system.queue.replicas == []
    assert await system.state(file, mirror) == ("copying", None)
    await lose_claim(system)
    await upkeep.sweep_replicas(system.context)
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)


async def test_a_worker_that_is_stopped_gives_its_claim_up(system: Mirrored, server: MirrorServer) -> None:
    mirror, gate = await system.mirror(server), Gate()
    file = await system.upload(b"content", mirror)
    system.drivers.watch(mirror, before_write=gate)
    working = asyncio.create_task(system.work())
    await gate.came.wait()
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    gate.open()
    await upkeep.sweep_replicas(system.context)
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)


async def late_worker(system: Mirrored, file: File, mirror: Mirror, gate: Gate, step: str) -> asyncio.Task[None]:
    """A worker that has stopped at this step of its copy and has lost its claim since."""
    system.drivers.watch(mirror, **{step: gate})
    late = asyncio.create_task(system.advance(await system.replica_id(file, mirror)))
    await gate.came.wait()
    await lose_claim(system)
    system.drivers.watched.clear()
    return late


@pytest.mark.parametrize("step", ["before_write", "each_block", "after_write"])
async def test_a_worker_that_wakes_up_late_changes_nothing_of_what_the_next_one_did(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", LONG)
    mirror, gate, content = await system.mirror(server), Gate(), os.urandom(100_000)
    file = await system.upload(content, mirror)
    late = await late_worker(system, file, mirror, gate, step)
    await system.advance(await system.replica_id(file, mirror))
    proven = await system.row("*", file, mirror)
    assert await system.state(file, mirror) == ("verified", None)
    gate.open()
    await late
    assert await system.row("*", file, mirror) == proven
    assert server.stored() == {await system.path(file, mirror): content}


async def test_a_worker_that_fails_late_says_nothing_of_what_the_next_one_did(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", LONG)
    mirror, gate = await system.mirror(server), Gate()
    file = await system.upload(b"content", mirror)
    replica_id = await system.replica_id(file, mirror)
    late = await late_worker(system, file, mirror, gate, "after_write")
    async with system.context.db.connection() as connection:
        taken = await claimed.claim_replica(connection, replica_id, uuid4(), timedelta(minutes=1))
    assert taken
    server.clear()
    before = await system.row("*", file, mirror)
    gate.open()
    await late
    assert await system.row("*", file, mirror) == before


async def test_a_worker_notices_that_its_claim_was_lost(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", SOON)
    mirror, gate = await system.mirror(server), Gate()
    file = await system.upload(b"content", mirror)
    system.drivers.watch(mirror, before_write=gate)
    late = asyncio.create_task(system.advance(await system.replica_id(file, mirror)))
    await gate.came.wait()
    other = uuid4()
    await system.ask("update replica set worker = %s", other)
    await asyncio.wait_for(late, 20)
    assert await system.row("worker, lease_until > now()", file, mirror) == (other, True)


async def test_a_removal_that_comes_late_removes_nothing_that_is_wanted_again(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror, gate = await system.mirror(server), Gate()
    file = await system.upload(b"content", mirror)
    await system.work()
    await wishes.unwant_mirror(system.context, file, mirror.id)
    system.drivers.watch(mirror, before_delete=gate)
    removing = asyncio.create_task(system.advance(system.queue.replicas.pop()))
    await gate.came.wait()
    await wishes.want_mirrors(system.context, file, [mirror.id])
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)
    gate.open()
    await removing
    assert await system.state(file, mirror) == ("verified", None)
    assert server.stored() == {await system.path(file, mirror): b"content"}
    assert await system.ask("select count(*) from replica where state <> 'removed'") == [(1,)]


async def test_a_claim_is_never_renewed_after_the_work(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", timedelta(milliseconds=1))
    mirror = await system.mirror(server, parallel=1)
    file = await system.upload(b"content", mirror)
    await system.work()
    for _ in range(10):
        await system.later()
        await system.advance(await system.replica_id(file, mirror))
        await asyncio.sleep(0.01)
        assert await system.row("lease_until", file, mirror) == (None,)


class TestAMirrorThatNamesItsOwnPlaces:
    @pytest.fixture
    def server(self, running: Background, tmp_path: Path) -> Iterator[MirrorServer]:
        with http(tmp_path, running) as server:
            yield server

    async def died_after_its_url_was_noted(self, system: Mirrored, file: File, mirror: Mirror) -> UUID:
        await system.work()
        await system.ask("update replica set state = 'copying', verified_at = null, due_at = now()")
        return await system.replica_id(file, mirror)

    async def test_it_is_not_given_again_what_it_has_named(self, system: Mirrored, server: MirrorServer) -> None:
        mirror = await system.mirror(server)
        file = await system.upload(b"content", mirror)
        replica_id = await self.died_after_its_url_was_noted(system, file, mirror)
        watched = system.drivers.watch(mirror)
        await system.advance(replica_id)
        assert (watched.writes, watched.reads) == (0, 1)
        assert await system.state(file, mirror) == ("verified", None)
        assert (await system.seen(file))[mirror.id].url is not None

    async def test_it_is_given_again_what_it_has_lost(self, system: Mirrored, server: MirrorServer) -> None:
        mirror = await system.mirror(server)
        file = await system.upload(b"content", mirror)
        replica_id = await self.died_after_its_url_was_noted(system, file, mirror)
        server.flip(await system.path(file, mirror))
        await system.advance(replica_id)
        assert await system.state(file, mirror) == ("verified", None)
        assert list(server.stored().values()) == [b"content"]

    async def test_what_it_names_after_the_wish_was_taken_back_is_removed(
        self, system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replicating, "PROGRESS_EVERY", LONG)
        mirror, gate = await system.mirror(server), Gate()
        file = await system.upload(b"content", mirror)
        system.drivers.watch(mirror, after_write=gate)
        copying = asyncio.create_task(system.work())
        await gate.came.wait()
        assert list(server.stored().values()) == [b"content"]
        await wishes.unwant_mirror(system.context, file, mirror.id)
        gate.open()
        await copying
        assert server.stored() == {}
        assert await system.ask("select distinct state from replica") == [("removed",)]
