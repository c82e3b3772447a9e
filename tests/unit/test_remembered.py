"""What is costly to find out is found out once for all who ask within some seconds."""

import asyncio

import pytest

from common.errors import Unavailable
from common.remembered import Remembered


class Finder:
    """Counts how often it is asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.fails = False

    async def find(self) -> int:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.fails:
            raise Unavailable
        return number


async def test_all_who_ask_meanwhile_and_shortly_afterwards_have_one_answer() -> None:
    remembered, finder = Remembered(), Finder()
    asking = [asyncio.create_task(remembered.answer("sums", 60, finder.find)) for _ in range(10)]
    await asyncio.sleep(0)
    finder.may_answer.set()
    assert await asyncio.gather(*asking) == [1] * 10
    assert await remembered.answer("sums", 60, finder.find) == 1
    assert await remembered.answer("other sums", 60, finder.find) == 2


async def test_old_answers_cheap_ones_and_errors_are_not_remembered() -> None:
    finder = Finder()
    finder.may_answer.set()
    remembered = Remembered()
    assert [await remembered.answer("sums", 60, finder.find, lambda _: False) for _ in range(2)] == [1, 2]
    assert [await remembered.answer("sums", 0, finder.find) for _ in range(2)] == [3, 4]
    finder.fails = True
    with pytest.raises(Unavailable):
        await remembered.answer("sums", 0, finder.find)
    finder.fails = False
    assert await remembered.answer("sums", 60, finder.find) == 6


async def test_a_failure_is_that_of_all_who_waited_and_of_nobody_else() -> None:
    remembered, finder = Remembered(), Finder()
    finder.fails = True
    asking = [asyncio.create_task(remembered.answer("sums", 60, finder.find)) for _ in range(10)]
    other = asyncio.create_task(remembered.answer("other sums", 60, finder.find))
    await asyncio.sleep(0)
    finder.may_answer.set()
    failures = await asyncio.gather(*asking, other, return_exceptions=True)
    assert [type(failure) for failure in failures] == [Unavailable] * 11
    assert finder.asked == 2
    finder.fails = False
    assert await remembered.answer("sums", 60, finder.find) == 3


async def test_whoever_goes_away_in_the_middle_leaves_the_question_to_the_next() -> None:
    remembered, finder = Remembered(), Finder()
    gone, stays = (asyncio.create_task(remembered.answer("sums", 60, finder.find)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    finder.may_answer.set()
    assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await gone
