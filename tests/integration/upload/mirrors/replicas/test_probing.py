"""Probes: the step of a mirror's use that fails, and nothing that they leave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.upload.mirrors.mirror_front import Fault
from tests.integration.upload.mirrors.mirror_servers import MirrorServer, fs, http, sftp, webdav
from tests.integration.upload.mirrors.mirrored import Mirrored
from upload_service.mirrors import administration, upkeep
from upload_service.mirrors.administration import MirrorSpec
from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.model import Mirror

KINDS = {"fs": fs, "http": http, "sftp": sftp, "webdav": webdav}


async def probed(system: Mirrored, mirror: Mirror) -> tuple[str, str] | None:
    failure = await upkeep.probe_mirror(system.context, await system.mirror_now(mirror))
    return (failure.step, failure.error) if failure else None


async def test_a_probe_leaves_nothing(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    assert await probed(system, mirror) is None
    assert server.stored() == {}


async def test_two_probes_at_once_do_not_disturb_each_other(system: Mirrored, server: MirrorServer) -> None:
    mirror = await system.mirror(server)
    both = asyncio.Barrier(2)

    async def together(_: str) -> None:
        await both.wait()

    system.drivers.watch(mirror, after_write=together, before_delete=together)
    assert await asyncio.gather(probed(system, mirror), probed(system, mirror)) == [None, None]
    assert server.stored() == {}


async def test_what_probes_and_copies_left_is_swept_when_it_is_old(
    system: Mirrored, server: MirrorServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if server.kind == "http":
        pytest.skip("such a store does not tell what it has")
    mirror = await system.mirror(server)
    broken = await administration.define_mirror(
        system.context, MirrorSpec("broken", "fs", {"root": str(folder / "no")})
    )
    await probed(system, mirror)
    await system.ask("update mirror set probed_at = now(), probe_error = null where id = %s", broken.id)
    async with system.context.drivers.of(mirror) as driver:
        await driver.write(unfinished.new_probe(mirror.id), content(), 7)
    await upkeep.sweep_mirrors(system.context)
    assert len(server.stored()) == 1
    monkeypatch.setattr(upkeep, "LEFT_AFTER", timedelta(days=-1))
    await upkeep.sweep_mirrors(system.context)
    assert server.stored() == {}


async def content() -> AsyncIterator[bytes]:
    yield b"content"


@pytest.mark.parametrize("fault", [Fault.FULL, Fault.REFUSES])
async def test_a_probe_fails_where_nothing_can_be_written(system: Mirrored, server: MirrorServer, fault: Fault) -> None:
    if fault not in server.faults:
        pytest.skip("this cannot be had here")
    mirror = await system.mirror(server)
    with server.failing(fault):
        step, error = await probed(system, mirror) or ("", "")
    assert error == ("mirror_full" if fault is Fault.FULL else "mirror_refused")
    # The servers of this test refuse everything; only the folder can be read.
    assert step == ("sign_in" if fault is Fault.REFUSES and server.kind != "fs" else "write")
    assert await probed(system, mirror) is None


async def test_a_probe_with_wrong_credentials_does_not_sign_in(system: Mirrored, server: MirrorServer) -> None:
    if server.wrong is None:
        pytest.skip("this kind has no credentials")
    spec = MirrorSpec("wrong", server.kind, server.wrong)
    mirror = await administration.define_mirror(system.context, spec)
    assert await probed(system, mirror) == ("sign_in", "mirror_refused")


async def test_a_root_that_is_missing_is_made_except_for_a_disk_that_may_not_be_mounted(
    system: Mirrored, server: MirrorServer
) -> None:
    if server.kind == "http":
        pytest.skip("this kind has no root")
    missing = server.options["root"] + "/missing/one"
    spec = MirrorSpec("missing", server.kind, {**server.options, "root": missing})
    mirror = await administration.define_mirror(system.context, spec)
    assert await probed(system, mirror) == (("sign_in", "mirror_down") if server.kind == "fs" else None)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda server, path: server.flip(path), ("read", "replica_damaged")),
        (lambda server, path: server.remove(path), ("read", "replica_lost")),
    ],
    ids=["flipped", "lost"],
)
async def test_a_probe_reads_what_it_wrote(
    system: Mirrored,
    server: MirrorServer,
    damage: Callable[[MirrorServer, str], None],
    expected: tuple[str, str],
    folder: Path,
) -> None:
    mirror = await system.mirror(server)

    async def damaged(path: str) -> None:
        damage(server, path)

    system.drivers.watch(mirror, after_write=damaged)
    for _ in range(2):
        assert await probed(system, mirror) == expected
        assert server.stored() == {}


async def test_only_a_mirror_that_was_not_well_is_written_to_every_minute(
    system: Mirrored, server: MirrorServer
) -> None:
    mirror = await system.mirror(server)
    watched = system.drivers.watch(mirror)
    writes = list[int]()
    for probe_error in (None, None, "mirror_full", None):
        await system.ask("update mirror set probe_error = %s where probed_at is not null", probe_error)
        await upkeep.probe_mirrors(system.context)
        writes.append(watched.writes)
    # When it is new, and after it failed.
    assert writes == [1, 1, 2, 2]
