"""The loop of every sweep: batch after batch, until nothing is left or its time is over.

Several sweeps take turns, so that a long one delays none of the others for more than a moment. A lock in the database
lets one process at a time do a sweep; a process that is killed loses its lock with its connection.

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

# A sweep ends after this long even if work is left, so that it does not keep its worker from others. The next one comes
# a few seconds later: one that comes before the end, even by a moment, leaves the work to this one, and a whole
# interval passes with nothing done.
SWEEP_SECONDS = 55.0
# The turn of one sweep, while others have work as well.
SLICE_SECONDS = 2.0
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


async def drain(
    context: Context,
    sweeps: Iterable[Sweep[Context]],
    seconds: float = SWEEP_SECONDS,
    slice_seconds: float = SLICE_SECONDS,
) -> None:
    """Run the sweeps in turns until nothing is left, or until all of them together have taken `seconds`.

    A sweep that another process is doing is left to it.
    """
    ends_at = time.monotonic() + seconds
    line = [_Turns(context, sweep) for sweep in sweeps]
    begun = set[str]()
    # One may make work for another, so all are asked until none of them has anything to do.
    idle = 0
    while idle < len(line) and (time.monotonic() < ends_at or line[0].sweep.name not in begun):
        turns = line.pop(0)
        begun.add(turns.sweep.name)
        try:
            did = await turns.take(min(ends_at, time.monotonic() + slice_seconds))
        except Unavailable as error:
            name, done = turns.sweep.name, turns.done
            _log.warning("a sweep cannot go on, a later one will", sweep=name, done=done, error=error.message)
            continue
        line.append(turns)
        idle = 0 if did else idle + 1
    for turns in line:
        await turns.report()


class _Turns(Generic[Context]):
    """The turns of one sweep."""

    def __init__(self, context: Context, sweep: Sweep[Context]) -> None:
        self.sweep, self.done = sweep, 0
        self._context, self._seconds, self._has_more = context, 0.0, False

    async def take(self, ends_at: float) -> int:
        """Do batches until nothing is left, or until `ends_at`. Returns the size of what was done."""
        begun, before = time.monotonic(), self.done
        async with self._context.db.alone(self.sweep.name) as is_alone:
            self._has_more = is_alone
            while self._has_more:
                did = await self.sweep.batch(self._context)
                self.done += did
                self._has_more = bool(did)
                if time.monotonic() >= ends_at:
                    break
        self._seconds += time.monotonic() - begun
        return self.done - before

    async def report(self) -> None:
        """Log what was done, and what is left."""
        if not self.done:
            return
        waiting = await _count(self._context.db, self.sweep)
        values = {"sweep": self.sweep.name, "done": self.done, "seconds": round(self._seconds, 1), "waiting": waiting}
        if self._has_more:
            _log.warning("a sweep ran out of time, the next one continues", **values)
        else:
            _log.info("swept", **values)


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
