"""Keeping a claim while work goes on."""

import asyncio
from datetime import timedelta

import pytest

from common.claims import ClaimLost, claim_kept
from common.errors import Unavailable

LEASE = timedelta(milliseconds=200)
OFTEN = timedelta(milliseconds=10)


class Renewals:
    """Answers as it is told, the last answer for ever: whether the claim is held, an error, or silence."""

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


async def test_it_is_renewed_while_the_work_goes_on_and_never_after_it() -> None:
    renewals = Renewals(True)
    async with claim_kept(renewals, LEASE, OFTEN):
        await asyncio.sleep(0.3)
    assert renewals.count > 5
    count = renewals.count
    await asyncio.sleep(0.05)
    assert renewals.count == count


async def test_work_is_broken_off_as_soon_as_it_is_lost() -> None:
    with pytest.raises(ClaimLost):
        async with asyncio.timeout(5), claim_kept(Renewals(True, False), LEASE, OFTEN):
            await asyncio.sleep(60)


async def test_a_database_that_is_away_for_a_moment_loses_nothing() -> None:
    renewals = Renewals(Unavailable(), Unavailable(), True)
    async with claim_kept(renewals, LEASE, OFTEN):
        await asyncio.sleep(0.4)
    assert renewals.count > 5


@pytest.mark.parametrize("silence", [Unavailable(), None], ids=["away", "silent"])
async def test_work_is_broken_off_before_a_claim_ends_that_cannot_be_renewed(silence: Exception | None) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(ClaimLost):
        async with asyncio.timeout(5), claim_kept(Renewals(True, silence), LEASE, OFTEN):
            await asyncio.sleep(60)
    assert loop.time() - begun < 0.2 + 0.15


async def test_what_the_work_raises_is_raised_a_time_limit_of_its_own_too() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with claim_kept(Renewals(True), LEASE, OFTEN):
            raise ValueError("mine")
    with pytest.raises(TimeoutError):
        async with claim_kept(Renewals(True), LEASE, OFTEN), asyncio.timeout(0.05):
            await asyncio.sleep(60)


async def test_a_mistake_in_renewing_is_told_and_breaks_the_work_off() -> None:
    with pytest.raises(RuntimeError, match="a mistake"):
        async with asyncio.timeout(5), claim_kept(Renewals(RuntimeError("a mistake")), LEASE, OFTEN):
            await asyncio.sleep(60)
