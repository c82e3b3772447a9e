"""Sessions, and the parts and streams that are stored in them."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from common.errors import InvalidInput, TooLarge
from common.store import DigestClaim
from common.store.limits import MIB
from tests.integration.upload.content.uploads import (
    Bench,
    Known,
    blocks,
    complete,
    send_parts,
)
from upload_service.content import completing, files, sessions, storing, streams
from upload_service.content.completing import PartsMissing
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.reservation import Reservation
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.content.storing import PartLengthWrong

NO_WAIT = timedelta(0)


@pytest.mark.parametrize(
    ("size", "part_size", "layout"),
    [
        (0, 5 * MIB, Layout.STAGED),
        (1, 5 * MIB, Layout.PARTS),
        (5 * MIB, 5 * MIB, Layout.PARTS),
        (12 * MIB + 7, 5 * MIB, Layout.PARTS),
        (3 * MIB, MIB, Layout.STAGED),
        (11 * MIB + 1, 4 * MIB, Layout.STAGED),
    ],
)
async def test_parts_become_a_verified_file(bench: Bench, size: int, part_size: int, layout: Layout) -> None:
    content = os.urandom(size)
    session = await send_parts(bench, content, part_size, DigestClaim("sha-256", hashlib.sha256(content).digest()))
    # A folder takes parts of any size; only nothing at all has no part.
    takes_any = bench.context.store.limits.min_part_size == 1 and size > 0
    assert session.layout is (Layout.PARTS if takes_any else layout)
    session = await complete(bench, session)
    assert session.state is SessionState.READY
    assert session.file_id
    download = await files.open_download(bench.context, session.file_id, "GET")
    assert (download.size, download.sha256) == (size, hashlib.sha256(content).digest())
    assert await bench.read(session.file_id) == content
    assert await bench.objects(session) == [session.object_key]
    assert bench.requested == ([] if bench.is_ready_at_once(session) else [session.id])


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("size", [0, 1, 100_000, 5 * MIB, 11 * MIB + 3])
async def test_a_stream_becomes_a_verified_file(bench: Bench, size: int, certain: bool) -> None:
    content = os.urandom(size)
    session = await sessions.start_upload(bench.context, NewUpload("name.bin"))
    await streams.put_stream(bench.context, session, Known(content, certain=certain), 20 * MIB)
    session = await streams.finish_stream(bench.context, session)
    again = await streams.finish_stream(bench.context, session)
    assert session.file_id == again.file_id
    assert session.file_id
    assert await bench.read(session.file_id) == content


async def test_starting_again_resumes_with_what_is_stored(bench: Bench) -> None:
    new = NewUpload("a", size=10 * MIB, part_size=5 * MIB, resume_key=b"key")
    first = await sessions.start_upload(bench.context, new)
    await storing.store_part(bench.context, first, 1, blocks(bytes(5 * MIB)))
    second = await sessions.start_upload(bench.context, new)
    assert second.id == first.id
    assert await sessions.stored_indexes(bench.context, second) == [1]


async def test_two_starts_at_once_are_one_session(bench: Bench) -> None:
    new = NewUpload("a", size=10 * MIB, part_size=5 * MIB, resume_key=b"key")
    started = await asyncio.gather(*(sessions.start_upload(bench.context, new) for _ in range(6)))
    assert len({session.id for session in started}) == 1


async def test_a_stored_part_is_left_as_it_is(bench: Bench) -> None:
    content = os.urandom(100)
    session = await send_parts(bench, content, 5 * MIB)

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    stored = await storing.store_part(bench.context, session, 0, unread())
    assert stored.skipped
    assert stored.sha256 == hashlib.sha256(content).digest()


@pytest.mark.parametrize("layout", [Layout.PARTS, Layout.STAGED])
async def test_the_same_part_from_two_writers_at_once_is_written_once(bench: Bench, layout: Layout) -> None:
    part_size = 5 * MIB if layout is Layout.PARTS else MIB
    session = await sessions.start_upload(bench.context, NewUpload("a", size=2 * part_size, part_size=part_size))
    content = os.urandom(part_size)
    answers = await asyncio.gather(*(storing.store_part(bench.context, session, 0, blocks(content)) for _ in range(2)))
    assert sorted(answer.skipped for answer in answers) == [False, True]
    assert len({answer.sha256 for answer in answers}) == 1


@pytest.mark.parametrize("length", [5 * MIB - 1, 5 * MIB + 1, 0])
async def test_a_part_of_the_wrong_length_leaves_nothing(bench: Bench, length: int) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a", size=10 * MIB, part_size=5 * MIB))
    with pytest.raises(PartLengthWrong):
        await storing.store_part(bench.context, session, 0, blocks(bytes(length)))
    assert await sessions.stored_indexes(bench.context, session) == []
    # and the part is free at once
    await storing.store_part(bench.context, session, 0, blocks(bytes(5 * MIB)))


async def test_missing_parts_are_told_and_can_still_come(bench: Bench) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a", size=2, part_size=1))
    await storing.store_part(bench.context, session, 0, blocks(b"a"))
    with pytest.raises(PartsMissing):
        await completing.complete_upload(bench.context, session.id)
    await storing.store_part(bench.context, session, 1, blocks(b"b"))
    session = await complete(bench, session)
    assert session.file_id
    assert await bench.read(session.file_id) == b"ab"


async def test_each_part_extends_the_life_of_its_session(bench: Bench) -> None:
    new = NewUpload("a", size=2, part_size=1, lifetime=timedelta(minutes=5))
    session = await sessions.start_upload(bench.context, new)
    await storing.store_part(bench.context, session, 0, blocks(b"a"))
    extended = await sessions.find_session(bench.context, session.id)
    assert extended.expires_at - session.expires_at > timedelta(hours=23)


async def test_a_stream_over_the_limit_leaves_nothing(bench: Bench) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a"))
    with pytest.raises(TooLarge):
        await streams.put_stream(bench.context, session, Known(bytes(12 * MIB)), 11 * MIB)
    # It has become no file, so there is no share to end.
    await streams.discard_stream(bench.context, session.id)
    assert await bench.objects(session) == []
    with pytest.raises(SessionNotFound):
        await sessions.find_session(bench.context, session.id)


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 9000])
async def test_names_that_no_row_can_hold_are_refused(bench: Bench, name: str) -> None:
    with pytest.raises(InvalidInput):
        await sessions.start_upload(bench.context, NewUpload(name))


async def test_an_unknown_session_is_not_found(bench: Bench) -> None:
    with pytest.raises(SessionNotFound):
        await completing.complete_upload(bench.context, uuid4())


class Ending(Known):
    """A source whose session ends while its last block is under way."""

    def __init__(self, bench: Bench, session: UploadSession) -> None:
        super().__init__(b"abc")
        self._bench, self._session = bench, session

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in super().__aiter__():
            await sessions.abort_upload(self._bench.context, self._session.id)
            yield block


@pytest.mark.parametrize("way", ["stream", "held stream", "part"])
async def test_a_writer_whose_session_ends_meanwhile_is_told_so(folder_bench: Bench, way: str) -> None:
    context, part_size = folder_bench.context, 3 if way == "part" else None
    session = await sessions.start_upload(context, NewUpload("a", size=3, part_size=part_size))
    source, reservation = Ending(folder_bench, session), Reservation(context, session, 0)
    with pytest.raises(SessionNotFound):
        if way == "part":
            await storing.store_part(context, session, 0, source)
        elif way == "stream":
            await streams.put_stream(context, session, source, 3)
        else:
            assert await reservation.take() is None
            held = await streams.hold_stream(context, session, reservation, source, 3)
            await streams.finish_held(context, session, held)
