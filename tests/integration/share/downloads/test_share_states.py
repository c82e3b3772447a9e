"""The life of shares against a model, on a real database: made, redeemed, resumed, left alone, swept, in any order."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
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

from common.db import Connection
from share_service import operations
from share_service.shares.model import KEEP_RELEASED, LEASE_LIFETIME, Naming, ShareEnded, Terms, UnknownCode
from tests.conftest import ROOT, MakeDatabase

MIGRATIONS = Path(ROOT / "services/share/migrations")
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Few shares, and times around those that matter (a lease's hour, the day that a released share is kept), so that what
# happens meets what it should meet.
MOST_SHARES = 4
LIFETIMES = st.sampled_from([None, 20, 40, 90, 1440])
PAUSES = st.sampled_from([1, 19, 20, 21, 40, 59, 60, 61, 1380, 1440])
HOLDERS = st.sampled_from([b"a" * 32, b"b" * 32])
STRANGER = b"c" * 32


@dataclass
class Expected:
    """What should be true of a share."""

    file_id: UUID | None
    uses: int | None
    expires_at: datetime | None
    used: int = 0
    leases: dict[bytes, datetime] = field(default_factory=dict[bytes, datetime])
    released_at: datetime | None = None
    purged: bool = False

    def over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def redeemable(self, now: datetime) -> bool:
        return not self.over(now) and (self.uses is None or self.used < self.uses)

    def leased(self, holder: bytes, now: datetime) -> bool:
        return not self.over(now) and holder in self.leases and self.leases[holder] > now

    def done(self, now: datetime) -> bool:
        """Nobody may have anything of it any more."""
        if self.file_id is None:
            return not self.redeemable(now)
        return not self.redeemable(now) and not any(self.leased(holder, now) for holder in self.leases)


class ShareMachine(RuleBasedStateMachine):
    shares = Bundle[str]("shares")
    downloads = Bundle[tuple[str, bytes]]("downloads")
    runner: asyncio.Runner
    connection: Connection

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.expected: dict[str, Expected] = {}

    def run(self, operation: Coroutine[Any, Any, Any]) -> Any:
        """Run `operation` in a transaction of its own, as an edge does."""

        async def in_transaction() -> Any:
            async with self.connection.transaction():
                return await operation

        return self.runner.run(in_transaction())

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
        self.runner.run(self.connection.execute("truncate share cascade"))

    @precondition(lambda self: len(self.present()) < MOST_SHARES)
    @rule(target=shares, kind=st.sampled_from(["file", "text"]), uses=st.none() | st.integers(1, 2), minutes=LIFETIMES)
    def share(self, kind: str, uses: int | None, minutes: int | None) -> str:
        file_id = uuid4() if kind == "file" else None
        expected = Expected(file_id, uses, self.now + timedelta(minutes=minutes) if minutes else None)
        code = self.run(self.share_file(file_id, expected) if file_id else self.share_text(expected))
        self.expected[code] = expected
        return code

    def share_text(self, expected: Expected) -> Coroutine[Any, Any, str]:
        terms = Terms(expected.expires_at, expected.uses)
        return operations.share_text(self.connection, "a text", terms, digits_only=False, now=self.now)

    async def share_file(self, file_id: UUID, expected: Expected) -> str:
        made = await operations.share_file(
            self.connection,
            origin=str(file_id),
            file_id=file_id,
            name="a.bin",
            size=10,
            terms=Terms(expected.expires_at, expected.uses),
            naming=Naming(),
            now=self.now,
        )
        return made.code

    @rule(minutes=PAUSES)
    def pass_time(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(code=shares)
    def look(self, code: str) -> None:
        expected = self.expected[code]
        outcome = self.attempt(operations.look_up(self.connection, code, self.now))
        assert outcome == self.answer(expected, served=expected.redeemable(self.now))

    @rule(target=downloads, code=shares, holder=HOLDERS)
    def redeem(self, code: str, holder: bytes) -> tuple[str, bytes]:
        expected = self.expected[code]
        served = expected.redeemable(self.now)

        async def act() -> None:
            share = await operations.look_up(self.connection, code, self.now)
            if share.kind == "text":
                assert (await operations.redeem_text(self.connection, share.id, self.now)).body == "a text"
            else:
                await operations.redeem_file(self.connection, share.id, holder, self.now)

        assert self.attempt(act()) == self.answer(expected, served=served)
        if served:
            expected.used += 1
            if expected.file_id:
                expected.leases[holder] = self.now + LEASE_LIFETIME
        return code, holder

    @rule(download=downloads, stranger=st.booleans())
    def resume(self, download: tuple[str, bytes], stranger: bool) -> None:
        code, holder = download
        if stranger:
            holder = STRANGER
        expected = self.expected[code]
        leased = expected.leased(holder, self.now)

        async def act() -> None:
            admission = await operations.admit(self.connection, code, holder, self.now)
            assert admission.leased == leased

        served = leased or expected.redeemable(self.now)
        assert self.attempt(act()) == self.answer(expected, served=served)

    @rule()
    def sweep(self) -> None:
        self.run(operations.end_shares(self.connection, self.now))
        for release in self.run(operations.claim_releases(self.connection, self.now)):
            self.run(operations.finish_release(self.connection, release.id, self.now))
        self.run(operations.purge(self.connection, self.now))
        for expected in self.expected.values():
            if expected.done(self.now) and expected.released_at is None:
                expected.released_at = self.now
            if expected.released_at and expected.released_at <= self.now - KEEP_RELEASED:
                expected.purged = True

    @rule(claimed=st.booleans())
    def sweep_and_die(self, claimed: bool) -> None:
        self.run(operations.end_shares(self.connection, self.now))
        if claimed:
            self.run(operations.claim_releases(self.connection, self.now))
            # What a sweep claimed that died comes back after a minute.
            self.now += timedelta(minutes=1)

    @invariant()
    def files_are_held_until_released(self) -> None:
        files = {e.file_id: e.released_at is None for e in self.expected.values() if e.file_id}

        async def held() -> set[UUID]:
            cursor = await self.connection.execute("select file_id from share where state <> 'released'")
            return {row[0] for row in await cursor.fetchall() if row[0]}

        assert self.runner.run(held()) == {file_id for file_id, is_held in files.items() if is_held}

    @invariant()
    def counts_are_true_and_ended_texts_are_gone(self) -> None:
        async def rows() -> list[tuple[Any, ...]]:
            cursor = await self.connection.execute("select code, used_count, uses_left, body is null, kind from share")
            return await cursor.fetchall()

        for code, used, left, is_erased, kind in self.runner.run(rows()):
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


def test_shares_do_what_the_model_says(make_database: MakeDatabase) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        connection = runner.run(psycopg.AsyncConnection.connect(make_database(MIGRATIONS), autocommit=True))
        ShareMachine.runner, ShareMachine.connection = runner, connection
        run_state_machine_as_test(
            ShareMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
        runner.run(connection.close())
