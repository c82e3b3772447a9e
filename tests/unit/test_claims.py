"""Keeping a claim while work goes on."""

import asyncio
import time
from datetime import timedelta

import pytest

from common.claims import ClaimLost, claim_kept
from common.errors import Unavailable

LEASE = timedelta(milliseconds=200)
OFTEN = timedelta(milliseconds=10)


class Renewals:
    """A `renew` function with prepared answers, the last of which is repeated.

    An answer is whether the claim is still held, an error to raise, or None for no answer.
    """

    def __init__(self, *answers: bool | Exception | None) -> None:
        self._answers = list(answers)
        self.count = 0

    async def __call__(self) -> bool:
        self.count += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await asyncio.sleep(60)
            return True
        return answer


async def test_a_claim_is_renewed_while_the_work_goes_on_and_never_after_it() -> None:
    renewals = Renewals(True)
    async with claim_kept(renewals, LEASE, OFTEN):
        await asyncio.sleep(0.3)
    assert renewals.count > 5
    count = renewals.count
    await asyncio.sleep(0.05)
    assert renewals.count == count


async def test_work_is_cancelled_as_soon_as_its_claim_is_lost() -> None:
    with pytest.raises(ClaimLost):
        async with asyncio.timeout(5), claim_kept(Renewals(True, False), LEASE, OFTEN):
            await asyncio.sleep(60)


async def test_a_short_outage_of_the_database_loses_no_claim() -> None:
    renewals = Renewals(Unavailable(), Unavailable(), True)
    async with claim_kept(renewals, LEASE, OFTEN):
        await asyncio.sleep(0.4)
    assert renewals.count > 5


@pytest.mark.parametrize("silence", [Unavailable(), None], ids=["away", "silent"])
async def test_work_is_cancelled_before_a_claim_expires_that_cannot_be_renewed(silence: Exception | None) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(ClaimLost):
        async with asyncio.timeout(5), claim_kept(Renewals(True, silence), LEASE, OFTEN):
            await asyncio.sleep(60)
    assert loop.time() - begun < 0.2 + 0.15


async def test_exceptions_and_time_limits_of_the_work_are_raised() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with claim_kept(Renewals(True), LEASE, OFTEN):
            raise ValueError("mine")
    with pytest.raises(TimeoutError):
        async with claim_kept(Renewals(True), LEASE, OFTEN), asyncio.timeout(0.05):
            await asyncio.sleep(60)


async def test_an_unexpected_error_of_renew_is_raised_and_cancels_the_work() -> None:
    with pytest.raises(RuntimeError, match="a mistake"):
        async with asyncio.timeout(5), claim_kept(Renewals(RuntimeError("a mistake")), LEASE, OFTEN):
            await asyncio.sleep(60)


async def test_a_claim_holds_for_its_length_since_it_was_made_or_renewed() -> None:
    """Also if nothing ran meanwhile that could renew it."""
    long, minute = timedelta(minutes=1), 60
    async with claim_kept(Renewals(True), long, since=time.monotonic() - minute / 2) as claim:
        claim.check()
        await claim.hold(last=True)
    async with claim_kept(Renewals(True), long, since=time.monotonic() - minute) as claim:
        with pytest.raises(ClaimLost):
            claim.check()
        with pytest.raises(ClaimLost):
            await claim.hold()
    renewals = Renewals(True)
    async with claim_kept(renewals, long, OFTEN, since=time.monotonic() - minute + 1) as claim:
        while not renewals.count or claim.until < time.monotonic() + minute / 2:
            await asyncio.sleep(0)
        claim.check()
