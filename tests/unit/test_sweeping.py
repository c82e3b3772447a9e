"""The loop of sweeps: it works until nothing is left, or its time is over."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from common.db import Connection, Database
from common.errors import Unavailable
from common.queue.schedule import SECONDS
from common.sweeping import SWEEP_SECONDS, Sweep, backlog, drain, each


class Work:
    """Stands for a context with a database, and for the rows in it."""

    def __init__(self, rows: int) -> None:
        self.rows, self.batches = rows, 0
        self.elsewhere: set[str] = set()
        """The sweeps that another process is doing."""

    @property
    def db(self) -> Database:
        return cast("Database", self)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        yield self

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncGenerator[bool]:
        yield name not in self.elsewhere

    async def batch(self, _: "Work") -> int:
        self.batches += 1
        done = min(self.rows, 100)
        self.rows -= done
        return done

    async def waiting(self, _: Connection) -> int:
        return self.rows

    @property
    def sweep(self) -> Sweep["Work"]:
        return Sweep("rows", self.batch, self.waiting)


async def test_a_sweep_works_until_nothing_is_left() -> None:
    work = Work(10_050)
    assert await backlog(work.db, [work.sweep]) == {"rows": 10_050}
    await drain(work, [work.sweep])
    assert await backlog(work.db, [work.sweep]) == {"rows": 0}


async def test_a_sweep_whose_time_is_over_ends_after_its_batch() -> None:
    work = Work(10_050)
    await drain(work, [work.sweep], seconds=0)
    assert work.batches == 1
    assert work.rows == 9_950


async def test_sweeps_take_turns() -> None:
    long, short, order = Work(2_000), Work(200), list[str]()

    def noted(name: str, work: Work) -> Sweep[Work]:
        async def batch(context: Work) -> int:
            order.append(name)
            return await work.batch(context)

        return Sweep(name, batch, work.waiting)

    await drain(long, [noted("long", long), noted("short", short)], slice_seconds=0)
    assert order[:5] == ["long", "short", "long", "short", "long"]
    assert (long.rows, short.rows) == (0, 0)


async def test_a_sweep_that_another_process_is_doing_is_left_to_it() -> None:
    work, other = Work(500), Work(500)
    work.elsewhere = {"other's"}
    await drain(work, [Sweep("other's", other.batch, other.waiting), work.sweep])
    assert (other.rows, work.rows) == (500, 0)


async def test_a_sweep_that_cannot_go_on_does_not_keep_the_others() -> None:
    work = Work(500)

    async def fail(_: Work) -> int:
        raise Unavailable

    await drain(work, [Sweep("failing", fail, work.waiting), work.sweep])
    assert work.rows == 0


async def test_all_is_done_before_an_error_is_raised() -> None:
    done: list[int] = []

    async def do(number: int) -> int:
        if number == 3:
            raise Unavailable
        done.append(number)
        return number * 2

    async def fail(_: int) -> Unavailable:
        return Unavailable()

    assert await each([1, 2], do) == [2, 4]
    assert [type(found) for found in await each([1, 2], fail)] == [Unavailable] * 2
    with pytest.raises(Unavailable):
        await each(range(20), do)
    assert done == [1, 2, *(number for number in range(20) if number != 3)]


@pytest.mark.parametrize("interval", sorted({each for each in SECONDS.values() if each > 5}))
def test_a_sweep_that_ran_out_of_time_goes_on_soon(interval: int) -> None:
    """It ends up to two seconds late, with its last batch; the next one must come after that, and not much later."""
    assert 2 < -SWEEP_SECONDS % interval <= 10 or interval > SWEEP_SECONDS + 10
