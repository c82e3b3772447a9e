"""Digests of chunks that arrive in parallel, out of order, and not always completely."""

import hashlib
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upload_service.content.model import Layout, Part, SessionState, UploadSession
from upload_service.content.running_digests import RunningDigests

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def session_of(chunk_count: int) -> UploadSession:
    return UploadSession(
        id=uuid4(),
        state=SessionState.OPEN,
        layout=Layout.PARTS,
        file_name="name",
        size=0,
        part_size=0,
        part_count=chunk_count,
        object_key="key",
        multipart_id=None,
        claims=[],
        running_sha256=None,
        intent={},
        owner=None,
        mirrors=None,
        file_id=None,
        created_at=MOMENT,
        expires_at=MOMENT,
    )


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def stored(chunks: list[list[bytes]]) -> list[Part]:
    joined = [b"".join(blocks) for blocks in chunks]
    return [Part(index, len(chunk), sha256(chunk), "") for index, chunk in enumerate(joined)]


CHUNKS = st.lists(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=4), min_size=1, max_size=6)


@given(data=st.data(), chunks=CHUNKS, budget=st.sampled_from([0, 10, 1000]))
def test_a_digest_is_right_or_absent(data: st.DataObject, chunks: list[list[bytes]], budget: int) -> None:
    digests = RunningDigests(budget)
    session = session_of(len(chunks))
    unsent = set(range(len(chunks)))
    passing = {}
    sent = {}
    while unsent or passing:
        begin = [("begin", index) for index in sorted(unsent)] if len(passing) < 4 else []
        go_on = [(action, index) for index in sorted(passing) for action in ("block", "block", "fail")]
        action, index = data.draw(st.sampled_from(begin + go_on))
        if action == "begin":
            unsent.discard(index)
            passing[index], sent[index] = digests.part(session, index), 0
        elif action == "fail":
            passing.pop(index).fail()
            unsent.add(index)
        elif sent[index] < len(chunks[index]):
            passing[index].update(chunks[index][sent[index]])
            sent[index] += 1
        else:
            passing.pop(index).finish()
    found = digests.take(session.id, stored(chunks))
    content = b"".join(block for blocks in chunks for block in blocks)
    if budget == 1000:
        assert found
    if found:
        assert found.sha256 == sha256(content)
    # The whole budget is free again.
    assert digests.hold(budget)


def test_chunks_that_another_process_stored_prevent_a_digest() -> None:
    digests = RunningDigests()
    session = session_of(2)
    chunk = digests.part(session, 1)
    chunk.update(b"b")
    chunk.finish()
    assert digests.take(session.id, stored([[b"a"], [b"b"]])) is None


def test_chunks_that_were_stored_with_other_content_prevent_a_digest() -> None:
    digests = RunningDigests()
    session = session_of(1)
    chunk = digests.part(session, 0)
    chunk.update(b"a")
    chunk.finish()
    assert digests.take(session.id, stored([[b"b"]])) is None


def test_idle_sessions_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = RunningDigests(budget=1)
    digests.part(session_of(2), 1).update(b"b")
    assert not digests.hold(1)
    monkeypatch.setattr("upload_service.content.running_digests.IDLE_SECONDS", -1)
    digests.part(session_of(2), 0)
    assert digests.hold(1)
