"""The life of uploads against a model: any order of steps, deaths included, on a real database and a real store."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from common.db import Database
from common.errors import Conflict, DomainError
from common.store import DigestClaim
from tests.conftest import ROOT, Engines, MakeDatabase
from tests.examples import examples
from tests.integration.upload.contexts import new_context
from tests.stores import Kind, key_at, new_store
from upload_service.content import cleaning, completing, files, sessions, storing, verification
from upload_service.content.completing import DigestMismatch, PartsMissing
from upload_service.content.model import UNVERIFIED, SessionState
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.content.storing import PartLengthWrong
from upload_service.context import Context

T = TypeVar("T")
NOW = timedelta(0)
PATIENCE_SECONDS = 5
GONE = ("aborted", "released")


@dataclass
class Upload:
    """An upload as the model knows it."""

    id: UUID
    content: bytes
    part_size: int
    honest: bool
    stored: set[int] = field(default_factory=set[int])
    state: str = "open"
    file_id: UUID | None = None

    def part(self, index: int) -> bytes:
        return self.content[index * self.part_size : (index + 1) * self.part_size]

    @property
    def count(self) -> int:
        return -(-len(self.content) // self.part_size)


async def blocks(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Uploads(RuleBasedStateMachine):
    make_context: ClassVar[Any]
    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.context = self.run(self.make_context())
        self.known: list[Upload] = []

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(step)

    def teardown(self) -> None:
        self.run(self.context.store.close())
        self.run(self.context.db.close())
        self.runner.close()

    @rule(
        target=uploads,
        content=st.sampled_from([b"", b"a", b"abc", b"abcdefg"]),
        part_size=st.sampled_from([1, 3, 7]),
        honest=st.booleans(),
    )
    def start(self, content: bytes, part_size: int, honest: bool) -> Upload:
        digest = hashlib.sha256(content if honest else b"something else").digest()
        new = NewUpload("n", size=len(content), part_size=part_size, claims=(DigestClaim("sha-256", digest),))
        session = self.run(sessions.start_upload(self.context, new))
        upload = Upload(session.id, content, part_size, honest)
        self.known.append(upload)
        return upload

    @rule(upload=uploads, index=st.integers(0, 6), wrong=st.booleans())
    def send(self, upload: Upload, index: int, wrong: bool) -> None:
        if index >= upload.count:
            return
        body = upload.part(index) + (b"!" if wrong else b"")
        try:
            session = self.run(sessions.find_session(self.context, upload.id))
            stored = self.run(storing.store_part(self.context, session, index, blocks(body)))
        except SessionNotFound:
            assert upload.state in GONE
        except PartLengthWrong:
            assert wrong
            assert index not in upload.stored
        except Conflict:
            assert upload.state not in ("open", *GONE)
        else:
            assert upload.state == "open"
            assert stored.skipped == (index in upload.stored)
            upload.stored.add(index)

    @rule(upload=uploads)
    def complete(self, upload: Upload) -> None:
        try:
            session = self.run(completing.complete_upload(self.context, upload.id))
        except PartsMissing:
            assert len(upload.stored) < upload.count
        except DigestMismatch:
            assert upload.state == "corrupt"
        except SessionNotFound:
            assert upload.state in GONE
        else:
            assert len(upload.stored) == upload.count
            assert upload.file_id in (None, session.file_id)
            if upload.state == "open":
                upload.state, upload.file_id = "unverified", session.file_id
                # Where every part was hashed in its turn, the content was verified at once.
                self.note_end(upload, self.state_of(upload))

    @rule(upload=uploads, dies=st.booleans())
    def verify(self, upload: Upload, dies: bool) -> None:
        async def verify() -> None:
            task = asyncio.create_task(verification.verify_upload(self.context, upload.id))
            if dies:
                await asyncio.sleep(0.002)
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self.run(verify())
        if upload.state != "unverified":
            return
        until = time.monotonic() + PATIENCE_SECONDS
        while (state := self.state_of(upload)) in UNVERIFIED and not dies:
            # One that died in the very moment of its claim is taken over when the claim runs out.
            assert time.monotonic() < until
            self.run(verify())
        self.note_end(upload, state)

    def note_end(self, upload: Upload, state: SessionState) -> None:
        if state not in UNVERIFIED:
            assert state is (SessionState.READY if upload.honest else SessionState.CORRUPT)
            upload.state = state.value

    def state_of(self, upload: Upload) -> SessionState:
        return self.run(sessions.find_session(self.context, upload.id)).state

    @rule(upload=uploads)
    def abort(self, upload: Upload) -> None:
        try:
            self.run(sessions.abort_upload(self.context, upload.id))
        except SessionNotFound:
            assert upload.state in GONE
        except Conflict:
            assert upload.state not in ("open", *GONE)
        else:
            assert upload.state == "open"
            upload.state = "aborted"

    @rule(upload=uploads)
    def release(self, upload: Upload) -> None:
        if upload.file_id and upload.state == "ready":
            self.run(files.release_file(self.context, upload.file_id))
            upload.state = "released"

    @rule()
    def sweep(self) -> None:
        self.run(cleaning.abort_stale_sessions(self.context))
        self.run(cleaning.collect_garbage(self.context, NOW))

    @invariant()
    def what_is_ready_is_whole_and_nothing_else_is_served(self) -> None:
        for upload in self.known:
            if upload.file_id is None:
                continue
            try:
                download = self.run(files.open_download(self.context, upload.file_id, "GET"))
            except DomainError:
                assert upload.state != "ready"
                continue
            assert upload.state == "ready"
            assert download.sha256 == hashlib.sha256(upload.content).digest()
            assert self.run(self._read(download.stored_at.path)) == upload.content

    async def _read(self, path: str) -> bytes:
        return b"".join([block async for block in self.context.store.read(key_at(path))])

    @invariant()
    def references_are_counted_exactly(self) -> None:
        async def wrong() -> list[Any]:
            async with self.context.db.connection() as connection:
                cursor = await connection.execute(
                    "select id from blob where refs <> (select count(*) from file where blob_id = blob.id)"
                )
                return await cursor.fetchall()

        assert self.run(wrong()) == []


@pytest.mark.parametrize("kind", ["s3", "folder"])
def test_uploads_keep_their_promises_in_any_order(
    engines: Engines, make_database: MakeDatabase, kind: Kind, tmp_path: Path
) -> None:
    async def make_context() -> Context:
        db = Database(make_database(ROOT / "services/upload/migrations"), pool_size=3)
        store = new_store(kind, engines, tmp_path)
        await db.open()
        await store.open()
        await store.prepare()

        return new_context(db, store)

    Uploads.make_context = staticmethod(make_context)
    run_state_machine_as_test(
        Uploads,
        settings=settings(
            max_examples=examples(12),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.data_too_large,
                HealthCheck.large_base_example,
            ],
        ),
    )


@pytest.fixture(autouse=True)
def _short_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier that died gives up its claim by itself; here nobody waits for that."""
    monkeypatch.setattr(verification, "LEASE", timedelta(milliseconds=300))
