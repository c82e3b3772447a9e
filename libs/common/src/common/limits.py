"""Rate limits, counted in Valkey so that they hold across replicas.

An event is counted before the work, and taken back if it turns out not to count. If it were only counted afterwards, a
burst of parallel requests could exceed the limit.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common import logging
from common.errors import RateLimited, Unavailable
from common.valkey import client_options


class LimiterUnavailable(Unavailable):
    """The store of the rate limits is not answering."""


class Budget:
    """At most `count` events for each key in a window of `period`.

    The window starts with the first of them or, if the budget `restarts`, with the last one.
    """

    def __init__(
        self, limiter: "Limiter", name: str, count: int, period: timedelta, refusal: type[RateLimited], restarts: bool
    ) -> None:
        self._limiter, self._name, self._count, self._period = limiter, name, count, period
        self._refusal, self._restarts = refusal, restarts

    async def take(self, key: str) -> None:
        """Count one event. Raises `refusal` if it exceeds the limit, and `LimiterUnavailable` without Valkey."""
        if await self._limiter.count(self._key(key), 1, self._period) > self._count:
            await self.give_back(key)
            raise self._refusal(retry_after=self._period)

    async def used(self, key: str) -> int:
        """The number of events that are counted now. Raises `LimiterUnavailable`."""
        return await self._limiter.counted(self._key(key))

    async def record(self, key: str) -> None:
        """Count one event that has happened, even beyond the limit. Raises `LimiterUnavailable`."""
        await self._limiter.count(self._key(key), 1, self._period)
        await self.keep(key)

    async def keep(self, key: str) -> None:
        """Record that an event stays counted: if the budget restarts, its window ends one period from now."""
        if not self._restarts:
            return
        try:
            await self._limiter.prolong(self._key(key), self._period)
        except LimiterUnavailable:
            # The event is counted for the rest of the window all the same.
            logging.get(__name__).warning("the window of a budget could not be restarted")

    async def give_back(self, key: str) -> None:
        """Take one event back."""
        if await self._limiter.count(self._key(key), -1, self._period) < 0:
            # The event's window has ended, so the counter is new. It must not become negative.
            await self._limiter.count(self._key(key), 1, self._period)

    def _key(self, key: str) -> str:
        seconds = int(self._period.total_seconds())
        return RateLimitItemPerSecond(self._count, seconds, namespace="limit").key_for(self._name, key)


@asynccontextmanager
async def counted_try(
    budgets: Sequence[tuple[Budget, str]], failures: tuple[type[Exception], ...], *, patience: Sequence[float] = ()
) -> AsyncGenerator[None]:
    """Count the block as a try with every budget and key; it stays counted only if the block raises one of `failures`.

    `patience`: pauses in seconds before a used-up budget is tried again, because parallel tries that succeed give back
    their counts within milliseconds. Raises `RateLimited` and `LimiterUnavailable` before the block runs.
    """
    taken: list[tuple[Budget, str]] = []
    try:
        for budget, key in budgets:
            await _take(budget, key, patience)
            taken.append((budget, key))
        yield
    except failures:
        kept, taken = taken, []
        for budget, key in kept:
            await budget.keep(key)
        raise
    finally:
        await asyncio.gather(*(_give_back(budget, key) for budget, key in taken))


@asynccontextmanager
async def counted_success(budget: Budget, key: str) -> AsyncGenerator[None]:
    """Count the block with a budget; it stays counted only if the block succeeds.

    Raises `RateLimited` and `LimiterUnavailable` before the block runs.
    """
    await budget.take(key)
    try:
        yield
    except BaseException:
        await _give_back(budget, key)
        raise
    await budget.keep(key)


async def _take(budget: Budget, key: str, patience: Sequence[float]) -> None:
    for seconds in patience:
        try:
            return await budget.take(key)
        except RateLimited:
            await asyncio.sleep(seconds)
    return await budget.take(key)


async def _give_back(budget: Budget, key: str) -> None:
    try:
        await budget.give_back(key)
    except LimiterUnavailable:
        # The result of the block is not affected; the event stays counted until its window ends.
        logging.get(__name__).warning("a counted event could not be given back")


class Limiter:
    """The counters of all budgets."""

    def __init__(self, valkey_url: str) -> None:
        self._storage = RedisStorage(f"async+{valkey_url}", implementation="redispy", **client_options())

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

    async def count(self, key: str, amount: int, period: timedelta) -> int:
        """Add `amount` to the counter `key`, which starts at 0 and ends `period` after it started."""
        try:
            return await self._storage.incr(key, int(period.total_seconds()), amount=amount)
        except RedisError as error:
            raise LimiterUnavailable from error

    async def counted(self, key: str) -> int:
        """The value of the counter `key`; 0 if it does not exist."""
        try:
            return await self._storage.get(key)
        except RedisError as error:
            raise LimiterUnavailable from error

    async def prolong(self, key: str, period: timedelta) -> None:
        """Make the counter `key` end `period` from now, if it exists."""
        bridge = self._bridge()
        try:
            await self._redis(bridge).expire(bridge.prefixed_key(key), int(period.total_seconds()))
        except RedisError as error:
            raise LimiterUnavailable from error

    async def ready(self) -> None:
        """Raise `LimiterUnavailable` unless Valkey answers."""
        if not await self._storage.check():
            raise LimiterUnavailable

    async def close(self) -> None:
        """Close the connections to Valkey."""
        await self._redis(self._bridge()).aclose()

    def _bridge(self) -> RedispyBridge:
        bridge = self._storage.bridge
        assert isinstance(bridge, RedispyBridge)
        return bridge

    @staticmethod
    def _redis(bridge: RedispyBridge) -> Redis:
        return cast("Redis", bridge.get_connection())
