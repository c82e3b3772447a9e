"""Digests of parts that arrive in parallel, out of order, and not always completely."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upload_service.content.model import Layout, Part, SessionState, UploadSession
from upload_service.content.running_digests import RunningDigests

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def session_of(part_count: int) -> UploadSession:
    return UploadSession(
        id=uuid4(),
        state=SessionState.OPEN,
        layout=Layout.PARTS,
        file_name="name",
        size=0,
        part_size=0,
        part_count=part_count,
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


def stored(parts: list[list[bytes]]) -> list[Part]:
    joined = [b"".join(blocks) for blocks in parts]
    return [Part(index, len(part), sha256(part), "") for index, part in enumerate(joined)]


PARTS = st.lists(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=4), min_size=1, max_size=6)


@given(data=st.data(), parts=PARTS, budget=st.sampled_from([0, 10, 1000]))
def test_a_digest_is_right_or_absent(data: st.DataObject, parts: list[list[bytes]], budget: int) -> None:
    digests = RunningDigests(budget)
    session = session_of(len(parts))
    unsent = set(range(len(parts)))
    arriving = {}
    sent = {}
    while unsent or arriving:
        begin = [("begin", index) for index in sorted(unsent)] if len(arriving) < 4 else []
        go_on = [(action, index) for index in sorted(arriving) for action in ("block", "block", "fail")]
        action, index = data.draw(st.sampled_from(begin + go_on))
        if action == "begin":
            unsent.discard(index)
            arriving[index], sent[index] = digests.part(session, index), 0
        elif action == "fail":
            arriving.pop(index).fail()
            unsent.add(index)
        elif sent[index] < len(parts[index]):
            arriving[index].update(parts[index][sent[index]])
            sent[index] += 1
        else:
            arriving.pop(index).finish(sha256(b"".join(parts[index])))
    found = digests.take(session.id, stored(parts))
    content = b"".join(block for blocks in parts for block in blocks)
    if budget == 1000:
        assert found
    if found:
        assert found.sha256 == sha256(content)
    # nothing is held any more
    assert digests.hold(budget)


def test_parts_that_another_process_stored_prevent_a_digest() -> None:
    digests = RunningDigests()
    session = session_of(2)
    part = digests.part(session, 1)
    part.update(b"b")
    part.finish(sha256(b"b"))
    assert digests.take(session.id, stored([[b"a"], [b"b"]])) is None


def test_parts_that_were_stored_with_other_content_prevent_a_digest() -> None:
    digests = RunningDigests()
    session = session_of(1)
    part = digests.part(session, 0)
    part.update(b"a")
    part.finish(sha256(b"a"))
    assert digests.take(session.id, stored([[b"b"]])) is None


def test_two_writers_of_a_part_prevent_a_digest() -> None:
    # The first one was stopped for longer than it had the right to write, and goes on in the middle of the second.
    digests, session = RunningDigests(), session_of(1)
    stopped = digests.part(session, 0)
    stopped.update(b"a")
    second = digests.part(session, 0)
    second.update(b"a")
    stopped.update(b"b")
    stopped.fail()
    second.update(b"b")
    second.finish(second.sha256)
    assert digests.take(session.id, stored([[b"a", b"b"]])) is None


def test_a_block_that_a_thread_hashes_after_the_part_failed_changes_nothing() -> None:
    digests, session = RunningDigests(), session_of(1)
    failed = digests.part(session, 0)
    failed.update(b"a")
    failed.fail()
    again = digests.part(session, 0)
    again.update(b"a")
    failed.update(b"x")
    again.update(b"b")
    again.finish(again.sha256)
    found = digests.take(session.id, stored([[b"a", b"b"]]))
    assert found
    assert found.sha256 == sha256(b"ab")


def test_idle_sessions_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = RunningDigests(budget=1)
    digests.part(session_of(2), 1).update(b"b")
    assert not digests.hold(1)
    monkeypatch.setattr("upload_service.content.running_digests.IDLE_SECONDS", -1)
    digests.part(session_of(2), 0)
    assert digests.hold(1)


@pytest.mark.parametrize("budget", [0, 3_000, 1_000_000])
def test_parts_may_be_hashed_in_threads_of_their_own(budget: int) -> None:
    parts = [[os.urandom(100) for _ in range(50)] for _ in range(8)]
    digests, session = RunningDigests(budget), session_of(len(parts))

    arriving = [digests.part(session, index) for index in range(len(parts))]

    def send(index: int) -> None:
        for block in parts[index]:
            arriving[index].update(block)
        arriving[index].finish(arriving[index].sha256)

    with ThreadPoolExecutor(len(parts)) as threads:
        list(threads.map(send, range(len(parts))))
    whole = b"".join(b"".join(blocks) for blocks in parts)
    found = digests.take(session.id, stored(parts))
    assert found is None or found.sha256 == sha256(whole)
    assert found is not None or budget < 1_000_000
    assert digests.hold(budget)
    assert not digests.hold(1)
