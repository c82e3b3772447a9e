"""The life of shares against a model, on a real database: made, redeemed, resumed, left alone, swept, in any order."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from common import clock
from common.expiry import Expiry
from share_service.build import build
from share_service.context import Context
from share_service.downloads.downloading import DownloadRequest, admit, take_file, take_text
from share_service.downloads.keys import address_holder
from share_service.settings import ShareSettings
from share_service.shares import sweeping
from share_service.shares.lookup import look_up
from share_service.shares.making import Content, share_file, share_text
from share_service.shares.model import KEEP_RELEASED, LEASE_LIFETIME, ShareEnded, UnknownCode
from tests.conftest import ROOT, MakeDatabase

MIGRATIONS = Path(ROOT / "services/share/migrations")
Result = TypeVar("Result")
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Few shares, and times around those that matter (a lease's hour, the day that a released share is kept), so that what
# happens meets what it should meet.
MOST_SHARES = 4
LIFETIMES = st.sampled_from([None, 20, 40, 90, 1440])
PAUSES = st.sampled_from([1, 19, 20, 21, 40, 59, 60, 61, 1380, 1440])
ADDRESSES = st.sampled_from(["10.0.0.1", "10.0.0.2"])
STRANGER = "10.0.0.3"


@dataclass
class Expected:
    """The state that a share should have."""

    file_id: UUID | None
    uses: int | None
    expires_at: datetime | None
    used: int = 0
    leases: dict[str, datetime] = field(default_factory=dict[str, datetime])
    released_at: datetime | None = None
    purged: bool = False

    def over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def redeemable(self, now: datetime) -> bool:
        return not self.over(now) and (self.uses is None or self.used < self.uses)

    def leased(self, address: str, now: datetime) -> bool:
        return not self.over(now) and address in self.leases and self.leases[address] > now

    def done(self, now: datetime) -> bool:
        """Nobody may have anything of it any more."""
        if self.file_id is None:
            return not self.redeemable(now)
        return not self.redeemable(now) and not any(self.leased(address, now) for address in self.leases)


class Clock:
    """The clock that the use cases are given."""

    moment = START

    @classmethod
    def now(cls) -> datetime:
        return cls.moment


class ShareMachine(RuleBasedStateMachine):
    shares = Bundle[str]("shares")
    downloads = Bundle[tuple[str, str]]("downloads")
    runner: asyncio.Runner
    context: Context

    def __init__(self) -> None:
        super().__init__()
        Clock.moment = START
        self.expected: dict[str, Expected] = {}

    @property
    def now(self) -> datetime:
        return Clock.moment

    def run(self, operation: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(operation)

    def query(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        async def rows() -> list[tuple[Any, ...]]:
            async with self.context.db.connection() as connection:
                cursor = await connection.execute(statement)
                return await cursor.fetchall() if cursor.description else []

        return self.run(rows())

    def attempt(self, operation: Coroutine[Any, Any, Any]) -> str:
        try:
            self.run(operation)
        except UnknownCode:
            return "unknown"
        except ShareEnded:
            return "ended"
        return "served"

    def present(self) -> list[Expected]:
        return [expected for expected in self.expected.values() if not expected.purged]

    @initialize()
    def start_empty(self) -> None:
        self.query("truncate share cascade")

    @precondition(lambda self: len(self.present()) < MOST_SHARES)
    @rule(target=shares, kind=st.sampled_from(["file", "text"]), uses=st.none() | st.integers(1, 2), minutes=LIFETIMES)
    def share(self, kind: str, uses: int | None, minutes: int | None) -> str:
        file_id = uuid4() if kind == "file" else None
        expected = Expected(file_id, uses, self.now + timedelta(minutes=minutes) if minutes else None)
        code = self.run(self.share_file(file_id, expected) if file_id else self.share_text(expected))
        self.expected[code] = expected
        return code

    async def share_text(self, expected: Expected) -> str:
        return await share_text(self.context, "a text", Expiry(expected.expires_at, expected.uses), None)

    async def share_file(self, file_id: UUID, expected: Expected) -> str:
        content = Content("file", "a.bin", 10, file_id=file_id)
        expiry = Expiry(expected.expires_at, expected.uses)
        return (await share_file(self.context, str(file_id), content, "code", "", expiry)).code

    @rule(minutes=PAUSES)
    def pass_time(self, minutes: int) -> None:
        Clock.moment += timedelta(minutes=minutes)

    @rule(code=shares)
    def look(self, code: str) -> None:
        expected = self.expected[code]
        outcome = self.attempt(look_up(self.context, "code", code))
        assert outcome == self.answer(expected, served=expected.redeemable(self.now))

    @rule(target=downloads, code=shares, address=ADDRESSES)
    def redeem(self, code: str, address: str) -> tuple[str, str]:
        expected = self.expected[code]
        served = expected.redeemable(self.now)

        async def act() -> None:
            share = await look_up(self.context, "code", code)
            if share.content_kind == "text":
                assert (await take_text(self.context, share.id, self.now)).body == "a text"
            else:
                await take_file(self.context, share.id, address_holder(address), self.now)

        assert self.attempt(act()) == self.answer(expected, served=served)
        if served:
            expected.used += 1
            if expected.file_id:
                expected.leases[address] = self.now + LEASE_LIFETIME
        return code, address

    @rule(download=downloads, stranger=st.booleans())
    def resume(self, download: tuple[str, str], stranger: bool) -> None:
        code, address = download
        if stranger:
            address = STRANGER
        expected = self.expected[code]
        leased = expected.leased(address, self.now)

        async def act() -> None:
            request = DownloadRequest("GET", address, ranges="bytes=5-")
            admission = await admit(self.context, "code", code, request, self.now)
            assert admission.takes_use == (not leased)

        served = leased or expected.redeemable(self.now)
        assert self.attempt(act()) == self.answer(expected, served=served)

    @rule()
    def sweep(self) -> None:
        self.run(sweeping.end_shares(self.context))
        releases = self.run(sweeping.claim_releases(self.context))
        self.run(sweeping.finish_releases(self.context, [release.id for release in releases]))
        self.run(sweeping.delete_shares(self.context))
        self.run(sweeping.delete_leases(self.context))
        for expected in self.expected.values():
            if expected.done(self.now) and expected.released_at is None:
                expected.released_at = self.now
            if expected.released_at and expected.released_at <= self.now - KEEP_RELEASED:
                expected.purged = True

    @rule(claimed=st.booleans())
    def sweep_and_die(self, claimed: bool) -> None:
        self.run(sweeping.end_shares(self.context))
        if claimed:
            self.run(sweeping.claim_releases(self.context))
            # What a sweep claimed that died comes back after a minute.
            Clock.moment += timedelta(minutes=1)

    @invariant()
    def files_are_held_until_released(self) -> None:
        files = {e.file_id: e.released_at is None for e in self.expected.values() if e.file_id}

        held = {row[0] for row in self.query("select file_id from share where state <> 'released'") if row[0]}
        assert held == {file_id for file_id, is_held in files.items() if is_held}

    @invariant()
    def counts_are_true_and_ended_texts_are_gone(self) -> None:
        rows = self.query("select code, used_count, uses_left, body is null, kind from share")
        for code, used, left, is_erased, kind in rows:
            expected = self.expected[code]
            assert used == expected.used
            assert left == (None if expected.uses is None else expected.uses - expected.used)
            if kind == "text" and (left == 0 or expected.released_at):
                assert is_erased

    @staticmethod
    def answer(expected: Expected, *, served: bool) -> str:
        if expected.purged:
            return "unknown"
        return "served" if served else "ended"


def test_shares_do_what_the_model_says(make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", Clock.now)
    nowhere = "http://127.0.0.1:1"
    values = {
        "database_url": make_database(MIGRATIONS),
        # Neither Valkey nor another service has a part in this.
        "valkey_url": "redis://127.0.0.1:1/0",
        "auth_url": nowhere,
        "upload_url": nowhere,
        "chat_url": nowhere,
        "service_secret": "none",
        "download_key_secret": "x" * 16,
    }
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        ShareMachine.runner = runner
        process = build(ShareSettings.model_validate(values), pool_size=1).running()
        ShareMachine.context = runner.run(process.__aenter__())
        run_state_machine_as_test(
            ShareMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
        runner.run(process.__aexit__(None, None, None))
