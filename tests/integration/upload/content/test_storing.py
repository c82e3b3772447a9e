"""Upload sessions against a real database and a real store."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from minio import Minio

from common.db import Database
from common.errors import Gone, InvalidInput, NotFound, NotReady, TooLarge
from common.store import ContentHasher, DigestClaim, ObjectStore
from common.store.limits import MIB
from tests.conftest import ROOT, MakeDatabase
from tests.integration.upload.contexts import Requests, new_context
from upload_service.content import cleaning, completing, files, sessions, storing, streams, verification
from upload_service.content.completing import DigestMismatch, PartsMissing
from upload_service.content.model import Layout, Part, SessionState, UploadSession
from upload_service.content.running_digests import RunningDigests
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.content.storing import PartLengthWrong
from upload_service.context import Context

NO_WAIT = timedelta(0)


@dataclass
class Bench:
    """A context, and the verifications it was asked for."""

    context: Context
    requested: list[UUID] = field(default_factory=list)

    def settles_at_once(self, session: UploadSession) -> bool:
        """Whether completing needs no worker: the digest is known and no byte has to be moved."""
        return type(self.context.digests) is RunningDigests and session.layout is Layout.PARTS

    async def read(self, file_id: UUID) -> bytes:
        """What a download would serve."""
        download = await files.open_download(self.context, file_id, "GET")
        key = download.stored_at.path.partition("?")[0].partition("/blobs/")[2]
        return b"".join([block async for block in self.context.store.read(f"blobs/{key}")])

    async def objects(self, session: UploadSession) -> list[str]:
        """What the store holds under the keys of this session."""
        keys = [session.object_key, *(session.staged_key(index) for index in range(session.part_count or 0))]
        return [key for key in keys if await self.context.store.stat(key)]


class Forgetful(RunningDigests):
    """As after a restart, or when the chunks went through several replicas: objects are read back."""

    def take(self, session_id: UUID, stored: list[Part]) -> ContentHasher | None:
        super().take(session_id, stored)
        return None


@pytest.fixture(params=[RunningDigests, Forgetful], ids=["passing", "read back"])
async def bench(
    request: pytest.FixtureRequest, make_database: MakeDatabase, store: ObjectStore
) -> AsyncGenerator[Bench]:
    db = Database(make_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    queue = Requests()
    context = new_context(db, store, queue=queue, digests=request.param())
    yield Bench(context, queue.verifications)
    await db.close()


needs_a_worker = pytest.mark.parametrize("bench", [Forgetful], indirect=True)


async def blocks(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


class Known:
    """A source of known length."""

    def __init__(self, content: bytes, *, certain: bool = True) -> None:
        self._content, self._left, self._certain = content, len(content), certain

    def certain(self) -> int:
        return self._left if self._certain else 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in blocks(self._content):
            self._left -= len(block)
            yield block


async def send_chunks(bench: Bench, content: bytes, chunk_size: int, *claims: DigestClaim) -> UploadSession:
    new = NewUpload("name.bin", size=len(content), part_size=chunk_size, claims=claims)
    session = await sessions.start_upload(bench.context, new)
    for index in range(session.part_count or 0):
        chunk = content[index * chunk_size : (index + 1) * chunk_size]
        await storing.store_part(bench.context, session, index, blocks(chunk))
    return session


async def complete(bench: Bench, session: UploadSession) -> UploadSession:
    session = await completing.complete_upload(bench.context, session.id)
    await verification.verify_upload(bench.context, session.id)
    return await completing.wait_verified(bench.context, session, timedelta(seconds=5))


@pytest.mark.parametrize(
    ("size", "chunk_size", "layout"),
    [
        (0, 5 * MIB, Layout.STAGED),
        (1, 5 * MIB, Layout.PARTS),
        (5 * MIB, 5 * MIB, Layout.PARTS),
        (12 * MIB + 7, 5 * MIB, Layout.PARTS),
        (3 * MIB, MIB, Layout.STAGED),
        (11 * MIB + 1, 4 * MIB, Layout.STAGED),
    ],
)
async def test_chunks_become_a_verified_file(bench: Bench, size: int, chunk_size: int, layout: Layout) -> None:
    content = os.urandom(size)
    session = await send_chunks(bench, content, chunk_size, DigestClaim("sha-256", hashlib.sha256(content).digest()))
    assert session.layout is layout
    session = await complete(bench, session)
    assert session.state is SessionState.READY
    assert session.file_id
    download = await files.open_download(bench.context, session.file_id, "GET")
    assert (download.size, download.sha256) == (size, hashlib.sha256(content).digest())
    assert await bench.read(session.file_id) == content
    assert await bench.objects(session) == [session.object_key]
    assert bench.requested == ([] if bench.settles_at_once(session) else [session.id])


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


async def test_a_stored_chunk_is_left_as_it_is(bench: Bench) -> None:
    content = os.urandom(100)
    session = await send_chunks(bench, content, 5 * MIB)

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    stored = await storing.store_part(bench.context, session, 0, unread())
    assert stored.skipped
    assert stored.sha256 == hashlib.sha256(content).digest()


@pytest.mark.parametrize("layout", [Layout.PARTS, Layout.STAGED])
async def test_the_same_chunk_from_two_writers_at_once_is_written_once(bench: Bench, layout: Layout) -> None:
    chunk_size = 5 * MIB if layout is Layout.PARTS else MIB
    session = await sessions.start_upload(bench.context, NewUpload("a", size=2 * chunk_size, part_size=chunk_size))
    content = os.urandom(chunk_size)
    answers = await asyncio.gather(*(storing.store_part(bench.context, session, 0, blocks(content)) for _ in range(2)))
    assert sorted(answer.skipped for answer in answers) == [False, True]
    assert len({answer.sha256 for answer in answers}) == 1


@pytest.mark.parametrize("length", [5 * MIB - 1, 5 * MIB + 1, 0])
async def test_a_chunk_of_the_wrong_length_leaves_nothing(bench: Bench, length: int) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a", size=10 * MIB, part_size=5 * MIB))
    with pytest.raises(PartLengthWrong):
        await storing.store_part(bench.context, session, 0, blocks(bytes(length)))
    assert await sessions.stored_indexes(bench.context, session) == []
    # and the part is free at once
    await storing.store_part(bench.context, session, 0, blocks(bytes(5 * MIB)))


async def test_missing_chunks_are_told_and_can_still_come(bench: Bench) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a", size=2, part_size=1))
    await storing.store_part(bench.context, session, 0, blocks(b"a"))
    with pytest.raises(PartsMissing):
        await completing.complete_upload(bench.context, session.id)
    await storing.store_part(bench.context, session, 1, blocks(b"b"))
    session = await complete(bench, session)
    assert session.file_id
    assert await bench.read(session.file_id) == b"ab"


async def test_content_that_is_not_what_was_claimed_is_never_served(bench: Bench) -> None:
    session = await send_chunks(bench, b"content", 5 * MIB, DigestClaim("sha-256", hashlib.sha256(b"other").digest()))
    with pytest.raises(DigestMismatch):
        await complete(bench, session)
    with pytest.raises(DigestMismatch):
        await completing.complete_upload(bench.context, session.id)
    ended = await sessions.find_session(bench.context, session.id)
    assert ended.file_id
    with pytest.raises(Gone):
        await files.open_download(bench.context, ended.file_id, "GET")
    assert await bench.objects(session) == []


async def test_a_sampled_digest_is_accepted(bench: Bench) -> None:
    content = os.urandom(11 * MIB)
    field_of_size = str(len(content)).encode().ljust(16, b"\0")
    sampled = hashlib.sha256(content[: 5 * MIB] + content[-5 * MIB :] + field_of_size).digest()
    claims = (DigestClaim("sha-256", sampled), DigestClaim("sha-256-sampled", sampled))
    session = await complete(bench, await send_chunks(bench, content, 5 * MIB, *claims))
    assert session.state is SessionState.READY


@needs_a_worker
async def test_nothing_is_served_before_it_is_verified(bench: Bench) -> None:
    session = await send_chunks(bench, b"content", 5 * MIB)
    session = await completing.complete_upload(bench.context, session.id)
    assert (await completing.wait_verified(bench.context, session, NO_WAIT)).state is SessionState.ASSEMBLING
    assert session.file_id
    with pytest.raises(NotReady):
        await files.open_download(bench.context, session.file_id, "GET")


async def test_complete_twice_at_once_is_one_file(bench: Bench) -> None:
    session = await send_chunks(bench, b"content", 5 * MIB)
    answers = await asyncio.gather(*(completing.complete_upload(bench.context, session.id) for _ in range(4)))
    assert len({answer.file_id for answer in answers}) == 1
    assert bench.requested == ([] if bench.settles_at_once(session) else [session.id])


@needs_a_worker
async def test_two_verifications_at_once_settle_once(bench: Bench) -> None:
    content = os.urandom(MIB)
    session = await send_chunks(bench, content, 5 * MIB)
    await completing.complete_upload(bench.context, session.id)
    await asyncio.gather(*(verification.verify_upload(bench.context, session.id) for _ in range(3)))
    await verification.verify_upload(bench.context, session.id)
    async with bench.context.db.connection() as connection:
        refs = await (await connection.execute("select refs from blob")).fetchall()
    assert refs == [(1,)]


@needs_a_worker
@pytest.mark.parametrize("chunk_size", [5 * MIB, MIB])
async def test_a_verification_that_died_after_assembling_is_done_again(bench: Bench, chunk_size: int) -> None:
    content = os.urandom(7 * MIB)
    session = await send_chunks(bench, content, chunk_size)
    session = await completing.complete_upload(bench.context, session.id)
    dying = asyncio.create_task(verification.verify_upload(bench.context, session.id))
    while not await bench.context.store.stat(session.object_key) and not dying.done():
        await asyncio.sleep(0)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await verification.verify_upload(bench.context, session.id)
    session = await completing.wait_verified(bench.context, session, NO_WAIT)
    assert session.file_id
    assert await bench.read(session.file_id) == content


async def test_a_store_that_is_down_while_completing_leaves_it_to_a_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(6 * MIB)
    session = await send_chunks(bench, content, 5 * MIB)
    with monkeypatch.context() as down:
        down.setattr(bench.context.store, "_sdk", Minio("127.0.0.1:9", "a", "b" * 8, secure=False, region="us-east-1"))
        session = await completing.complete_upload(bench.context, session.id)
    assert bench.requested == [session.id]
    await verification.verify_upload(bench.context, session.id)
    assert session.file_id
    assert await bench.read(session.file_id) == content


async def test_chunks_that_the_store_lost_are_asked_for_again(bench: Bench) -> None:
    content = os.urandom(6 * MIB)
    session = await send_chunks(bench, content, 5 * MIB)
    session = await sessions.find_session(bench.context, session.id)
    assert session.multipart_id
    await bench.context.store.abort_multipart(session.object_key, session.multipart_id)
    session = await completing.complete_upload(bench.context, session.id)
    await verification.verify_upload(bench.context, session.id)
    with pytest.raises(PartsMissing):
        await completing.wait_verified(bench.context, session, NO_WAIT)
    session = await sessions.find_session(bench.context, session.id)
    for index in range(2):
        await storing.store_part(
            bench.context, session, index, blocks(content[index * 5 * MIB : (index + 1) * 5 * MIB])
        )
    session = await complete(bench, session)
    assert session.file_id
    assert await bench.read(session.file_id) == content


async def test_equal_content_is_stored_once(bench: Bench) -> None:
    content = os.urandom(MIB)
    first = await complete(bench, await send_chunks(bench, content, 5 * MIB))
    second = await sessions.start_upload(bench.context, NewUpload("other name"))
    await streams.put_stream(bench.context, second, Known(content), 2 * MIB)
    second = await streams.finish_stream(bench.context, second)
    assert first.file_id != second.file_id
    assert second.file_id
    assert await bench.read(second.file_id) == content
    assert await bench.objects(first) == [first.object_key]
    assert await bench.objects(second) == []


async def test_garbage_is_collected_only_when_nothing_refers_to_it(bench: Bench) -> None:
    content = os.urandom(MIB)
    first = await complete(bench, await send_chunks(bench, content, 5 * MIB))
    second = await complete(bench, await send_chunks(bench, content, 5 * MIB))
    assert first.file_id
    assert second.file_id
    await files.release_file(bench.context, first.file_id)
    await files.release_file(bench.context, first.file_id)
    await cleaning.collect_garbage(bench.context, NO_WAIT)
    assert await bench.read(second.file_id) == content
    await files.release_file(bench.context, second.file_id)
    await cleaning.collect_garbage(bench.context, timedelta(hours=1))
    assert await bench.objects(first) == [first.object_key]
    await cleaning.collect_garbage(bench.context, NO_WAIT)
    assert await bench.objects(first) == []
    with pytest.raises(NotFound):
        await files.open_download(bench.context, second.file_id, "GET")


async def test_collecting_and_referring_at_once_never_loses_content(bench: Bench) -> None:
    content = os.urandom(MIB)
    for _ in range(10):
        session = await complete(bench, await send_chunks(bench, content, 5 * MIB))
        assert session.file_id
        await files.release_file(bench.context, session.file_id)
        stream = await sessions.start_upload(bench.context, NewUpload("racing"))
        await streams.put_stream(bench.context, stream, Known(content), 2 * MIB)
        finished, _ = await asyncio.gather(
            streams.finish_stream(bench.context, stream), cleaning.collect_garbage(bench.context, NO_WAIT)
        )
        await cleaning.collect_garbage(bench.context, NO_WAIT)
        assert finished.file_id
        assert await bench.read(finished.file_id) == content
        await files.release_file(bench.context, finished.file_id)


@needs_a_worker
async def test_a_file_released_while_it_is_verified_leaves_nothing(bench: Bench) -> None:
    session = await send_chunks(bench, os.urandom(10), 5 * MIB)
    session = await completing.complete_upload(bench.context, session.id)
    assert session.file_id
    await files.release_file(bench.context, session.file_id)
    await verification.verify_upload(bench.context, session.id)
    assert await bench.objects(session) == []


async def test_an_upload_is_forgotten_with_its_file(bench: Bench) -> None:
    session = await complete(bench, await send_chunks(bench, b"content", 5 * MIB))
    assert session.file_id
    await files.release_file(bench.context, session.file_id)
    with pytest.raises(SessionNotFound):
        await completing.complete_upload(bench.context, session.id)


async def test_an_aborted_upload_leaves_nothing(bench: Bench) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a", size=2 * MIB, part_size=MIB))
    await storing.store_part(bench.context, session, 0, blocks(bytes(MIB)))
    assert await bench.objects(session)
    await sessions.abort_upload(bench.context, session.id)
    assert await bench.objects(session) == []
    with pytest.raises(SessionNotFound):
        await sessions.find_session(bench.context, session.id)
    with pytest.raises(SessionNotFound):
        await sessions.abort_upload(bench.context, session.id)


@pytest.mark.parametrize("chunk_size", [5 * MIB, MIB, None])
async def test_nothing_is_written_to_a_session_that_has_ended(bench: Bench, chunk_size: int | None) -> None:
    """Also not by who found it open a moment before: what came after the cleaning up would be named by no row."""
    new = NewUpload("a", size=2 * MIB, part_size=chunk_size)
    session = await sessions.start_upload(bench.context, new)
    await sessions.abort_upload(bench.context, session.id)
    with pytest.raises(SessionNotFound):
        if chunk_size is None:
            await streams.put_stream(bench.context, session, Known(bytes(2 * MIB)), 3 * MIB)
        else:
            await storing.store_part(bench.context, session, 0, blocks(bytes(min(chunk_size, 2 * MIB))))
    assert await bench.objects(session) == []


async def test_a_session_left_alone_expires_and_leaves_nothing(bench: Bench) -> None:
    new = NewUpload("a", size=2 * MIB, part_size=MIB, lifetime=timedelta(milliseconds=1), resume_key=b"k")
    session = await sessions.start_upload(bench.context, new)
    await asyncio.sleep(0.01)
    with pytest.raises(SessionNotFound):
        await sessions.find_session(bench.context, session.id)
    assert (await sessions.start_upload(bench.context, new)).id != session.id
    await cleaning.abort_stale_sessions(bench.context)
    with pytest.raises(SessionNotFound):
        await sessions.find_session(bench.context, session.id)


async def test_each_chunk_extends_the_life_of_its_session(bench: Bench) -> None:
    new = NewUpload("a", size=2, part_size=1, lifetime=timedelta(seconds=5))
    session = await sessions.start_upload(bench.context, new)
    await storing.store_part(bench.context, session, 0, blocks(b"a"))
    extended = await sessions.find_session(bench.context, session.id)
    assert extended.expires_at - session.expires_at > timedelta(hours=23)


async def test_a_stream_over_the_limit_leaves_nothing(bench: Bench) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a"))
    with pytest.raises(TooLarge):
        await streams.put_stream(bench.context, session, Known(bytes(12 * MIB)), 11 * MIB)
    # It has become no file, of which shares would have to be told.
    await streams.discard_stream(bench.context, session.id)
    assert await bench.objects(session) == []
    with pytest.raises(SessionNotFound):
        await sessions.find_session(bench.context, session.id)


@needs_a_worker
async def test_work_whose_message_was_lost_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await send_chunks(bench, b"content", 5 * MIB)
    await completing.complete_upload(bench.context, session.id)
    await verification.request_unverified(bench.context)
    assert bench.requested == [session.id]
    monkeypatch.setattr(verification, "LOST_AFTER", timedelta(0))
    await verification.request_unverified(bench.context)
    assert bench.requested == [session.id, session.id]


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 9000])
async def test_names_that_no_row_can_hold_are_refused(bench: Bench, name: str) -> None:
    with pytest.raises(InvalidInput):
        await sessions.start_upload(bench.context, NewUpload(name))


async def test_an_unknown_session_is_not_found(bench: Bench) -> None:
    with pytest.raises(SessionNotFound):
        await completing.complete_upload(bench.context, uuid4())
