"""Shares of items against a model, on a real database: contents that come, stop, fail or are replaced in any order.

The upload service is a stand-in that does what it does: its messages may be lost at any time, as with a process.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from common import clock
from common.errors import DomainError
from common.peers import Peer
from common.rights import Actor
from share_service.build import build
from share_service.context import Context
from share_service.items.model import ItemComplete, Progress, TicketInvalid
from share_service.items.tickets import SenderKeys
from share_service.sending import changing, creating, filling, looking
from share_service.sending.model import Announced, Terms
from share_service.sending.seeing import see_items
from share_service.settings import ShareSettings
from share_service.shares.model import ShareEnded
from share_service.shares.owning import withdraw_share
from share_service.shares.queries.made import share_of_id
from tests.conftest import ROOT, MakeDatabase
from tests.examples import examples
from tests.integration.share.downloads.test_share_states import START, Clock

MIGRATIONS = Path(ROOT / "services/share/migrations")
SIZE = 10
SHA256 = bytes(32)
SENDER = Actor(None, is_sender=True)
Result = TypeVar("Result")


@dataclass
class Upload:
    """The upload service: its sessions, and the files that nobody has released."""

    sessions: dict[UUID, Progress] = field(default_factory=dict[UUID, Progress])
    files: set[UUID] = field(default_factory=set[UUID])

    async def call(self, _method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        match path:
            case "/internal/uploads/progress":
                return {"uploads": {one: as_json(self.sessions[UUID(one)]) for one in body["session_ids"]}}
            case "/internal/uploads/abort":
                found = [self.abort(UUID(one)) for one in body["session_ids"]]
                return {"file_ids": [file_id.hex for file_id in found if file_id]}
            case "/internal/files/release":
                self.files -= {UUID(one) for one in body["file_ids"]}
                return {}
            case _:
                raise AssertionError(path)

    def abort(self, session_id: UUID) -> UUID | None:
        """Abort an open session; the file of another one."""
        if self.sessions[session_id].stage == "open":
            self.sessions[session_id] = Progress("aborted")
        return self.sessions[session_id].file_id


def as_json(progress: Progress) -> dict[str, Any]:
    return {
        "stage": progress.stage,
        "received": progress.received,
        "file_id": progress.file_id.hex if progress.file_id else None,
        "sha256": progress.sha256.hex() if progress.sha256 else None,
    }


@dataclass
class Expected:
    """An item as it should be."""

    share_id: UUID
    session_id: UUID | None = None
    is_gone: bool = False


class ItemMachine(RuleBasedStateMachine):
    items = Bundle[UUID]("items")
    runner: asyncio.Runner
    base: Context

    def __init__(self) -> None:
        super().__init__()
        Clock.moment = START
        self.upload = Upload()
        self.context = replace(self.base, upload=cast("Peer", self.upload))
        self.expected: dict[UUID, Expected] = {}
        self.ended: set[UUID] = set()

    def run(self, operation: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(operation)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async def rows() -> list[tuple[Any, ...]]:
            async with self.context.db.connection() as connection:
                cursor = await connection.execute(statement.encode())
                return await cursor.fetchall() if cursor.description else []

        return self.run(rows())

    @initialize(target=items)
    def start(self) -> UUID:
        self.rows("truncate share cascade")
        return self.made()

    @rule(target=items)
    def send(self) -> UUID:
        return self.made()

    def made(self) -> UUID:
        """A share of two files, of which the machine knows one, so that the share outlives what happens to that."""
        announced = [Announced("a", SIZE), Announced("b", SIZE)]
        share = self.run(creating.create_share(self.context, None, announced, Terms(), None))
        [(item_id,), _] = self.rows(f"select id from item where share_id = '{share.id}' order by position")
        self.expected[item_id] = Expected(share.id)
        return item_id

    @rule(item_id=items)
    def begin(self, item_id: UUID) -> None:
        """Begin an upload with the item's ticket, as upload does."""
        expected, session_id = self.expected[item_id], uuid4()
        stage = self.see(item_id)
        try:
            self.run(filling.place_of_ticket(self.context, SenderKeys(self.context.key_secret).ticket(item_id)))
            self.upload.sessions[session_id] = Progress("open")
            earlier = self.run(filling.bind_upload(self.context, item_id, session_id))
        except (TicketInvalid, ShareEnded):
            assert expected.is_gone or expected.share_id in self.ended
            return
        except ItemComplete:
            assert stage in ("verifying", "ready")
            return
        assert stage in ("open", "aborted", "failed", None)
        if earlier is not None:
            self.upload.abort(earlier)
        expected.session_id = session_id

    @rule(item_id=items, stage=st.sampled_from(["open", "verifying", "ready", "aborted", "failed"]), told=st.booleans())
    def get_on(self, item_id: UUID, stage: Any, told: bool) -> None:
        """The upload of an item gets on; the share service is told of it, or is not."""
        session_id = self.expected[item_id].session_id
        if session_id is None or (before := self.upload.sessions[session_id]).stage in ("ready", "aborted", "failed"):
            return
        if before.stage == "verifying" and stage == "aborted":
            return
        file_id = before.file_id
        if stage in ("verifying", "ready"):
            file_id = file_id or uuid4()
            self.upload.files.add(file_id)
        elif file_id:
            # The content is not what was claimed, or the store lost it.
            self.upload.files.discard(file_id)
            file_id = None
        after = Progress(stage, SIZE if file_id else 3, file_id, SHA256 if stage == "ready" else None)
        self.upload.sessions[session_id] = after
        if told and not self.run(filling.record_progress(self.context, item_id, session_id, after)) and file_id:
            self.upload.files.discard(file_id)

    @rule(item_id=items)
    def look(self, item_id: UUID) -> None:
        self.see(item_id)

    @rule(item_id=items)
    def remove(self, item_id: UUID) -> None:
        expected = self.expected[item_id]
        try:
            self.run(changing.remove_from_share(self.context, SENDER, expected.share_id, item_id))
        except DomainError:
            assert expected.is_gone or expected.share_id in self.ended
        expected.is_gone = True

    @rule(item_id=items)
    def end(self, item_id: UUID) -> None:
        share_id = self.expected[item_id].share_id
        if share_id not in self.ended:
            self.run(withdraw_share(self.context, SENDER, share_id))
            self.ended.add(share_id)

    @rule(minutes=st.sampled_from([1, 2, 10]))
    def sweep(self, minutes: int) -> None:
        Clock.moment += timedelta(minutes=minutes)
        self.run(looking.sweep(self.context))

    def see(self, item_id: UUID) -> str | None:
        """An item is shown as upload knows it. Returns the stage of its upload."""
        expected = self.expected[item_id]
        if expected.share_id in self.ended or expected.is_gone:
            return None
        stage = self.upload.sessions[expected.session_id].stage if expected.session_id else None

        async def seen() -> list[Any]:
            async with self.context.db.connection() as connection:
                share = await share_of_id(connection, expected.share_id)
            assert share is not None
            assert share.state == "active"
            return await see_items(self.context, share)

        shown = next(item for item in self.run(seen()) if item.id == item_id)
        states = {None: "waiting", "open": shown.state, "aborted": "waiting"}
        assert shown.state == states.get(stage, stage)
        assert shown.state in ("waiting", "sending", "verifying", "ready", "failed")
        assert shown.state != "waiting" or shown.received == 0
        if stage == "aborted":
            expected.session_id = None
        return stage

    def teardown(self) -> None:
        """Once all has ended, nothing is left: no item, no open upload, no file."""
        for share_id in {expected.share_id for expected in self.expected.values()} - self.ended:
            self.run(withdraw_share(self.context, SENDER, share_id))
        for _ in range(2):
            self.sweep(10)
        if self.expected:
            assert self.rows("select id from item") == []
            assert not self.upload.files
            bound = {expected.session_id for expected in self.expected.values() if expected.session_id}
            assert all(self.upload.sessions[one].stage != "open" for one in bound)


@pytest.fixture(scope="module", autouse=True)
def machine(make_database: MakeDatabase, valkey_url: str) -> Iterator[None]:
    """Give the machine a database, and a clock that it sets."""
    values = {
        "database_url": make_database(MIGRATIONS),
        "valkey_url": valkey_url,
        **dict.fromkeys(("auth_url", "upload_url", "chat_url"), "http://127.0.0.1:1"),
        **dict.fromkeys(("service_secret", "download_key_secret"), "a secret of sixteen bytes"),
    }
    process = build(ShareSettings.model_validate(values), pool_size=2)
    ItemMachine.base = process.context
    with pytest.MonkeyPatch.context() as changed, asyncio.Runner() as ItemMachine.runner:
        changed.setattr(clock, "now", Clock.now)
        running = process.running()
        ItemMachine.runner.run(running.__aenter__())
        try:
            yield
        finally:
            ItemMachine.runner.run(running.__aexit__(None, None, None))


def test_items_come_and_go_in_any_order() -> None:
    machine_settings = settings(
        max_examples=examples(25),
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(ItemMachine, settings=machine_settings)


def test_an_upload_that_was_aborted_has_brought_nothing() -> None:
    state = ItemMachine()
    item_id = state.start()
    state.begin(item_id)
    state.get_on(item_id, "aborted", told=False)
    state.look(item_id)
    state.teardown()
