"""Completing uploads and verifying their content."""

import asyncio
import hashlib
import os
from datetime import timedelta

import pytest

from common.errors import Gone, NotReady
from common.store import DigestClaim, StoreUnavailable
from common.store.limits import MIB
from tests.integration.upload.content.uploads import (
    Bench,
    blocks,
    complete,
    needs_a_worker,
    send_parts,
)
from upload_service.content import completing, files, sessions, storing, verification
from upload_service.content.completing import DigestMismatch, PartsMissing
from upload_service.content.model import SessionState

NO_WAIT = timedelta(0)


async def test_content_that_is_not_what_was_claimed_is_never_served(bench: Bench) -> None:
    session = await send_parts(bench, b"content", 5 * MIB, DigestClaim("sha-256", hashlib.sha256(b"other").digest()))
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
    session = await complete(bench, await send_parts(bench, content, 5 * MIB, *claims))
    assert session.state is SessionState.READY


@needs_a_worker
async def test_nothing_is_served_before_it_is_verified(bench: Bench) -> None:
    session = await send_parts(bench, b"content", 5 * MIB)
    session = await completing.complete_upload(bench.context, session.id)
    assert (await completing.wait_verified(bench.context, session, NO_WAIT)).state is SessionState.ASSEMBLING
    assert session.file_id
    with pytest.raises(NotReady):
        await files.open_download(bench.context, session.file_id, "GET")


async def test_complete_twice_at_once_is_one_file(bench: Bench) -> None:
    session = await send_parts(bench, b"content", 5 * MIB)
    answers = await asyncio.gather(*(completing.complete_upload(bench.context, session.id) for _ in range(4)))
    assert len({answer.file_id for answer in answers}) == 1
    assert bench.requested == ([] if bench.is_ready_at_once(session) else [session.id])


@needs_a_worker
async def test_two_verifications_at_once_finish_once(bench: Bench) -> None:
    content = os.urandom(MIB)
    session = await send_parts(bench, content, 5 * MIB)
    await completing.complete_upload(bench.context, session.id)
    await asyncio.gather(*(verification.verify_upload(bench.context, session.id) for _ in range(3)))
    await verification.verify_upload(bench.context, session.id)
    async with bench.context.db.connection() as connection:
        refs = await (await connection.execute("select refs from blob")).fetchall()
    assert refs == [(1,)]


@needs_a_worker
@pytest.mark.parametrize("part_size", [5 * MIB, MIB])
async def test_a_verification_that_died_after_assembling_is_done_again(bench: Bench, part_size: int) -> None:
    content = os.urandom(7 * MIB)
    session = await send_parts(bench, content, part_size)
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
    async def unavailable(*_: object) -> None:
        raise StoreUnavailable

    content = os.urandom(6 * MIB)
    session = await send_parts(bench, content, 5 * MIB)
    with monkeypatch.context() as down:
        down.setattr(type(bench.context.store), "complete_multipart", unavailable)
        session = await completing.complete_upload(bench.context, session.id)
    assert bench.requested == [session.id]
    await verification.verify_upload(bench.context, session.id)
    assert session.file_id
    assert await bench.read(session.file_id) == content


async def test_parts_that_the_store_lost_are_asked_for_again(bench: Bench) -> None:
    content = os.urandom(6 * MIB)
    session = await send_parts(bench, content, 5 * MIB)
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


@needs_a_worker
async def test_work_whose_message_was_lost_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await send_parts(bench, b"content", 5 * MIB)
    await completing.complete_upload(bench.context, session.id)
    await verification.request_unverified(bench.context)
    assert bench.requested == [session.id]
    monkeypatch.setattr(verification, "LOST_AFTER", timedelta(0))
    await verification.request_unverified(bench.context)
    assert bench.requested == [session.id, session.id]
