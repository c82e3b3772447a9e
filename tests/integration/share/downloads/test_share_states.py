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
from share_service.downloads.asks import Ask, ask_of
from share_service.downloads.downloading import DownloadRequest, admit, take_text
from share_service.downloads.leasing import MOST_COPIES, RESTART_TIME, Claim, grant
from share_service.settings import ShareSettings
from share_service.shares import sweeping
from share_service.shares.lookup import look_up
from share_service.shares.making import Content, share_file, share_text
from share_service.shares.model import KEEP_RELEASED, LEASE_LIFETIME, Share, ShareEnded, UnknownCode
from tests.conftest import ROOT, MakeDatabase
from tests.examples import examples

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
# Of 64 bytes, the first four are the head.
SIZE, HEAD = 64, 4
RANGES = st.sampled_from([None, *(f"bytes={one}" for one in ("0-", "0-1", "0-31", "2-", "2-3", "32-", "40-47", "64-"))])


@dataclass
class Lease:
    """A lease as it should be."""

    started_at: datetime
    granted: int
    head: int
    may_restart: bool

    def is_over(self, now: datetime) -> bool:
        return self.started_at + LEASE_LIFETIME <= now

    def covers(self, ask: Ask, now: datetime) -> bool:
        if ask.range is None or self.is_over(now) or self.granted + ask.length > MOST_COPIES * SIZE:
            return False
        head = self.head + in_head(ask)
        if in_head(ask) == 0 or head <= HEAD:
            return True
        is_restarting = now < self.started_at + RESTART_TIME
        return is_restarting and head <= 2 * HEAD + 2 and (ask.range.start > 0 or self.may_restart)


def in_head(ask: Ask) -> int:
    places = range(SIZE) if ask.range is None else range(ask.range.start, ask.range.end)
    return sum(place < HEAD for place in places)


@dataclass
class Expected:
    """The state that a share should have."""

    file_id: UUID | None
    uses: int | None
    expires_at: datetime | None
    used: int = 0
    leases: dict[str, Lease] = field(default_factory=dict[str, Lease])
    copies: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """How often each byte was granted, for each address."""
    right: dict[str, int] = field(default_factory=dict[str, int])
    """How many copies each address has a right to."""
    released_at: datetime | None = None
    purged: bool = False

    def over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def redeemable(self, now: datetime) -> bool:
        return not self.over(now) and (self.uses is None or self.used < self.uses)

    def leased(self, address: str, now: datetime) -> bool:
        return not self.over(now) and address in self.leases and not self.leases[address].is_over(now)

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
        content = Content("file", "a.bin", SIZE, file_id=file_id)
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

    @rule(code=shares)
    def read_text(self, code: str) -> None:
        expected = self.expected[code]
        if expected.file_id:
            return
        served = expected.redeemable(self.now)

        async def act() -> None:
            share = await look_up(self.context, "code", code)
            assert (await take_text(self.context, share.id, self.now)).body == "a text"

        assert self.attempt(act()) == self.answer(expected, served=served)
        expected.used += served

    @rule(target=downloads, code=shares, address=ADDRESSES, ranges=RANGES, plays=st.booleans())
    def begin(self, code: str, address: str, ranges: str | None, plays: bool) -> tuple[str, str]:
        self.download(code, address, ranges, plays)
        return code, address

    @rule(download=downloads, ranges=RANGES, times=st.integers(1, 20))
    def go_on(self, download: tuple[str, str], ranges: str | None, times: int) -> None:
        for _ in range(times):
            self.download(*download, ranges, False)

    @rule(download=downloads)
    def ask_as_a_stranger(self, download: tuple[str, str]) -> None:
        expected = self.expected[download[0]]
        used = expected.used
        self.download(download[0], STRANGER, "bytes=64-", False)
        assert expected.used == used

    def download(self, code: str, address: str, ranges: str | None, plays: bool) -> None:
        """A GET by an address, which has to be covered by its lease, to take a use, or to be refused."""
        expected = self.expected[code]
        if not expected.file_id:
            return
        ask = ask_of(ranges, None, SIZE, is_counted=expected.uses is not None)
        lease, is_leased = expected.leases.get(address), expected.leased(address, self.now)
        redeemable = expected.redeemable(self.now)
        is_free = ask.is_empty or (ranges == "bytes=0-1" and not is_leased)
        is_covered = is_leased and lease is not None and lease.covers(ask, self.now)

        async def act() -> Share:
            admission = await admit(self.context, "code", code, DownloadRequest("GET", address), self.now)
            claim = Claim(admission.share, admission.holder, ask, admission.is_leased, admission.may_start, plays=plays)
            return (await grant(self.context, claim, self.now, self.never)).share

        served = redeemable or (is_leased and (is_free or is_covered))
        assert self.attempt(act()) == self.answer(expected, served=served)
        if not served or is_free:
            return
        if is_covered and lease:
            lease.granted += ask.length
            lease.head += in_head(ask)
        else:
            expected.used += 1
            may_restart = plays or ranges is not None
            expected.leases[address] = Lease(self.now, ask.length, in_head(ask), may_restart)
            expected.right[address] = expected.right.get(address, 0) + 1 + may_restart
        counts = expected.copies.setdefault(address, [0] * SIZE)
        found = ask.range
        for place in range(found.start if found else 0, found.end if found else SIZE):
            counts[place] += 1

    @staticmethod
    async def never() -> bool:
        return False

    @invariant()
    def no_more_copies_are_complete_than_are_due(self) -> None:
        for expected in self.expected.values():
            for address, counts in expected.copies.items():
                assert min(counts) <= expected.right[address]

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
                max_examples=examples(25),
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
        runner.run(process.__aexit__(None, None, None))
