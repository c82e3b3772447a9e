"""Each real server, and each thing that happens to a mirror: the outcome is the one that `docs/mirrors.md` tells.

make mirrors ARGS="-k nginx"           one server
make mirrors ARGS="-m 'not long'"      all but the large files
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import groupby
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.integration.upload.mirrors.mirror_front import Fault
from tests.integration.upload.mirrors.mirror_servers import BucketContents, MirrorServer
from tests.integration.upload.mirrors.mirrored import Mirrored
from tests.mirrors.real_servers import PROGRAMS, SERVERS
from upload_service.content import files
from upload_service.content.model import File
from upload_service.mirrors import administration, failover, upkeep
from upload_service.mirrors.administration import MirrorSpec
from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.model import Mirror

MIB = 1024 * 1024
PATIENCE_SECONDS = 5
NOTICE_SECONDS = 60
CHECKS = 8
NONE = "-"
KINDS = SERVERS

pytestmark = pytest.mark.skipif(not PROGRAMS.is_dir(), reason="make mirrors unpacks the servers")

Case = Callable[[Mirrored, MirrorServer], Awaitable[str]]


def told(state: str, error: str | None) -> str:
    return f"{state}: {error}" if error else state


async def probed(system: Mirrored, mirror: Mirror) -> str:
    failure = await upkeep.probe_mirror(system.context, await system.mirror_now(mirror))
    return told(failure.step, failure.error) if failure else "well"


async def defined(system: Mirrored, server: MirrorServer, **changed: str) -> Mirror:
    spec = MirrorSpec("changed", server.kind, {**server.options, **changed})
    return await administration.define_mirror(system.context, spec)


async def copied(system: Mirrored, mirror: Mirror, content: bytes) -> File:
    file = await system.upload(content, mirror)
    await system.work()
    return file


def has_only(server: MirrorServer, expected: dict[str, bytes]) -> bool:
    unfinished = server.contents.unfinished() if isinstance(server.contents, BucketContents) else 0
    return server.stored() == expected and unfinished == 0


async def comes_to(server: MirrorServer, expected: dict[str, bytes]) -> bool:
    """Whether nothing but this is there, perhaps a moment after the server has answered."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not has_only(server, expected):
                await asyncio.sleep(0.05)
    return has_only(server, expected)


async def comes_to_nothing(system: Mirrored, server: MirrorServer) -> bool:
    """Whether a server is empty when all files are deleted, and what is old has been swept."""
    for (file_id,) in await system.ask("select id from file"):
        await files.release_file(system.context, file_id)
    await system.later()
    for (replica_id,) in await system.ask("select id from replica where state <> 'removed'"):
        await system.advance(replica_id)
    await system.ask("update mirror set probed_at = now(), probe_error = null")
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            # A server may notice only now that a connection ended, and show what it has of a file.
            while not has_only(server, {}):
                await upkeep.sweep_mirrors(system.context)
                await asyncio.sleep(0.05)
    return has_only(server, {})


async def a_probe(system: Mirrored, server: MirrorServer) -> str:
    outcome = await probed(system, await system.mirror(server))
    assert server.stored() == {}
    return outcome


async def wrong_credentials(system: Mirrored, server: MirrorServer) -> str:
    return await probed(system, await defined(system, server, **server.wrong)) if server.wrong else NONE


async def read_only(system: Mirrored, server: MirrorServer) -> str:
    if Fault.REFUSES not in server.faults or server.kind == "s3":
        return NONE
    mirror = await system.mirror(server)
    assert await probed(system, mirror) == "well"
    with server.failing(Fault.REFUSES):
        outcome = await probed(system, mirror)
        file = await copied(system, mirror, b"content")
        assert (await system.state(file, mirror))[0] == "queued"
    await system.later()
    await system.advance(await system.replica_id(file, mirror))
    assert await system.state(file, mirror) == ("verified", None)
    return outcome


async def missing_root(system: Mirrored, server: MirrorServer) -> str:
    missing = {"bucket": "missing"} if server.kind == "s3" else {"root": server.options["root"] + "/missing/one"}
    mirror = await defined(system, server, **missing)
    file = await copied(system, mirror, b"content")
    state, _ = await system.state(file, mirror)
    outcome = await probed(system, mirror)
    assert (state == "verified") == (outcome == "well")
    return "made" if state == "verified" else outcome


async def a_copy(system: Mirrored, server: MirrorServer, *, size: int) -> str:
    mirror, content = await system.mirror(server), os.urandom(min(size, MIB)) * max(1, size // MIB)
    file = await copied(system, mirror, content)
    state, error = await system.state(file, mirror)
    expected = {await system.path(file, mirror): content} if state == "verified" else {}
    assert server.stored() == expected
    return told(state, error)


async def many_copies(system: Mirrored, server: MirrorServer) -> str:
    mirror = await system.mirror(server, parallel=8)
    found = [await system.upload(os.urandom(1000), mirror) for _ in range(24)]
    while asked := list(system.queue.replicas):
        system.queue.replicas.clear()
        await asyncio.gather(*(system.advance(replica) for replica in asked))
    if server.hides_deleted:
        # While several make its first folders, it may not find one that was made a moment ago.
        await system.later()
        for file in found:
            if (await system.state(file, mirror))[0] == "queued":
                await system.advance(await system.replica_id(file, mirror))
    return " ".join(sorted({told(*await system.state(file, mirror)) for file in found}))


async def comes_to_notice(server: MirrorServer, path: str) -> None:
    """Wait until rclone has seen the end of what a killed process sent, when another worker may take over the copy.

    Until then it would hide for good what is deleted. That it looks idle is no proof: on a busy machine it may rest
    between the end of the connection and that of the file. It tells of each write once it has closed the file, also if
    its sender was killed, but only after the answer: so the write is known by its name.
    """
    assert server.output
    attempt = unfinished.new_name(path)[: -len("0123456789abcdef")]
    write = re.compile(re.escape(attempt) + r"[0-9a-f]{16}\b.*PUT from")
    async with asyncio.timeout(NOTICE_SECONDS):
        while not write.search(server.output.read_text()):
            await asyncio.sleep(0.05)


async def a_kill(system: Mirrored, server: MirrorServer) -> str:
    """A process is killed in the middle of 300 MiB. Then the same path is written to the end."""
    mirror, content = await system.mirror(server), os.urandom(6 * MIB)
    file = await system.upload(content, mirror)
    path = await system.path(file, mirror)
    folders = [str(folder) for folder in server.rules.folders]
    given = {"kind": server.kind, "options": server.options, "folders": folders, "path": path}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.mirrors.killed_writer"),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    assert await process.stdout.readline() == b"in the middle\n"
    process.kill()
    await process.wait()
    if server.hides_deleted:
        await comes_to_notice(server, path)
    await system.work()
    if (await system.state(file, mirror))[0] == "queued":
        # A server may refuse to remove what it is still writing.
        await system.later()
        await system.advance(await system.replica_id(file, mirror))
    outcome = told(*await system.state(file, mirror))
    assert server.stored()[path] == content
    return outcome


Damage = Callable[[MirrorServer, str], None]


def flip(server: MirrorServer, path: str) -> None:
    server.flip(path, 3 * MIB)


def cut(server: MirrorServer, path: str) -> None:
    server.truncate(path, len(server.stored()[path]) - 1)


def grow(server: MirrorServer, path: str) -> None:
    server.contents.put(path, server.stored()[path] + b"x")


def delete(server: MirrorServer, path: str) -> None:
    server.remove(path)


def counted(errors: list[str]) -> str:
    """The errors in their order, each with the number of times that it came."""
    groups = [(error, len(list(same))) for error, same in groupby(errors)]
    return ", ".join(f"{error} ({times})" if times > 1 else error for error, times in groups)


async def a_damage(system: Mirrored, server: MirrorServer, *, damage: Damage) -> str:
    """The errors of the checks after which a damaged replica is whole again."""
    mirror, content = await system.mirror(server), os.urandom(6 * MIB)
    file = await copied(system, mirror, content)
    path, errors = await system.path(file, mirror), list[str]()
    damage(server, path)
    for _ in range(CHECKS):
        await system.later()
        system.queue.replicas.clear()
        await system.advance(await system.replica_id(file, mirror))
        state, error = await system.state(file, mirror)
        if error is None:
            assert state == "verified"
            is_whole = await comes_to(server, {path: content})
            if not errors and not is_whole:
                return "not noticed"
            assert is_whole, list(server.stored())
            assert (await system.mirror_now(mirror)).failures == 0
            return counted(errors)
        errors.append(error)
    raise AssertionError(errors)


async def removal(system: Mirrored, server: MirrorServer) -> str:
    mirror = await system.mirror(server)
    file = await copied(system, mirror, os.urandom(6 * MIB))
    await files.release_file(system.context, file.id)
    await system.work()
    assert await comes_to(server, {}), list(server.stored())
    [(state,)] = await system.ask("select state from replica")
    return str(state)


async def fail_over(system: Mirrored, server: MirrorServer) -> str:
    mirror, content = await system.mirror(server), os.urandom(6 * MIB)
    file = await copied(system, mirror, content)
    assert file.blob_id
    blob = await failover.find_blob(system.context, file.blob_id)
    size = len(content)
    for start, length in ((0, size), (0, 1), (size - 1, 1), (MIB - 1, MIB + 2), (5, size - 5)):
        blocks = failover.read_from_mirrors(system.context, blob, start, length)
        assert b"".join([block async for block in blocks]) == content[start : start + length]
    return "the same bytes"


CASES: dict[str, Case] = {
    "A probe": a_probe,
    "An empty file": partial(a_copy, size=0),
    "One byte": partial(a_copy, size=1),
    "6 MiB": partial(a_copy, size=6 * MIB),
    "300 MiB": partial(a_copy, size=300 * MIB),
    "24 files, 8 at once": many_copies,
    "Wrong credentials": wrong_credentials,
    "A root that may not be written to": read_only,
    "A root that is missing": missing_root,
    "A kill in the middle of 300 MiB": a_kill,
    "One bit is flipped": partial(a_damage, damage=flip),
    "The last byte is cut off": partial(a_damage, damage=cut),
    "One byte is appended": partial(a_damage, damage=grow),
    "The copy is deleted": partial(a_damage, damage=delete),
    "The file is deleted here": removal,
    "Ranges while the store is away": fail_over,
}
LONG = ("300 MiB",)


def table() -> dict[str, dict[str, str]]:
    """The table of the guide: the outcome of each case, by server."""
    lines = (ROOT / "docs/mirrors.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    head = rows[0][1:]
    return {row[0]: dict(zip(head, (re.sub("[`*]", "", cell) for cell in row[1:]), strict=True)) for row in rows[2:]}


def test_the_table_has_every_case_and_server() -> None:
    assert {case: set(cells) for case, cells in table().items()} == {case: set(SERVERS) for case in CASES}


@pytest.mark.parametrize("case", [pytest.param(case, marks=[pytest.mark.long] * (case in LONG)) for case in CASES])
async def test_a_server_does_what_the_table_tells(
    system: Mirrored, server: MirrorServer, case: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    params: dict[str, Any] = request.node.callspec.params
    # What was left a moment ago is old.
    monkeypatch.setattr(upkeep, "LEFT_AFTER", -upkeep.LEFT_AFTER)
    outcome = await CASES[case](system, server)
    assert outcome == table()[case][params["started"]]
    assert await comes_to_nothing(system, server), list(server.stored())
