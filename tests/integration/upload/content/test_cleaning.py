"""Uploads and files that end leave nothing, and shared content stays."""

import asyncio
import os
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.errors import NotFound
from common.store.limits import MIB
from tests.integration.upload.content.appended import Source
from tests.integration.upload.content.uploads import (
    Bench,
    Known,
    blocks,
    complete,
    needs_a_worker,
    send_parts,
)
from upload_service.content import appending, cleaning, completing, files, sessions, storing, streams, verification
from upload_service.content.model import SessionState, UploadSession
from upload_service.content.queries import blobs
from upload_service.content.queries import sessions as queries
from upload_service.content.reservation import Reservation
from upload_service.content.sessions import UNBEGUN, NewUpload, SessionNotFound

NO_WAIT = timedelta(0)


async def test_equal_content_is_stored_once(bench: Bench) -> None:
    content = os.urandom(MIB)
    first = await complete(bench, await send_parts(bench, content, 5 * MIB))
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
    first = await complete(bench, await send_parts(bench, content, 5 * MIB))
    second = await complete(bench, await send_parts(bench, content, 5 * MIB))
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


async def test_no_garbage_is_collected_while_a_backup_copies_it(bench: Bench) -> None:
    session = await complete(bench, await send_parts(bench, os.urandom(MIB), 5 * MIB))
    assert session.file_id
    await files.release_file(bench.context, session.file_id)
    async with bench.context.db.connection() as backup:
        await backup.execute("select pg_advisory_lock(%s)", [blobs.REMOVAL_LOCK])
        await cleaning.collect_garbage(bench.context, NO_WAIT)
        assert await bench.objects(session) == [session.object_key]
        await backup.execute("select pg_advisory_unlock(%s)", [blobs.REMOVAL_LOCK])
    await cleaning.collect_garbage(bench.context, NO_WAIT)
    assert await bench.objects(session) == []


async def test_collecting_and_referring_at_once_never_loses_content(bench: Bench) -> None:
    content = os.urandom(MIB)
    for _ in range(10):
        session = await complete(bench, await send_parts(bench, content, 5 * MIB))
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
    session = await send_parts(bench, os.urandom(10), 5 * MIB)
    session = await completing.complete_upload(bench.context, session.id)
    assert session.file_id
    await files.release_file(bench.context, session.file_id)
    await verification.verify_upload(bench.context, session.id)
    assert await bench.objects(session) == []


async def test_an_upload_is_forgotten_with_its_file(bench: Bench) -> None:
    session = await complete(bench, await send_parts(bench, b"content", 5 * MIB))
    assert session.file_id
    await files.release_file(bench.context, session.file_id)
    with pytest.raises(SessionNotFound):
        await completing.complete_upload(bench.context, session.id)


async def test_an_aborted_upload_leaves_nothing(bench: Bench) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a", size=2 * MIB, part_size=MIB))
    await storing.store_part(bench.context, session, 0, blocks(bytes(MIB)))
    just_now = timedelta(seconds=-1)
    assert await bench.objects(session) or await bench.context.store.unfinished(just_now)
    await sessions.abort_upload(bench.context, session.id)
    assert await bench.objects(session) == []
    assert await bench.context.store.unfinished(just_now) == []
    with pytest.raises(SessionNotFound):
        await sessions.find_session(bench.context, session.id)
    with pytest.raises(SessionNotFound):
        await sessions.abort_upload(bench.context, session.id)


@pytest.mark.parametrize("part_size", [5 * MIB, MIB, None])
async def test_nothing_is_written_to_a_session_that_has_ended(bench: Bench, part_size: int | None) -> None:
    """Also not by who found it open a moment before: what came after the cleaning up would be named by no row."""
    new = NewUpload("a", size=2 * MIB, part_size=part_size)
    session = await sessions.start_upload(bench.context, new)
    await sessions.abort_upload(bench.context, session.id)
    with pytest.raises(SessionNotFound):
        if part_size is None:
            await streams.put_stream(bench.context, session, Known(bytes(2 * MIB)), 3 * MIB)
        else:
            await storing.store_part(bench.context, session, 0, blocks(bytes(min(part_size, 2 * MIB))))
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


@pytest.mark.parametrize("announced", [{"part_size": MIB}, {"grows": True}], ids=["parts", "grows"])
async def test_an_upload_that_was_only_announced_soon_keeps_no_room(bench: Bench, announced: dict[str, Any]) -> None:
    key = secrets.token_bytes(16)
    new = NewUpload("n", size=100, comes_later=True, **announced)
    never = await sessions.start_upload(bench.context, replace(new, resume_key=key))
    assert never.expires_at - never.created_at == UNBEGUN
    again = await sessions.start_upload(bench.context, replace(new, resume_key=key))
    assert (again.id, again.expires_at - never.expires_at < timedelta(minutes=1)) == (never.id, True)
    begun, slow = [await sessions.start_upload(bench.context, new) for _ in range(2)]
    if announced.get("grows"):
        async with appending.Appending(bench.context, begun) as turn:
            await turn.write(0, Source(b"a"), 100)
    else:
        await storing.store_part(bench.context, begun, 0, blocks(bytes(100)))
    writing = Reservation(bench.context, slow, 0)
    await writing.take()
    async with bench.context.db.connection() as connection:
        await connection.execute("update upload_session set expires_at = expires_at - interval '61 minutes'")
    await cleaning.abort_stale_sessions(bench.context)
    await writing.renew()
    states = [(await _stored(bench, session)).state for session in (never, begun, slow)]
    assert states == [SessionState.EXPIRED, SessionState.OPEN, SessionState.OPEN]
    for kept in (begun, slow):
        # Its sender, who comes back after a break, finds it.
        found = await sessions.find_session(bench.context, kept.id)
        assert found.expires_at > kept.expires_at + timedelta(hours=20)


async def _stored(bench: Bench, session: UploadSession) -> UploadSession:
    async with bench.context.db.connection() as connection:
        found = await queries.get_session(connection, session.id)
    assert found
    return found
