"""The loop of every sweep: batch after batch, until nothing is left or its time is over.

A sweep that took one batch a period would fall behind for ever as soon as more work came in a period than fits in a
batch. What is waiting is a number, which `backlog` and the log show.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from common import logging
from common.db import Connection, Database
from common.errors import Unavailable

# A sweep ends after this long even if work is left, so that it does not keep its worker from others.
SWEEP_SECONDS = 60.0
# The number of calls that one sweep has under way at a time.
AT_ONCE = 8


class Stored(Protocol):
    """A context with a database."""

    @property
    def db(self) -> Database: ...


Context = TypeVar("Context", bound=Stored, contravariant=True)
Item = TypeVar("Item")
Result = TypeVar("Result")

_log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Sweep(Generic[Context]):
    """One kind of work that is found in rows."""

    name: str
    """Its name in the log and in the backlog, such as `shares to end`."""
    batch: Callable[[Context], Awaitable[int]]
    """Does a part of the work, which is no longer waiting afterwards, and returns its size; 0: nothing is left.

    May raise `Unavailable`; then a later sweep does the rest.
    """
    waiting: Callable[[Connection], Awaitable[int]]
    """Returns how much is waiting."""


async def drain(context: Context, sweeps: Iterable[Sweep[Context]], seconds: float = SWEEP_SECONDS) -> None:
    """Run each of the sweeps until nothing is left, or until all of them together have taken `seconds`."""
    begun = time.monotonic()
    for sweep in sweeps:
        done = 0
        try:
            while did := await sweep.batch(context):
                done += did
                if time.monotonic() - begun > seconds:
                    left = await _count(context.db, sweep)
                    _log.warning("a sweep ran out of time, the next one continues", sweep=sweep.name, waiting=left)
                    return
            if done:
                left, took = await _count(context.db, sweep), round(time.monotonic() - begun, 1)
                _log.info("swept", sweep=sweep.name, done=done, seconds=took, waiting=left)
        except Unavailable as error:
            _log.warning("a sweep cannot go on, a later one will", sweep=sweep.name, done=done, error=error.message)


async def backlog(db: Database, sweeps: Iterable[Sweep[Any]]) -> dict[str, int]:
    """How much of each kind of work is waiting, by the names of the sweeps."""
    return {sweep.name: await _count(db, sweep) for sweep in sweeps}


async def _count(db: Database, sweep: Sweep[Any]) -> int:
    async with db.connection() as connection:
        return await sweep.waiting(connection)


async def each(items: Sequence[Item], work: Callable[[Item], Awaitable[Result]]) -> list[Result]:
    """Do `work` with each of the items, a few at a time. Returns the results in the order of the items.

    An error of one is raised when all are done.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> Result:
        async with places:
            return await work(item)

    tasks = [asyncio.create_task(one(item)) for item in items]
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]
