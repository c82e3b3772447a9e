"""Content that grows request by request, against a real database and a real store."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from common.db import Database
from common.errors import TooLarge
from common.store import DigestClaim, ObjectMissing, ObjectStore
from common.store.limits import MIB
from tests.conftest import ROOT, MakeDatabase
from tests.integration.upload.contexts import Requests, new_context
from upload_service.content import appending, cleaning, completing, files, reservation, sessions, verification
from upload_service.content.appending import Appending, OffsetBeyond
from upload_service.content.completing import DigestMismatch, PartsMissing
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.reservation import PartBusy
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.context import Context

LIMIT = 64 * MIB


class Source:
    """Bytes on their way, which may break off before their end."""

    def __init__(self, content: bytes, *, certain: bool = True, breaks: bool = False) -> None:
        self._content, self._certain, self._breaks = content, certain, breaks
        self._left = len(content)
        self.turn = asyncio.Event()
        self.turn.set()

    def certain(self) -> int:
        return self._left if self._certain else 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 65536):
            block = self._content[start : start + 65536]
            self._left -= len(block)
            yield block
            await self.turn.wait()
        if self._breaks:
            raise ConnectionError


@dataclass
class Bench:
    """A context, and the verifications it was asked for."""

    context: Context
    requested: list[UUID] = field(default_factory=list[UUID])

    async def start(self, size: int | None, *claims: DigestClaim) -> UploadSession:
        return await sessions.start_upload(self.context, NewUpload("n", size=size, grows=True, claims=claims))

    async def append(self, session: UploadSession, content: bytes, at: int | None = None, **how: bool) -> int:
        """Append, or write at an earlier offset; how much is stored then."""
        async with Appending(self.context, session) as turn:
            await turn.write(turn.size if at is None else at, Source(content, **how), LIMIT)
        return turn.size

    async def complete(self, session: UploadSession) -> UploadSession:
        completed = await completing.complete_upload(self.context, session.id)
        for session_id in self.requested:
            await verification.verify_upload(self.context, session_id)
        return await completing.wait_verified(self.context, completed, timedelta(0))

    async def read(self, session: UploadSession) -> bytes:
        """What a download would serve."""
        assert session.file_id
        download = await files.open_download(self.context, session.file_id, "GET")
        key = download.stored_at.path.partition("?")[0].split("/", 2)[2]
        content = b"".join([block async for block in self.context.store.read(key)])
        assert download.sha256 == hashlib.sha256(content).digest()
        return content

    async def objects(self, session: UploadSession) -> list[str]:
        """What the store holds under the keys of this session."""
        current = await self.ask("select object_key from upload_session where id = %s", session.id)
        keys = {f"blobs/{session.id.hex}", current[0][0], *(session.staged_key(index) for index in range(10))}
        return sorted([key for key in keys if await self.context.store.stat(key)])

    async def ask(self, statement: str, *values: object) -> list[tuple[str]]:
        async with self.context.db.connection() as connection:
            return await (await connection.execute(statement.encode(), values)).fetchall()  # type: ignore[return-value]


@pytest.fixture
async def bench(make_database: MakeDatabase, store: ObjectStore) -> AsyncGenerator[Bench]:
    db = Database(make_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    queue = Requests()
    yield Bench(new_context(db, store, queue=queue), queue.verifications)
    await db.close()


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("size", [0, 1, 6 * MIB + 1])
async def test_one_piece_is_a_file_at_once_and_is_not_read_again(
    bench: Bench, size: int, certain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(size)
    session = await bench.start(size)
    assert await bench.append(session, content, certain=certain) == size

    def never(*_: object) -> None:
        raise AssertionError("the content was moved")

    with monkeypatch.context() as still:
        for name in ("read", "put", "create_multipart"):
            still.setattr(bench.context.store, name, never)
        session = await bench.complete(session)
    assert (session.state, bench.requested) == (SessionState.READY, [])
    assert await bench.read(session) == content
    assert await bench.objects(session) == [session.staged_key(0)]
    await cleaning.abort_stale_sessions(bench.context)
    assert await bench.read(session) == content


async def test_pieces_of_any_length_become_one_file(bench: Bench) -> None:
    pieces = [os.urandom(size) for size in (1, 6 * MIB, 0, 100_000, 5 * MIB)]
    content = b"".join(pieces)
    session = await bench.start(len(content))
    assert session.layout is Layout.APPENDED
    for piece in pieces:
        with pytest.raises(PartsMissing):
            await completing.complete_upload(bench.context, session.id)
        await bench.append(session, piece)
    session = await bench.complete(session)
    assert bench.requested == [session.id]
    assert await bench.read(session) == content
    assert await bench.objects(session) == [f"blobs/{session.id.hex}"]


async def test_nothing_at_all_can_be_a_file(bench: Bench) -> None:
    session = await bench.complete(await bench.start(0))
    assert await bench.read(session) == b""


async def test_writing_before_the_end_cuts_what_was_there(bench: Bench) -> None:
    session = await bench.start(9)
    for piece in (b"abc", b"def", b"ghi"):
        await bench.append(session, piece)
    assert await bench.append(session, b"XY", at=4) == 6
    async with Appending(bench.context, session) as turn:
        assert turn.boundaries == [0, 3, 4, 6]
    # Of the third piece nothing counts any more, so it is not kept either.
    assert await bench.objects(session) == [session.staged_key(index) for index in (0, 1, 3)]
    assert await bench.append(session, b"klm") == 9
    assert await bench.read(await bench.complete(session)) == b"abcdXYklm"


async def test_a_piece_that_replaces_all_others_is_the_file_at_once(bench: Bench) -> None:
    session = await bench.start(3)
    await bench.append(session, b"ab")
    await bench.append(session, b"xyz", at=0)
    session = await bench.complete(session)
    assert bench.requested == []
    assert await bench.read(session) == b"xyz"
    assert await bench.objects(session) == [session.staged_key(1)]


async def test_what_is_longer_than_the_file_is_not_the_file(bench: Bench) -> None:
    session = await bench.start(3)
    await bench.append(session, b"abcd")
    with pytest.raises(PartsMissing):
        await completing.complete_upload(bench.context, session.id)
    await bench.append(session, b"", at=3)
    assert await bench.read(await bench.complete(session)) == b"abc"


async def test_nothing_is_written_beyond_the_end(bench: Bench) -> None:
    session = await bench.start(9)
    await bench.append(session, b"abc")
    with pytest.raises(OffsetBeyond):
        await bench.append(session, b"x", at=4)
    assert await bench.append(session, b"d") == 4


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("size", [0, 10, 11 * MIB])
async def test_a_piece_that_broke_off_leaves_nothing(bench: Bench, size: int, certain: bool) -> None:
    session = await bench.start(6)
    await bench.append(session, b"abc")
    with pytest.raises(ConnectionError):
        await bench.append(session, os.urandom(size), at=1, certain=certain, breaks=True)
    assert await bench.objects(session) == [session.staged_key(0)]
    assert await bench.append(session, b"def") == 6
    assert await bench.read(await bench.complete(session)) == b"abcdef"


async def test_a_piece_whose_request_failed_after_it_leaves_nothing(bench: Bench) -> None:
    session = await bench.start(3)
    with pytest.raises(TooLarge):
        async with Appending(bench.context, session) as turn:
            await turn.write(0, Source(b"abc"), LIMIT)
            raise TooLarge
    assert await bench.objects(session) == []
    with pytest.raises(TooLarge):
        async with Appending(bench.context, session) as turn:
            await turn.write(0, Source(bytes(12 * MIB)), 11 * MIB)
    assert await bench.objects(session) == []
    assert await bench.append(session, b"abc") == 3


async def test_a_writer_waits_for_the_one_before_it(bench: Bench) -> None:
    session = await bench.start(6)
    slow = Source(b"abc")
    slow.turn.clear()

    async def first() -> None:
        async with Appending(bench.context, session) as turn:
            await turn.write(turn.size, slow, LIMIT)

    writing = asyncio.create_task(first())
    await asyncio.sleep(0.1)
    others = [asyncio.create_task(bench.append(session, piece)) for piece in (b"x", b"yz")]
    await asyncio.sleep(0.1)
    slow.turn.set()
    await writing
    assert sorted(await asyncio.gather(*others))[-1] == 6
    assert await bench.read(await bench.complete(session)) in (b"abcxyz", b"abcyzx")


async def test_a_writer_does_not_wait_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "PATIENCE", timedelta(seconds=0.3))
    session = await bench.start(6)
    async with Appending(bench.context, session) as turn:
        with pytest.raises(PartBusy):
            await bench.append(session, b"x")
        await turn.write(0, Source(b"abc"), LIMIT)
    assert turn.size == 3


async def test_a_writer_that_lost_its_turn_does_no_harm(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stood still, or the machine did: another writer took over, and the first one wakes up."""
    monkeypatch.setattr(reservation, "LEASE", timedelta(seconds=0.2))
    session = await bench.start(6)
    with pytest.raises(PartBusy):
        async with Appending(bench.context, session) as turn:
            await turn.write(0, Source(b"abcdef"), LIMIT)
            await asyncio.sleep(0.3)
            assert await bench.append(session, b"uvwxyz") == 6
    assert await bench.read(await bench.complete(session)) == b"uvwxyz"


async def test_a_sender_that_hesitates_at_its_end_writes_over_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservation, "LEASE", timedelta(seconds=0.2))
    session = await bench.start(6)
    slow = Source(b"abcdef")
    slow.turn.clear()

    async def first() -> None:
        async with Appending(bench.context, session) as turn:
            await turn.write(turn.size, slow, LIMIT)

    writing = asyncio.create_task(first())
    # Longer than what a renewal is spared for.
    await asyncio.sleep(1.1)
    assert await bench.append(session, b"uvwxyz") == 6
    slow.turn.set()
    with pytest.raises(PartBusy):
        await writing
    assert await bench.read(await bench.complete(session)) == b"uvwxyz"


async def test_what_a_killed_writer_leaves_goes_with_the_session(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await bench.start(20 * MIB)
    await bench.append(session, b"abc")
    slow = Source(bytes(12 * MIB), certain=False)
    turn = Appending(bench.context, session)
    await turn.__aenter__()
    writing = asyncio.create_task(turn.write(3, slow, LIMIT))
    statement = "select multipart_id from part where session_id = %s and multipart_id is not null"
    while not (found := await bench.ask(statement, session.id)):
        await asyncio.sleep(0.01)

    async def unheard(*_: object) -> None:
        """A process that was killed aborts nothing."""

    with monkeypatch.context() as killed:
        killed.setattr(bench.context.store, "abort_multipart", unheard)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await bench.ask(
        "update part set lease_until = now() - interval '1 s' where session_id = %s returning ''", session.id
    )
    aborted: list[tuple[str, str]] = []
    abort = bench.context.store.abort_multipart

    async def heard(key: str, upload_id: str) -> None:
        aborted.append((key, upload_id))
        await abort(key, upload_id)

    monkeypatch.setattr(bench.context.store, "abort_multipart", heard)
    await sessions.abort_upload(bench.context, session.id)
    assert aborted == [(session.staged_key(1), found[0][0])]
    assert await bench.objects(session) == []


async def test_the_next_writer_ends_what_a_killed_one_began(bench: Bench) -> None:
    session = await bench.start(6)
    await bench.append(session, b"abc")
    async with Appending(bench.context, session) as turn:
        left = await bench.context.store.create_multipart(session.staged_key(1))
        await turn._reservation.name_multipart(left)
    assert await bench.append(session, b"def") == 6
    with pytest.raises(Exception, match="multipart upload is not in the store"):
        await bench.context.store.put_part(session.staged_key(1), left, 1, Source(b"x").__aiter__(), 1)


async def test_a_lost_piece_opens_the_upload_again(bench: Bench) -> None:
    session = await bench.start(6)
    await bench.append(session, b"abc")
    await bench.append(session, b"def")
    await bench.context.store.delete(session.staged_key(1))
    with pytest.raises(PartsMissing):
        await bench.complete(session)
    bench.requested.clear()
    assert await bench.append(session, b"uvwxyz") == 6
    session = await bench.complete(session)
    assert await bench.read(session) == b"uvwxyz"
    assert await bench.objects(session) == [session.staged_key(0)]


async def test_a_piece_that_is_not_what_was_stored_is_not_handed_out(bench: Bench) -> None:
    session = await bench.start(6)
    await bench.append(session, b"abc")
    await bench.append(session, b"def")
    await bench.context.store.put(session.staged_key(0), Source(b"ABC").__aiter__(), 3)
    with pytest.raises(PartsMissing):
        await bench.complete(session)


async def test_a_session_that_opens_again_leaves_its_key_to_a_later_one(bench: Bench) -> None:
    new = NewUpload("n", size=2, grows=True, resume_key=b"key")
    first = await sessions.start_upload(bench.context, new)
    await bench.append(first, b"a")
    await bench.append(first, b"b")
    await bench.context.store.delete(first.staged_key(1))
    await completing.complete_upload(bench.context, first.id)
    second = await sessions.start_upload(bench.context, new)
    await verification.verify_upload(bench.context, first.id)
    assert (await sessions.find_session(bench.context, first.id)).state is SessionState.OPEN
    resumed = await sessions.resume_upload(bench.context, b"key")
    assert resumed
    assert resumed.id == second.id


@pytest.mark.parametrize("pieces", [(b"content",), (b"con", b"tent")])
@pytest.mark.parametrize("honest", [True, False])
async def test_claims_are_checked(bench: Bench, pieces: tuple[bytes, ...], honest: bool) -> None:
    digest = hashlib.sha256(b"content" if honest else b"other").digest()
    session = await bench.start(7, DigestClaim("sha-256", digest))
    for piece in pieces:
        await bench.append(session, piece)
    if honest:
        assert await bench.read(await bench.complete(session)) == b"content"
        return
    with pytest.raises(DigestMismatch):
        await bench.complete(session)
    assert await bench.objects(session) == []


async def test_equal_content_is_stored_once(bench: Bench) -> None:
    first = await bench.start(3)
    await bench.append(first, b"abc")
    await bench.complete(first)
    second = await bench.start(3)
    await bench.append(second, b"abc")
    second = await bench.complete(second)
    assert await bench.read(second) == b"abc"
    assert await bench.objects(second) == []


async def test_nothing_is_appended_to_what_has_ended(bench: Bench) -> None:
    session = await bench.start(3)
    await bench.append(session, b"abc")
    await bench.complete(session)
    with pytest.raises(SessionNotFound):
        await bench.append(session, b"d", at=0)
    assert await bench.objects(session) == [session.staged_key(0)]


async def test_only_the_beginning_of_an_object_is_read(store: ObjectStore) -> None:
    await store.put("key", Source(b"abcdef").__aiter__(), 6)
    for size, expected in ((1, b"a"), (6, b"abcdef"), (None, b"abcdef")):
        assert b"".join([block async for block in store.read("key", size=size)]) == expected
    with pytest.raises(ObjectMissing):
        async for _ in store.read("other", size=1):
            pass


async def test_there_is_an_end_to_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "MAX_SESSION_PARTS", 1)
    session = await bench.start(2)
    await bench.append(session, b"a")
    with pytest.raises(Exception, match="at most 1 parts"):
        await bench.append(session, b"b")
