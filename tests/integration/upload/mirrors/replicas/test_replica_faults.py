"""Mirrors that are gone, hang, are full or refuse, and a store that fails: reported, waited for, and made good."""

import os
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from common.identity import Identity, Role
from common.store import ObjectStore
from common.store.s3 import S3Store
from tests.integration.upload.mirrors.mirror_front import Background, Fault
from tests.integration.upload.mirrors.mirror_servers import MirrorServer, fs, http, webdav
from tests.integration.upload.mirrors.mirrored import Mirrored, Source, mirrored
from upload_service.content.model import File
from upload_service.mirrors import administration, choices, probing, upkeep, wishes
from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.model import BREAKER_FAILURES, FAILED_AFTER, FAILED_WAIT, FIRST_WAIT, Mirror
from upload_service.mirrors.queries import health

STALL_SECONDS = 1.0
ERRORS = {
    Fault.GONE: "mirror_down",
    Fault.HANGS: "mirror_down",
    Fault.FULL: "mirror_full",
    Fault.REFUSES: "mirror_refused",
}
KINDS = {"webdav": webdav, "http": http}


@pytest.fixture(scope="module")
def other(running: Background, folder: Path) -> Iterator[MirrorServer]:
    """A mirror that is well."""
    (folder / "other").mkdir()
    with fs(folder / "other", running) as server:
        yield server


@pytest.fixture
async def system(database: str, store: ObjectStore, folder: Path) -> AsyncGenerator[Mirrored]:
    async with mirrored(database, store, folder, stall_seconds=STALL_SECONDS) as system:
        yield system


async def attempt(system: Mirrored, file: File, mirror: Mirror) -> timedelta:
    """Make one attempt without waiting for it to be due. Returns the wait until the next one."""
    await system.later()
    system.queue.replicas.clear()
    await system.advance(await system.replica_id(file, mirror))
    return (await system.row("due_at - now()", file, mirror))[0]


@pytest.mark.parametrize("fault", Fault)
async def test_a_mirror_that_fails_is_waited_for_and_then_has_everything(
    system: Mirrored, server: MirrorServer, other: MirrorServer, fault: Fault
) -> None:
    failing, well = await system.mirror(server), await system.mirror(other)
    content = os.urandom(300_000)
    with server.failing(fault):
        file = await system.upload(content, failing, well)
        await system.work()
        assert await system.state(file, failing) == ("queued", ERRORS[fault])
        assert await system.state(file, well) == ("verified", None)
        assert [found.is_well for found in await usable(system)] == [False, True]
    assert await attempt(system, file, failing) > timedelta(days=6)
    assert await system.state(file, failing) == ("verified", None)
    assert [found.is_well for found in await usable(system)] == [True, True]
    assert list(server.stored().values()) == [content]


async def usable(system: Mirrored) -> list[choices.UsableMirror]:
    identity = Identity(system.owner, "owner", Role.USER, uuid4(), None)
    return await choices.usable_mirrors(system.context, identity)


async def test_waits_grow_until_it_counts_as_failed_and_then_it_is_still_tried(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(b"content", mirror)
    with server.failing(Fault.REFUSES):
        waits = [await attempt(system, file, mirror) for _ in range(FAILED_AFTER)]
        assert await system.state(file, mirror) == ("failed", "mirror_refused")
    for number, wait in enumerate(waits[:-1]):
        assert FIRST_WAIT * 2**number * 0.7 < wait < FIRST_WAIT * 2**number * 1.3
    assert FAILED_WAIT * 0.7 < waits[-1] < FAILED_WAIT * 1.3
    await attempt(system, file, mirror)
    assert await system.state(file, mirror) == ("verified", None)


async def test_a_failed_copy_is_tried_again_at_once_when_its_owner_says_so(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(b"content", mirror)
    with server.failing(Fault.REFUSES):
        await system.work()
    assert await system.state(file, mirror) == ("queued", "mirror_refused")
    await wishes.retry_replica(system.context, file, mirror.id)
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)


async def test_only_who_wants_a_replica_there_has_it_tried_again(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    await system.upload(b"the same", mirror)
    stranger = await system.upload(b"the same")
    with pytest.raises(wishes.MirrorNotFound):
        await wishes.retry_replica(system.context, stranger, mirror.id)


async def test_the_breaker_opens_lets_one_try_at_a_time_and_closes(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server, parallel=8)
    found = [await system.upload(os.urandom(20), mirror) for _ in range(BREAKER_FAILURES + 4)]
    watched = system.drivers.watch(mirror)
    with server.failing(Fault.REFUSES):
        await system.work()
        assert watched.writes == BREAKER_FAILURES
        broken = await system.mirror_now(mirror)
        assert broken.failures == BREAKER_FAILURES
        assert broken.open_until is not None
        # Nothing is sent to the mirror meanwhile, whatever requests it.
        await upkeep.sweep_replicas(system.context)
        assert system.queue.replicas == []
        for file in found:
            await wishes.retry_replica(system.context, file, mirror.id)
        await system.work()
        assert watched.writes == BREAKER_FAILURES
        # Then one replica is tried, and the breaker opens for longer.
        first = broken.open_until
        await system.later()
        await upkeep.sweep_replicas(system.context)
        assert len(system.queue.replicas) == 1
        await system.work()
        assert watched.writes == BREAKER_FAILURES + 1
        again = (await system.mirror_now(mirror)).open_until
        assert again is not None
        assert again > first
    await system.later()
    await upkeep.sweep_replicas(system.context)
    assert len(system.queue.replicas) == 1
    await system.advance(system.queue.replicas.pop())
    closed = await system.mirror_now(mirror)
    assert (closed.failures, closed.open_until) == (0, None)
    # All others are due at once; as many are requested as there is room for.
    assert len(system.queue.replicas) > 1
    await system.work()
    assert [await system.state(file, mirror) for file in found] == [("verified", None)] * len(found)


async def test_what_was_under_way_when_the_breaker_opened_does_not_keep_it_open_for_longer(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    async with system.context.db.transaction() as connection:
        counted = [await health.note_failure(connection, mirror.id) for _ in range(BREAKER_FAILURES)]
        await health.open_breaker(connection, mirror.id, timedelta(seconds=15))
        late = [await health.note_failure(connection, mirror.id) for _ in range(60)]
    assert counted == list(range(1, BREAKER_FAILURES + 1))
    assert set(late) == {0}
    assert (await system.mirror_now(mirror)).failures == BREAKER_FAILURES


async def test_a_probe_tells_what_is_wrong_and_a_mirror_that_is_back_is_used_at_once(
    system: Mirrored, server: MirrorServer, other: MirrorServer
) -> None:
    failing, well = await system.mirror(server), await system.mirror(other)
    file = await system.upload(b"content", failing)
    with server.failing(Fault.GONE):
        for _ in range(FAILED_AFTER):
            await attempt(system, file, failing)
        # The mirror fails, not the replica.
        assert await system.state(file, failing) == ("queued", "mirror_down")
        await upkeep.probe_mirrors(system.context)
        assert (await system.mirror_now(failing)).probe_error == "mirror_down"
        assert (await system.mirror_now(well)).probe_error is None
        assert (await system.mirror_now(well)).probed_at is not None
        await upkeep.sweep_replicas(system.context)
        assert system.queue.replicas == []
    await upkeep.probe_mirrors(system.context)
    assert (await system.mirror_now(failing)).probe_error is None
    await upkeep.sweep_replicas(system.context)
    await system.work()
    assert await system.state(file, failing) == ("verified", None)


async def test_a_mirror_that_hangs_does_not_delay_the_probes_of_others(
    system: Mirrored, server: MirrorServer, other: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBE_SECONDS", 0.3)
    failing, well = await system.mirror(server), await system.mirror(other)
    with server.failing(Fault.HANGS):
        await upkeep.probe_mirrors(system.context)
    assert (await system.mirror_now(failing)).probe_error == "mirror_down"
    assert (await system.mirror_now(well)).probe_error is None


async def test_a_probe_that_fails_as_nobody_expected_is_told_and_keeps_none_from_theirs(
    system: Mirrored, server: MirrorServer, other: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, well = await system.mirror(server), await system.mirror(other)

    async def broken(_: object) -> None:
        raise RuntimeError("a mistake of ours")

    watched = system.drivers.watch(failing)
    monkeypatch.setattr(watched, "check", broken.__get__(watched))
    await upkeep.probe_mirrors(system.context)
    assert (await system.mirror_now(failing)).probe_error == "unexpected"
    found = await system.mirror_now(well)
    assert (found.probe_error, found.probed_at is not None) == (None, True)


async def test_new_credentials_have_everything_tried_again(system: Mirrored, server: MirrorServer) -> None:
    assert server.wrong
    mirror = await administration.define_mirror(
        system.context, administration.MirrorSpec("wrong", server.kind, server.wrong)
    )
    file = await system.upload(b"content", mirror)
    for _ in range(FAILED_AFTER):
        await attempt(system, file, mirror)
    assert await system.state(file, mirror) == ("failed", "mirror_refused")
    await administration.change_mirror(system.context, mirror.id, {"options": server.options})
    await upkeep.sweep_replicas(system.context)
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)


async def test_content_that_the_store_damaged_is_not_the_mirrors_fault_and_never_leaves(
    system: Mirrored, server: MirrorServer, store: ObjectStore
) -> None:
    mirror = await system.mirror(server)
    for damaged in (b"contenT", b"conten", b"content and more"):
        file = await system.upload(b"content", mirror)
        key = (await system.ask("select object_key from blob where id = %s", file.blob_id))[0][0]
        await store.put(key, aiter(Source(damaged)), len(damaged))
        await attempt(system, file, mirror)
        assert await system.state(file, mirror) == ("queued", "source_damaged")
        # A server may keep a broken write under its temporary name until the next attempt.
        assert [path for path in server.stored() if not path.startswith(unfinished.FOLDER)] == []
        await store.put(key, aiter(Source(b"content")), 7)
    await store.delete(key)
    await attempt(system, file, mirror)
    assert await system.state(file, mirror) == ("queued", "source_damaged")
    assert (await system.mirror_now(mirror)).failures == 0
    await store.put(key, aiter(Source(b"content")), 7)
    await attempt(system, file, mirror)
    assert await system.state(file, mirror) == ("verified", None)


async def test_while_the_store_is_away_nothing_counts_and_nothing_is_lost(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(os.urandom(200_000), mirror)
    working = system.context
    away = S3Store("http://127.0.0.1:9", region="x", bucket="away", access_key="x", secret_key="x")
    await away.open()
    system.context = replace(working, store=away)
    for _ in range(FAILED_AFTER + 1):
        assert await attempt(system, file, mirror) < FIRST_WAIT * 2
    await away.close()
    assert await system.state(file, mirror) == ("queued", "unavailable")
    assert (await system.mirror_now(mirror)).failures == 0
    system.context = working
    await attempt(system, file, mirror)
    assert await system.state(file, mirror) == ("verified", None)


async def test_a_key_that_is_lost_breaks_mirrors_until_they_are_given_their_options_anew(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    await system.ask("update mirror set options = 'gAAAAnonsense'")
    file = await system.upload(b"content", mirror)
    await system.work()
    assert await system.state(file, mirror) == ("queued", "unsealable")
    await upkeep.probe_mirrors(system.context)
    shown = await administration.find_mirror(system.context, mirror.id)
    assert (shown.options, shown.mirror.probe_error) == ({}, "unsealable")
    await administration.change_mirror(system.context, mirror.id, {"options": server.options})
    await upkeep.sweep_replicas(system.context)
    await system.work()
    assert await system.state(file, mirror) == ("verified", None)


async def test_a_failure_that_nobody_expected_is_told_and_tried_again(
    system: Mirrored, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = await system.mirror(server)
    file = await system.upload(b"content", mirror)

    async def broken(_: str) -> None:
        raise RuntimeError("a mistake of ours")

    system.drivers.watch(mirror, before_write=broken)
    with pytest.raises(RuntimeError):
        await system.work()
    assert await system.state(file, mirror) == ("queued", "unexpected")
    system.drivers.watched.clear()
    await attempt(system, file, mirror)
    assert await system.state(file, mirror) == ("verified", None)
