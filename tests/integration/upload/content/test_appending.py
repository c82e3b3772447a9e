"""Content that grows request by request."""

import hashlib
import os
import time
from typing import Any

import pytest

from common.claims import KeptClaim
from common.store import ContentHasher, DigestClaim, ObjectMissing, ObjectStore
from common.store.limits import MIB
from tests.integration.upload.content.appended import Growing, Source
from upload_service.content import appending, cleaning, completing, sessions, verification
from upload_service.content.appending import Appending
from upload_service.content.completing import DigestMismatch, PartsMissing
from upload_service.content.model import Layout, SessionState
from upload_service.content.sessions import NewUpload


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("size", [0, 1, 6 * MIB + 1])
async def test_one_part_is_a_file_at_once_and_is_not_read_again(
    growing: Growing, size: int, certain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(size)
    session = await growing.start(size)
    assert await growing.append(session, content, certain=certain) == size

    def never(*_: object) -> None:
        raise AssertionError("the content was moved")

    with monkeypatch.context() as still:
        for name in ("read", "put", "create_multipart"):
            still.setattr(growing.context.store, name, never)
        session = await growing.complete(session)
    assert (session.state, growing.requested) == (SessionState.READY, [])
    assert await growing.read(session) == content
    assert await growing.objects(session) == [session.staged_key(0)]
    await cleaning.abort_stale_sessions(growing.context)
    assert await growing.read(session) == content


async def test_parts_of_any_length_become_one_file(growing: Growing) -> None:
    parts = [os.urandom(size) for size in (1, 6 * MIB, 0, 100_000, 5 * MIB)]
    content = b"".join(parts)
    session = await growing.start(len(content))
    assert session.layout is Layout.APPENDED
    for part in parts:
        with pytest.raises(PartsMissing):
            await completing.complete_upload(growing.context, session.id)
        await growing.append(session, part)
    session = await growing.complete(session)
    assert growing.requested == [session.id]
    assert await growing.read(session) == content
    assert await growing.objects(session) == [f"blobs/{session.id.hex}"]


async def test_nothing_at_all_can_be_a_file(growing: Growing) -> None:
    session = await growing.complete(await growing.start(0))
    assert await growing.read(session) == b""


async def test_writing_before_the_end_cuts_what_was_there(growing: Growing) -> None:
    session = await growing.start(9)
    for part in (b"abc", b"def", b"ghi"):
        await growing.append(session, part)
    assert await growing.append(session, b"XY", at=4) == 6
    async with Appending(growing.context, session) as turn:
        assert turn.boundaries == [0, 3, 4, 6]
    # Of the third part nothing counts any more, so it is not kept either.
    assert await growing.objects(session) == [session.staged_key(index) for index in (0, 1, 3)]
    assert await growing.append(session, b"klm") == 9
    assert await growing.read(await growing.complete(session)) == b"abcdXYklm"


async def test_a_part_that_replaces_all_others_is_the_file_at_once(growing: Growing) -> None:
    session = await growing.start(3)
    await growing.append(session, b"ab")
    await growing.append(session, b"xyz", at=0)
    session = await growing.complete(session)
    assert growing.requested == []
    assert await growing.read(session) == b"xyz"
    assert await growing.objects(session) == [session.staged_key(1)]


async def test_what_is_longer_than_the_file_is_not_the_file(growing: Growing) -> None:
    session = await growing.start(3)
    await growing.append(session, b"abcd")
    with pytest.raises(PartsMissing):
        await completing.complete_upload(growing.context, session.id)
    await growing.append(session, b"", at=3)
    assert await growing.read(await growing.complete(session)) == b"abc"


async def test_a_lost_part_opens_the_upload_again(growing: Growing) -> None:
    session = await growing.start(6)
    await growing.append(session, b"abc")
    await growing.append(session, b"def")
    await growing.context.store.delete(session.staged_key(1))
    with pytest.raises(PartsMissing):
        await growing.complete(session)
    growing.requested.clear()
    assert await growing.append(session, b"uvwxyz") == 6
    session = await growing.complete(session)
    assert await growing.read(session) == b"uvwxyz"
    assert await growing.objects(session) == [session.staged_key(0)]


@pytest.mark.parametrize("damaged", [0, 1])
@pytest.mark.parametrize("claims", [(), (DigestClaim("sha-256", hashlib.sha256(b"abcdef").digest()),)])
async def test_a_part_that_is_not_what_was_stored_is_not_handed_out(
    growing: Growing, damaged: int, claims: tuple[DigestClaim, ...]
) -> None:
    session = await growing.start(6, *claims)
    await growing.append(session, b"abc")
    await growing.append(session, b"def")
    await growing.context.store.put(session.staged_key(damaged), Source(b"xyz").__aiter__(), 3)
    with pytest.raises(PartsMissing):
        await growing.complete(session)
    growing.requested.clear()
    assert await growing.append(session, b"abc") == 3
    assert await growing.append(session, b"def") == 6
    assert await growing.read(await growing.complete(session)) == b"abcdef"


async def test_parts_of_a_whole_whose_digest_is_known_are_hashed_once(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await growing.start(6, DigestClaim("sha-256", hashlib.sha256(b"abcdef").digest()))
    await growing.append(session, b"abc")
    await growing.append(session, b"def")
    hashed, update = list[bytes](), ContentHasher.update
    with monkeypatch.context() as patched:
        patched.setattr(
            ContentHasher, "update", lambda self, block: (hashed.append(bytes(block)), update(self, block))[1]
        )
        session = await growing.complete(session)
    assert session.state is SessionState.READY
    assert b"".join(hashed) == b"abcdef"


async def test_a_session_that_opens_again_leaves_its_key_to_a_later_one(growing: Growing) -> None:
    new = NewUpload("n", size=2, grows=True, resume_key=b"key")
    first = await sessions.start_upload(growing.context, new)
    await growing.append(first, b"a")
    await growing.append(first, b"b")
    await growing.context.store.delete(first.staged_key(1))
    await completing.complete_upload(growing.context, first.id)
    second = await sessions.start_upload(growing.context, new)
    await verification.verify_upload(growing.context, first.id)
    assert (await sessions.find_session(growing.context, first.id)).state is SessionState.OPEN
    resumed = await sessions.resume_upload(growing.context, b"key")
    assert resumed
    assert resumed.id == second.id


async def test_a_verifier_that_was_stopped_too_long_does_not_replace_what_was_sent_again(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim ends while it joins the parts; another verifier has opened the session again meanwhile."""
    store, session = growing.context.store, await growing.start(6)
    await growing.append(session, b"old")
    await growing.append(session, b"old")
    join = type(store).join

    async def stopped(*given: Any, lease: KeptClaim, **more: Any) -> None:
        lease.until = time.monotonic()
        await store.put(session.object_key, Source(b"newnew").__aiter__(), 6)
        await join(*given, lease=lease, **more)

    with monkeypatch.context() as patched:
        patched.setattr(type(store), "join", stopped)
        session = await growing.complete(session)
    assert session.state is SessionState.ASSEMBLING
    assert b"".join([block async for block in store.read(session.object_key)]) == b"newnew"


@pytest.mark.parametrize("parts", [(b"content",), (b"con", b"tent")])
@pytest.mark.parametrize("honest", [True, False])
async def test_claims_are_checked(growing: Growing, parts: tuple[bytes, ...], honest: bool) -> None:
    digest = hashlib.sha256(b"content" if honest else b"other").digest()
    session = await growing.start(7, DigestClaim("sha-256", digest))
    for part in parts:
        await growing.append(session, part)
    if honest:
        assert await growing.read(await growing.complete(session)) == b"content"
        return
    with pytest.raises(DigestMismatch):
        await growing.complete(session)
    assert await growing.objects(session) == []


async def test_equal_content_is_stored_once(growing: Growing) -> None:
    first = await growing.start(3)
    await growing.append(first, b"abc")
    await growing.complete(first)
    second = await growing.start(3)
    await growing.append(second, b"abc")
    second = await growing.complete(second)
    assert await growing.read(second) == b"abc"
    assert await growing.objects(second) == []


async def test_only_the_beginning_of_an_object_is_read(store: ObjectStore) -> None:
    await store.put("key", Source(b"abcdef").__aiter__(), 6)
    for size, expected in ((1, b"a"), (6, b"abcdef"), (None, b"abcdef")):
        assert b"".join([block async for block in store.read("key", size=size)]) == expected
    with pytest.raises(ObjectMissing):
        async for _ in store.read("other", size=1):
            pass


async def test_there_is_an_end_to_parts(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "MAX_SESSION_PARTS", 1)
    session = await growing.start(2)
    await growing.append(session, b"a")
    with pytest.raises(Exception, match="at most 1 parts"):
        await growing.append(session, b"b")
