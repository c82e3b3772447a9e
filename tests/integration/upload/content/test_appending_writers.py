"""The writers of content that grows: failures, turns, and what killed ones leave."""

import asyncio
import os
from datetime import timedelta
from uuid import UUID

import pytest

from common.errors import TooLarge
from common.store import PartBusy
from common.store.limits import MIB
from tests.integration.upload.content.appended import LIMIT, Growing, Source
from tests.integration.upload.content.uploads import Bench
from upload_service.content import reservation, sessions
from upload_service.content.appending import Appending, OffsetBeyond
from upload_service.content.queries import sessions as queries
from upload_service.content.sessions import NewUpload, SessionNotFound


async def test_nothing_is_written_beyond_the_end(growing: Growing) -> None:
    session = await growing.start(9)
    await growing.append(session, b"abc")
    with pytest.raises(OffsetBeyond):
        await growing.append(session, b"x", at=4)
    assert await growing.append(session, b"d") == 4


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("size", [0, 10, 11 * MIB])
async def test_a_part_that_broke_off_leaves_nothing(growing: Growing, size: int, certain: bool) -> None:
    session = await growing.start(6)
    await growing.append(session, b"abc")
    with pytest.raises(ConnectionError):
        await growing.append(session, os.urandom(size), at=1, certain=certain, breaks=True)
    assert await growing.objects(session) == [session.staged_key(0)]
    assert await growing.append(session, b"def") == 6
    assert await growing.read(await growing.complete(session)) == b"abcdef"


async def test_a_part_whose_request_failed_after_it_leaves_nothing(growing: Growing) -> None:
    session = await growing.start(3)
    with pytest.raises(TooLarge):
        async with Appending(growing.context, session) as turn:
            await turn.write(0, Source(b"abc"), LIMIT)
            raise TooLarge
    assert await growing.objects(session) == []
    with pytest.raises(TooLarge):
        async with Appending(growing.context, session) as turn:
            await turn.write(0, Source(bytes(12 * MIB)), 11 * MIB)
    assert await growing.objects(session) == []
    assert await growing.append(session, b"abc") == 3


async def test_a_writer_waits_for_the_one_before_it(growing: Growing) -> None:
    session = await growing.start(6)
    slow = Source(b"abc")
    slow.turn.clear()

    async def first() -> None:
        async with Appending(growing.context, session) as turn:
            await turn.write(turn.size, slow, LIMIT)

    writing = asyncio.create_task(first())
    await asyncio.sleep(0.1)
    others = [asyncio.create_task(growing.append(session, part)) for part in (b"x", b"yz")]
    await asyncio.sleep(0.1)
    slow.turn.set()
    await writing
    assert sorted(await asyncio.gather(*others))[-1] == 6
    assert await growing.read(await growing.complete(session)) in (b"abcxyz", b"abcyzx")


async def test_a_writer_does_not_wait_for_ever(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "PATIENCE", timedelta(seconds=0.3))
    session = await growing.start(6)
    async with Appending(growing.context, session) as turn:
        with pytest.raises(PartBusy):
            await growing.append(session, b"x")
        await turn.write(0, Source(b"abc"), LIMIT)
    assert turn.size == 3


async def test_a_writer_that_lost_its_turn_does_no_harm(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stood still, or the machine did: another writer took over, and the first one wakes up."""
    monkeypatch.setattr(reservation, "LEASE", timedelta(seconds=0.2))
    session = await growing.start(6)
    with pytest.raises(PartBusy):
        async with Appending(growing.context, session) as turn:
            await turn.write(0, Source(b"abcdef"), LIMIT)
            await asyncio.sleep(0.3)
            assert await growing.append(session, b"uvwxyz") == 6
    assert await growing.read(await growing.complete(session)) == b"uvwxyz"


async def test_a_sender_that_hesitates_at_its_end_writes_over_nobody(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservation, "LEASE", timedelta(seconds=0.2))
    session = await growing.start(6)
    slow = Source(b"abcdef")
    slow.turn.clear()

    async def first() -> None:
        async with Appending(growing.context, session) as turn:
            await turn.write(turn.size, slow, LIMIT)

    writing = asyncio.create_task(first())
    # Longer than what a renewal is spared for.
    await asyncio.sleep(1.1)
    assert await growing.append(session, b"uvwxyz") == 6
    slow.turn.set()
    with pytest.raises(PartBusy):
        await writing
    assert await growing.read(await growing.complete(session)) == b"uvwxyz"


@pytest.mark.parametrize("store", ["s3"], indirect=True)
async def test_what_a_killed_writer_leaves_goes_with_the_session(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await growing.start(20 * MIB)
    await growing.append(session, b"abc")
    slow = Source(bytes(12 * MIB), certain=False)
    turn = Appending(growing.context, session)
    await turn.__aenter__()
    writing = asyncio.create_task(turn.write(3, slow, LIMIT))
    statement = "select multipart_id from part where session_id = %s and multipart_id is not null"
    while not (found := await growing.ask(statement, session.id)):
        await asyncio.sleep(0.01)

    async def unheard(*_: object) -> None:
        """A process that was killed aborts nothing."""

    with monkeypatch.context() as killed:
        killed.setattr(growing.context.store, "abort_multipart", unheard)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await growing.ask(
        "update part set lease_until = now() - interval '1 s' where session_id = %s returning ''", session.id
    )
    aborted: list[tuple[str, str]] = []
    abort = growing.context.store.abort_multipart

    async def heard(key: str, upload_id: str) -> None:
        aborted.append((key, upload_id))
        await abort(key, upload_id)

    monkeypatch.setattr(growing.context.store, "abort_multipart", heard)
    await sessions.abort_upload(growing.context, session.id)
    assert aborted == [(session.staged_key(1), found[0][0])]
    assert await growing.objects(session) == []


async def test_the_next_writer_ends_what_a_killed_one_began(growing: Growing) -> None:
    session = await growing.start(6)
    await growing.append(session, b"abc")
    async with Appending(growing.context, session) as turn:
        left = await growing.context.store.create_multipart(session.staged_key(1))
        await turn._reservation.name_multipart(left)
    assert await growing.append(session, b"def") == 6
    with pytest.raises(Exception, match="multipart upload is not in the store"):
        await growing.context.store.put_part(session.staged_key(1), left, 1, Source(b"x").__aiter__(), 1)


async def test_nothing_is_appended_to_what_has_ended(growing: Growing) -> None:
    session = await growing.start(3)
    await growing.append(session, b"abc")
    await growing.complete(session)
    with pytest.raises(SessionNotFound):
        await growing.append(session, b"d", at=0)
    assert await growing.objects(session) == [session.staged_key(0)]


async def test_a_writer_whose_session_ended_meanwhile_is_told_so(growing: Growing) -> None:
    session = await growing.start(3)
    await growing.append(session, b"abc")
    with pytest.raises(SessionNotFound):
        async with Appending(growing.context, session) as late:
            await late.write(0, Source(b"abc"), LIMIT)
            await growing.complete(session)


async def test_uploads_that_become_one_are_extended_in_the_order_in_which_others_lock_them(
    folder_bench: Bench,
) -> None:
    """Otherwise the last requests of several pieces, which extend and join them, would wait for one another."""
    context = folder_bench.context
    db = context.db
    # Their rows are in the reverse order of their ids.
    ids = sorted((UUID(int=number) for number in range(2)), reverse=True)
    for session_id in ids:
        begun = await sessions.start_upload(context, NewUpload("n", grows=True))
        async with db.connection() as connection:
            await connection.execute("update upload_session set id = %s where id = %s", [session_id, begun.id])
    async with db.transaction() as locking:
        await queries.lock_session(locking, ids[1])

        async def extend() -> None:
            async with db.transaction() as connection:
                # As if the table were so small that its rows are read one after the other.
                await connection.execute("set local enable_indexscan = off; set local enable_bitmapscan = off")
                await queries.extend_sessions(connection, ids, timedelta(hours=1))

        extending = asyncio.create_task(extend())
        waits = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        async with db.connection() as connection:
            while not await (await connection.execute(waits)).fetchone():
                await asyncio.sleep(0.01)
        await asyncio.wait_for(queries.lock_sessions(locking, ids), 5)
    await extending
