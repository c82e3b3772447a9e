"""Rate limits, counted in Valkey so that they hold across replicas.

An event is counted before the work, and taken back if it turns out not to count. If it were only counted afterwards, a
burst of parallel requests could exceed the limit.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError

from common import logging
from common.errors import RateLimited, Unavailable
from common.valkey import Pipe, Script

# Counts an event with every counter, or with none if one of them has no room, whose position it returns then. Each
# counter comes with its limit (-1: none), its period in seconds, and whether its window restarts now.
_TAKE = Script("""
for n, key in ipairs(KEYS) do
    local limit = tonumber(ARGV[3 * n - 2])
    if limit >= 0 and tonumber(redis.call('get', key) or 0) >= limit then
        return n
    end
end
for n, key in ipairs(KEYS) do
    if redis.call('incr', key) == 1 or ARGV[3 * n] == '1' then
        redis.call('expire', key, ARGV[3 * n - 1])
    end
end
return 0
""")
# A counter whose window has ended does not exist any more, and must not become negative. One that counts nothing is not
# kept: windows may last a day, and every address from which a code was right would have one for so long.
_GIVE_BACK = Script("""
for _, key in ipairs(KEYS) do
    local counted = tonumber(redis.call('get', key) or 0)
    if counted > 1 then
        redis.call('decr', key)
    elseif counted == 1 then
        redis.call('del', key)
    end
end
""")


PATIENCE = (0.05, 0.1, 0.2)
"""Pauses for a right guess among others that are sent at once: right ones are given back within milliseconds."""


class LimiterUnavailable(Unavailable):
    """The store of the rate limits is not answering."""


class EverybodyRefused(RateLimited):
    """Too many requests."""


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `count` events for each key in a window of `period`.

    The window starts with the first of them or, if the budget `restarts`, with the last one.
    """

    limiter: "Limiter"
    name: str
    count: int
    period: timedelta
    refusal: type[RateLimited]
    restarts: bool

    async def take(self, key: str) -> None:
        """Count one event. Raises `refusal` if it exceeds the limit, and `LimiterUnavailable` without Valkey."""
        await self.limiter.take([(self, key)])

    async def used(self, key: str) -> int:
        """The number of events that are counted now. Raises `LimiterUnavailable`."""
        return int(await self.limiter.call("GET", self.counter(key)) or 0)

    async def record(self, key: str) -> None:
        """Count one event that has happened, even beyond the limit. Raises `LimiterUnavailable`."""
        await self.limiter.take([(self, key)], for_good=True, unlimited=True)

    async def give_back(self, key: str) -> None:
        """Take one event back. Raises `LimiterUnavailable`."""
        await self.limiter.give_back([(self, key)])

    def counter(self, key: str) -> str:
        """The key of Valkey under which the events for `key` are counted."""
        return f"limit:{self.name}:{self.count}:{self.seconds}:{key}"

    @property
    def seconds(self) -> int:
        return int(self.period.total_seconds())


Event = tuple[Budget, str]
"""An event that a budget counts, by the budget and the key."""


@asynccontextmanager
async def counted_try(
    events: Sequence[Event],
    failures: tuple[type[Exception], ...],
    *,
    always: Sequence[Event] = (),
    patience: Sequence[float] = (),
) -> AsyncGenerator[None]:
    """Count the block as a try with every budget and key; it stays counted only if the block raises one of `failures`.

    `always`: events that are counted first, and for good, whatever becomes of the try. `patience`: pauses in seconds
    before a used-up budget is tried again, because parallel tries that succeed give back their counts within
    milliseconds; everybody's budget is tried once. Raises `RateLimited` and `LimiterUnavailable` before the block runs.
    """
    limiter = events[0][0].limiter
    await _take_patiently(limiter, always, events, patience)
    try:
        yield
    except failures:
        await limiter.keep(events)
        raise
    except BaseException:
        await _give_back(limiter, events)
        raise
    await _give_back(limiter, events)


@asynccontextmanager
async def counted_guess(
    own: Sequence[Event],
    everybody: Event,
    misses: Event,
    failures: tuple[type[Exception], ...],
    *,
    always: Sequence[Event] = (),
    patience: Sequence[float] = PATIENCE,
    forgiven: int = 0,
) -> AsyncGenerator[None]:
    """Count the block as a guess that is wrong if it raises one of `failures`: as `own` events, and for everybody.

    While everybody's budget, which refuses by `EverybodyRefused`, is used up, only those are refused who have more
    `misses` than are `forgiven`. So strangers with many addresses cannot keep anybody from what they know how to open.
    Whoever has no more has one guess left, or as many as the `own` budgets allow if they are sent at once. `always` is
    that of `counted_try`, which also says what this raises.
    """
    missed, who = misses
    async with AsyncExitStack() as counted:
        try:
            await counted.enter_async_context(
                counted_try([*own, everybody], failures, always=always, patience=patience)
            )
        except EverybodyRefused:
            if await missed.used(who) > forgiven:
                raise
            if own:
                await counted.enter_async_context(counted_try(own, failures, patience=patience))
        try:
            yield
        except failures:
            await missed.record(who)
            raise


@asynccontextmanager
async def counted_success(budget: Budget, key: str) -> AsyncGenerator[None]:
    """Count the block with a budget; it stays counted only if the block succeeds.

    Raises `RateLimited` and `LimiterUnavailable` before the block runs.
    """
    events = [(budget, key)]
    await budget.limiter.take(events)
    try:
        yield
    except BaseException:
        await _give_back(budget.limiter, events)
        raise
    await budget.limiter.keep(events)


async def _take_patiently(
    limiter: "Limiter", always: Sequence[Event], events: Sequence[Event], patience: Sequence[float]
) -> None:
    if always:
        try:
            # Nearly always there is room in all budgets, so both kinds cost one round trip.
            return await limiter.take(events, always=always)
        except RateLimited:
            # Nothing was counted. This raises if it is `always` that has no room, and counts it otherwise.
            await limiter.take([], always=always)
    for seconds in patience:
        try:
            return await limiter.take(events)
        except EverybodyRefused:
            # It says nothing about this client, who may be let in by other means at once.
            raise
        except RateLimited:
            await asyncio.sleep(seconds)
    return await limiter.take(events)


async def _give_back(limiter: "Limiter", events: Sequence[Event]) -> None:
    try:
        await limiter.give_back(events)
    except LimiterUnavailable:
        # The result of the block is not affected; the event stays counted until its window ends.
        logging.get(__name__).warning("a counted event could not be given back")


class Limiter:
    """The counters of all budgets. Whatever is done with several at once is one step."""

    def __init__(self, valkey_url: str) -> None:
        self._pipe = Pipe(valkey_url)

    def budget(
        self,
        name: str,
        count: int,
        period: timedelta,
        refusal: type[RateLimited] = RateLimited,
        *,
        restarts: bool = False,
    ) -> Budget:
        """A budget, shared by all processes that ask for the same name, count and period."""
        return Budget(self, name, count, period, refusal, restarts)

    async def take(
        self, events: Sequence[Event], *, for_good: bool = False, unlimited: bool = False, always: Sequence[Event] = ()
    ) -> None:
        """Count all of these events, or none of them if a budget has no room: then raises that budget's `refusal`.

        `for_good`: they are never given back, so the windows of budgets that restart do so now. `unlimited`: count them
        beyond the limits, too. `always`: more events, looked at first, that are never given back. Raises
        `LimiterUnavailable`.
        """
        taken = [*always, *events]
        values: list[int] = []
        for position, (budget, _) in enumerate(taken):
            stays = for_good or position < len(always)
            values += (-1 if unlimited else budget.count, budget.seconds, int(stays and budget.restarts))
        refused = await self._run(_TAKE, taken, *values)
        if refused:
            budget, _ = taken[refused - 1]
            raise budget.refusal(retry_after=budget.period)

    async def give_back(self, events: Sequence[Event]) -> None:
        """Take events back. Raises `LimiterUnavailable`."""
        await self._run(_GIVE_BACK, events)

    async def keep(self, events: Sequence[Event]) -> None:
        """Record that events stay counted: the windows of budgets that restart end one period from now."""
        for budget, key in events:
            if not budget.restarts:
                continue
            try:
                await self.call("EXPIRE", budget.counter(key), budget.seconds)
            except LimiterUnavailable:
                # The event is counted for the rest of the window all the same.
                logging.get(__name__).warning("the window of a budget could not be restarted")

    async def call(self, *command: str | int) -> Any:
        """The answer to a command of Valkey. Raises `LimiterUnavailable`."""
        try:
            return await self._pipe.call(*command)
        except RedisError as error:
            raise LimiterUnavailable from error

    async def ready(self) -> None:
        """Raise `LimiterUnavailable` unless Valkey answers."""
        await self.call("PING")

    async def close(self) -> None:
        """Close the connection to Valkey."""
        await self._pipe.close()

    async def _run(self, script: Script, events: Sequence[Event], *values: int) -> Any:
        try:
            return await self._pipe.run(script, [budget.counter(key) for budget, key in events], *values)
        except RedisError as error:
            raise LimiterUnavailable from error
