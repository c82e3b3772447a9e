"""Growing content against a model: appends, rewrites, failures, several writers, on a real database and store."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.db import Database
from common.store.limits import MIB
from tests.conftest import ROOT, Engines, MakeDatabase
from tests.examples import examples
from tests.integration.upload.contexts import Requests, new_context
from tests.stores import Kind, key_at, new_store
from upload_service.content import cleaning, completing, files, reservation, sessions, verification
from upload_service.content.appending import Appending
from upload_service.content.model import SessionState
from upload_service.content.sessions import NewUpload
from upload_service.context import Context

# Most parts are small; some are long enough to be parts of an object by themselves.
SIZES = st.one_of(st.integers(0, 20), st.sampled_from([5 * MIB, 5 * MIB + 1]))


@dataclass(frozen=True)
class Write:
    """One part. `where`: how far from the end it begins, in thirds of what is stored; `fails`: when, if it does."""

    size: int
    where: int = 0
    certain: bool = True
    fails: str = ""

    def at(self, size: int) -> int:
        return size - size * self.where // 3


@dataclass(frozen=True)
class AtOnce:
    """Two writers that append at the same moment."""

    sizes: tuple[int, int]


WRITES = st.builds(
    Write,
    size=SIZES,
    where=st.sampled_from([0, 0, 1, 2, 3]),
    certain=st.booleans(),
    fails=st.sampled_from(["", "", "", "while it is sent", "after it was sent"]),
)
MOST_STEPS = 6
STEPS = st.lists(st.one_of(WRITES, st.builds(AtOnce, st.tuples(SIZES, SIZES))), max_size=MOST_STEPS)


class Source:
    def __init__(self, content: bytes, write: Write) -> None:
        self._content, self._write, self._left = content, write, len(content)

    def certain(self) -> int:
        return self._left if self._write.certain else 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), MIB):
            self._left -= len(self._content[start : start + MIB])
            yield self._content[start : start + MIB]
        if self._write.fails == "while it is sent":
            raise ConnectionError


def length_after(steps: Sequence[Write | AtOnce]) -> int:
    length = 0
    for step in steps:
        if isinstance(step, AtOnce):
            length += sum(step.sizes)
        elif not step.fails:
            length = step.at(length) + step.size
    return length


class Upload:
    """One upload, and what it must be."""

    def __init__(self, context: Context, queue: Requests) -> None:
        self._context, self._queue = context, queue
        self._content = b""
        self._parts = 0

    def _bytes(self, size: int) -> bytes:
        """Unlike those of any other part."""
        self._parts += 1
        return bytes([self._parts]) * size

    async def _write(self, write: Write, content: bytes) -> int:
        """Where it was written."""
        async with Appending(self._context, self._session) as turn:
            at = write.at(turn.size)
            assert await turn.write(at, Source(content, write), 6 * MIB) == len(content)
            if write.fails:
                raise ConnectionError
        return at

    async def run(self, steps: Sequence[Write | AtOnce]) -> None:
        new = NewUpload("n", size=length_after(steps), grows=True)
        self._session = await sessions.start_upload(self._context, new)
        for step in steps:
            await (self._both(step) if isinstance(step, AtOnce) else self._one(step))
            async with Appending(self._context, self._session) as turn:
                assert turn.size == len(self._content)
        await self._complete()

    async def _one(self, write: Write) -> None:
        content = self._bytes(write.size)
        with suppress(ConnectionError):
            at = await self._write(write, content)
            assert not write.fails
            self._content = self._content[:at] + content

    async def _both(self, step: AtOnce) -> None:
        contents = [self._bytes(size) for size in step.sizes]
        offsets = await asyncio.gather(*(self._write(Write(len(content)), content) for content in contents))
        for at, content in sorted(zip(offsets, contents, strict=True)):
            assert at == len(self._content) or not content
            self._content += content

    async def _complete(self) -> None:
        session = await completing.complete_upload(self._context, self._session.id)
        for session_id in self._queue.verifications:
            await verification.verify_upload(self._context, session_id)
        session = await completing.wait_verified(self._context, session, timedelta(0))
        assert session.state is SessionState.READY
        assert session.file_id
        download = await files.open_download(self._context, session.file_id, "GET")
        content = key_at(download.stored_at.path)
        read = b"".join([block async for block in self._context.store.read(content)])
        assert read == self._content
        # Of all its objects none is left but the one that is the content, if no earlier one had it.
        await cleaning.abort_stale_sessions(self._context)
        own = [f"blobs/{session.id.hex}", *(session.staged_key(index) for index in range(2 * MOST_STEPS))]
        assert {key for key in own if await self._context.store.stat(key)} <= {content}
        assert await self._context.store.stat(content)


@pytest.mark.parametrize("kind", ["s3", "folder"])
def test_what_grows_is_what_was_written(
    engines: Engines, make_database: MakeDatabase, monkeypatch: Any, kind: Kind, tmp_path: Path
) -> None:
    monkeypatch.setattr(reservation, "LOOK_SECONDS", 0.01)
    queue = Requests()
    with asyncio.Runner() as runner:
        db = Database(make_database(ROOT / "services/upload/migrations"), pool_size=4)
        store = new_store(kind, engines, tmp_path)
        context = new_context(db, store, queue=queue)
        for opened in (db.open(), store.open(), store.prepare()):
            runner.run(opened)

        @settings(
            max_examples=examples(10),
            deadline=None,
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.data_too_large,
                HealthCheck.large_base_example,
            ],
        )
        @given(STEPS)
        def check(steps: list[Write | AtOnce]) -> None:
            queue.verifications.clear()
            runner.run(Upload(context, queue).run(steps))

        try:
            check()
        finally:
            runner.run(store.close())
            runner.run(db.close())
