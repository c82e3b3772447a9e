"""The promises of every mirror driver, tested on a real server of its kind."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from common.store import BodyLength, ObjectMissing
from common.store.limits import MIB
from tests.integration.upload.mirrors.driving import blocks, content_of, new_path, written
from tests.integration.upload.mirrors.mirror_front import Background, Fault, background
from tests.integration.upload.mirrors.mirror_servers import SERVERS, WRONG, BucketContents, MirrorServer
from upload_service.mirrors.drivers import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    Place,
    ReplicaLost,
    open_driver,
    s3,
    unfinished,
)


@pytest.fixture(scope="module")
def running() -> Iterator[Background]:
    with background() as started:
        yield started


@pytest.fixture(scope="module", params=SERVERS)
def started(
    request: pytest.FixtureRequest, running: Background, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MirrorServer]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param), running) as server:
        yield server


@pytest.fixture
def server(started: MirrorServer) -> Iterator[MirrorServer]:
    yield started
    started.clear()


@pytest.fixture
async def driver(server: MirrorServer) -> AsyncGenerator[Driver]:
    opened = open_driver(server.kind, server.options, server.rules)
    yield opened
    await opened.close()


async def failing(content: bytes, error: Exception) -> AsyncIterator[bytes]:
    async for block in blocks(content):
        yield block
    raise error


def left_in(server: MirrorServer) -> dict[str, bytes]:
    """The files that are there after a write broke off.

    A WebDAV server may begin to store an attempt after it was told to remove it: only the next write comes after that.
    """
    stored = server.stored()
    if server.kind == "webdav":
        return {path: content for path, content in stored.items() if not path.startswith(".unfinished/")}
    return stored


@pytest.mark.parametrize("size", [0, 1, 5 * MIB - 1, 20 * MIB])
async def test_what_is_written_is_read_back(server: MirrorServer, driver: Driver, size: int) -> None:
    content, path = os.urandom(size), new_path()
    place = await written(driver, path, content)
    assert await content_of(driver, place) == content
    assert server.stored() == {path: content}


async def test_a_second_write_takes_the_place_of_the_first(server: MirrorServer, driver: Driver) -> None:
    path = new_path()
    await written(driver, path, os.urandom(3 * MIB))
    place = await written(driver, path, b"second")
    assert await content_of(driver, place) == b"second"
    assert server.stored() == {path: b"second"}


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (7, None), (7, 3 * MIB), (3 * MIB - 1, 1), (3 * MIB - 5, 100), (3 * MIB, None)]
)
async def test_any_range_can_be_read(driver: Driver, start: int, length: int | None) -> None:
    content = os.urandom(3 * MIB)
    place = await written(driver, new_path(), content)
    end = None if length is None else start + length
    assert await content_of(driver, place, start, length) == content[start:end]


async def test_no_bytes_are_read_of_an_empty_range(driver: Driver) -> None:
    place = await written(driver, new_path(), b"content")
    assert await content_of(driver, place, 2, 0) == b""
    assert await content_of(driver, place, 100, 5) == b""


async def test_a_reader_that_goes_away_leaves_the_driver_usable(driver: Driver) -> None:
    content = os.urandom(8 * MIB)
    place = await written(driver, new_path(), content)
    reading = driver.read(place)
    await anext(reading)
    await reading.aclose()  # type: ignore[attr-defined]
    assert await content_of(driver, place) == content


async def test_a_replica_is_removed_once_and_for_all(server: MirrorServer, driver: Driver) -> None:
    path = new_path()
    place = await written(driver, path, b"content")
    await driver.delete(place)
    await driver.delete(place)
    assert server.stored() == {}
    with pytest.raises(ReplicaLost):
        await content_of(driver, place)


async def test_a_replica_that_the_mirror_lost_is_lost(server: MirrorServer, driver: Driver) -> None:
    path = new_path()
    place = await written(driver, path, b"content")
    server.remove(path)
    for start, length in ((0, None), (3, None), (3, 2)):
        with pytest.raises(ReplicaLost):
            await content_of(driver, place, start, length)


async def test_damage_is_read_as_it_is(server: MirrorServer, driver: Driver) -> None:
    path, content = new_path(), os.urandom(100_000)
    place = await written(driver, path, content)
    server.flip(path, 5000)
    read = await content_of(driver, place)
    assert [at for at in range(len(content)) if content[at] != read[at]] == [5000]
    server.truncate(path, 10)
    assert await content_of(driver, place) == read[:10]


@pytest.mark.parametrize("size", [100, 20 * MIB])
@pytest.mark.parametrize("missing", [-1, 1, 70])
async def test_a_source_of_another_length_leaves_nothing(
    server: MirrorServer, driver: Driver, size: int, missing: int
) -> None:
    with pytest.raises(BodyLength):
        await driver.write(new_path(), blocks(bytes(size - missing), 1 + size // 50), size)
    assert left_in(server) == {}


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(28, "of the source"), TimeoutError(), ObjectMissing()])
async def test_a_source_that_fails_leaves_nothing_and_says_why(
    server: MirrorServer, driver: Driver, error: Exception
) -> None:
    with pytest.raises(type(error)) as raised:
        await driver.write(new_path(), failing(bytes(9 * MIB), error), 20 * MIB)
    assert raised.value is error
    assert left_in(server) == {}
    assert await content_of(driver, await written(driver, new_path(), b"next")) == b"next"


async def test_what_broke_off_does_not_touch_what_was_there(server: MirrorServer, driver: Driver) -> None:
    path = new_path()
    place = await written(driver, path, b"whole")
    with pytest.raises(ZeroDivisionError):
        await driver.write(path, failing(bytes(9 * MIB), ZeroDivisionError()), 20 * MIB)
    assert await content_of(driver, place) == b"whole"
    assert left_in(server) == {path: b"whole"}


async def test_a_cancelled_write_leaves_nothing_that_looks_whole(server: MirrorServer, driver: Driver) -> None:
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(9 * MIB)
        reached.set()
        await asyncio.Event().wait()

    path = new_path()
    writing = asyncio.create_task(driver.write(path, endless(), 20 * MIB))
    await reached.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert path not in server.stored()
    assert await content_of(driver, await written(driver, path, b"next")) == b"next"
    assert left_in(server) == {path: b"next"}


@pytest.mark.parametrize("started", ["fs", "webdav", "sftp"], indirect=True)
@pytest.mark.parametrize("then", ["write", "delete"])
async def test_what_a_killed_process_left_goes_with_the_next_use_of_its_path(
    server: MirrorServer, driver: Driver, then: str
) -> None:
    path, other = new_path(), new_path()
    place = await written(driver, path, b"content")
    await written(driver, other, b"other")
    names = [path.rpartition("/")[2] if server.kind == "fs" else path.replace("/", "-") for path in (path, other)]
    attempts = [f".unfinished/{name}.0123abcd" for name in names]
    for attempt in attempts:
        server.contents.put(attempt, b"unfin")
    if then == "write":
        await written(driver, path, b"content")
    else:
        await driver.delete(place)
    expected = {path: b"content"} if then == "write" else {}
    assert server.stored() == {**expected, other: b"other", attempts[1]: b"unfin"}


async def test_a_sweep_removes_what_is_old_and_ours(server: MirrorServer, driver: Driver) -> None:
    if server.kind == "http":
        pytest.skip("it does not tell what it has")
    copy, probe = new_path(), unfinished.new_probe(7)
    await written(driver, copy, b"content")
    others = ["probe/7-not-ours", "probe/7", f"probe/{secrets.token_hex(16)}"]
    left = [probe]
    if server.kind != "s3":
        suffix = "0123abcd" if server.kind == "fs" else secrets.token_hex(8)
        names = [path.rpartition("/")[2] if server.kind == "fs" else path.replace("/", "-") for path in (copy, probe)]
        left += [f".unfinished/{name}.{suffix}" for name in names]
        others += [".unfinished/report.document", f".unfinished/{copy[:2]}"]
    for path in (*left, *others):
        await written(driver, path, b"old")
    hour, now = timedelta(hours=1), datetime.now(UTC)
    assert await driver.remove_left(now - hour) == 0
    assert server.stored().keys() == {copy, *left, *others}
    assert await driver.remove_left(now + hour) == len(left)
    assert server.stored().keys() == {copy, *others}


async def test_a_slow_source_is_not_the_fault_of_the_mirror(server: MirrorServer) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"slow "
        await asyncio.sleep(0.75)
        yield b"source"

    driver = open_driver(server.kind, server.options, replace(server.rules, stall_seconds=0.5))
    path = new_path()
    place = Place(path, await driver.write(path, slow(), 11))
    assert await content_of(driver, place) == b"slow source"
    await driver.close()


async def test_a_mirror_that_answers_is_in_order(driver: Driver) -> None:
    await driver.check()


async def test_wrong_credentials_are_refused(server: MirrorServer) -> None:
    if server.wrong is None:
        pytest.skip("this kind has no credentials")
    driver = open_driver(server.kind, server.wrong, server.rules)
    path = new_path()
    with pytest.raises(MirrorRefused) as raised:
        await driver.check()
    assert WRONG not in raised.value.message
    with pytest.raises(MirrorRefused):
        await written(driver, path, b"content")
    await driver.close()
    assert server.stored() == {}


STALL_SECONDS = 0.4
EXPECTED: dict[Fault, type[MirrorError]] = {
    Fault.GONE: MirrorDown,
    Fault.HANGS: MirrorDown,
    Fault.FULL: MirrorFull,
    Fault.REFUSES: MirrorRefused,
}


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_is_told_as_what_it_is_and_is_over_when_it_ends(
    server: MirrorServer, driver: Driver, fault: Fault
) -> None:
    if fault not in server.faults:
        pytest.skip("this cannot be had here")
    before, during = new_path(), new_path()
    place = await written(driver, before, b"content")
    # Of what answers, a busy machine may need more time for the answer.
    patience = server.rules.stall_seconds if fault in (Fault.FULL, Fault.REFUSES) else STALL_SECONDS
    impatient = open_driver(server.kind, server.options, replace(server.rules, stall_seconds=patience))
    with server.failing(fault):
        began = time.monotonic()
        with pytest.raises(EXPECTED[fault]):
            await written(impatient, during, bytes(MIB))
        assert time.monotonic() - began < 60
        if fault in (Fault.GONE, Fault.HANGS):
            for attempt in (content_of(impatient, place), impatient.delete(place), impatient.check()):
                with pytest.raises(MirrorDown):
                    await attempt
    await impatient.close()
    assert during not in server.stored()
    await driver.check()
    assert await content_of(driver, place) == b"content"
    await written(driver, during, b"again")
    assert server.stored() == {before: b"content", during: b"again"}


async def test_a_mirror_that_dies_in_the_middle_is_down(server: MirrorServer, driver: Driver) -> None:
    path = new_path()

    async def killing() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield bytes(MIB)
        await asyncio.to_thread(server.set_fault, Fault.GONE)
        for _ in range(8):
            yield bytes(MIB)

    if server.kind == "fs":
        pytest.skip("a file that is open survives its folder's new name")
    with pytest.raises(MirrorDown):
        await driver.write(path, killing(), 20 * MIB)
    server.set_fault(None)
    assert path not in server.stored()


async def test_several_transfers_share_a_driver(server: MirrorServer, driver: Driver) -> None:
    contents = {new_path(): os.urandom(2 * MIB) for _ in range(6)}
    places = await asyncio.gather(*(written(driver, path, content) for path, content in contents.items()))
    read = await asyncio.gather(*(content_of(driver, place) for place in places))
    assert read == list(contents.values())
    assert server.stored() == contents


@pytest.mark.parametrize("started", ["s3"], indirect=True)
async def test_parts_of_an_s3_upload_that_broke_off_are_aborted(
    server: MirrorServer, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "ONE_PUT", 6 * MIB)
    monkeypatch.setattr("common.store.writer.PART_SIZE", 6 * MIB)
    assert isinstance(server.contents, BucketContents)
    content = os.urandom(20 * MIB)
    place = await written(driver, new_path(), content)
    assert await content_of(driver, place) == content
    server.clear()
    with pytest.raises(ZeroDivisionError):
        await driver.write(new_path(), failing(content[: 15 * MIB], ZeroDivisionError()), 20 * MIB)
    assert server.stored() == {}
    assert server.contents.unfinished() == 0
