"""Budgets in Valkey: several at once, given back, and windows that restart."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from common.errors import NotFound, RateLimited
from common.limits import Budget, EverybodyRefused, Limiter, counted_guess, counted_success, counted_try
from common.valkey import Script

HOUR = timedelta(hours=1)


class Other(RateLimited):
    """Another refusal."""


@pytest.fixture
async def limiter(valkey_url: str) -> AsyncGenerator[Limiter]:
    limiter = Limiter(valkey_url)
    yield limiter
    await limiter.close()


@pytest.fixture
async def redis(valkey_url: str) -> AsyncGenerator[Redis]:
    async with Redis.from_url(valkey_url) as redis:
        yield redis


def new_name() -> str:
    return f"test-{secrets.token_hex(8)}"


async def window(redis: Redis, budget: Budget, key: str = "a") -> int:
    """The seconds until the window of a budget ends."""
    return await redis.ttl(budget.counter(key))


async def test_a_try_that_one_budget_refuses_is_counted_by_none(limiter: Limiter) -> None:
    wide, narrow = limiter.budget(new_name(), 9, HOUR), limiter.budget(new_name(), 1, HOUR, Other)
    await narrow.take("a")
    with pytest.raises(Other) as refused:
        async with counted_try([(wide, "a"), (narrow, "a")], (NotFound,)):
            pytest.fail("it was refused")
    assert refused.value.retry_after == HOUR
    assert (await wide.used("a"), await narrow.used("a"), await narrow.used("b")) == (0, 1, 0)
    async with counted_try([(wide, "a"), (narrow, "b")], (NotFound,)):
        assert (await wide.used("a"), await narrow.used("b")) == (1, 1)
    assert (await wide.used("a"), await narrow.used("b")) == (0, 0)


async def test_only_the_failures_that_count_stay_counted(limiter: Limiter) -> None:
    budgets = limiter.budget(new_name(), 5, HOUR), limiter.budget(new_name(), 5, HOUR)
    for error in (NotFound(), ValueError(), NotFound()):
        with pytest.raises(type(error)):
            async with counted_try([(budget, "a") for budget in budgets], (NotFound,)):
                raise error
    assert [await budget.used("a") for budget in budgets] == [2, 2]


async def test_what_is_given_back_after_its_window_does_not_widen_the_next_one(limiter: Limiter, redis: Redis) -> None:
    budget = limiter.budget(new_name(), 1, HOUR)
    async with counted_try([(budget, "a")], (NotFound,)):
        await redis.delete(budget.counter("a"))
    assert await budget.used("a") == 0
    await budget.take("a")
    with pytest.raises(RateLimited):
        await budget.take("a")


async def test_a_try_that_does_not_count_leaves_no_counter(limiter: Limiter, redis: Redis) -> None:
    budget = limiter.budget(new_name(), 9, HOUR)
    async with counted_try([(budget, "a")], (NotFound,)):
        async with counted_try([(budget, "a")], (NotFound,)):
            pass
        assert await budget.used("a") == 1
    assert not await redis.exists(budget.counter("a"))


async def test_a_window_restarts_only_by_what_stays_counted(limiter: Limiter, redis: Redis) -> None:
    budget = limiter.budget(new_name(), 9, HOUR, restarts=True)

    async def shorten() -> None:
        await redis.expire(budget.counter("a"), 60)

    await budget.take("a")
    await shorten()
    with pytest.raises(ValueError):
        async with counted_success(budget, "a"):
            raise ValueError
    await budget.take("a")
    assert await window(redis, budget) <= 60
    async with counted_success(budget, "a"):
        pass
    assert await window(redis, budget) > 3500
    await shorten()
    await budget.record("a")
    assert await window(redis, budget) > 3500
    assert await budget.used("a") == 4
    steady = limiter.budget(new_name(), 1, HOUR)
    await steady.record("a")
    await redis.expire(steady.counter("a"), 60)
    await steady.record("a")
    assert (await steady.used("a"), await window(redis, steady) <= 60) == (2, True)


async def test_events_that_always_count_cost_a_guess_no_further_call(
    limiter: Limiter, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = limiter.budget(new_name(), 3, HOUR, Other, restarts=True)
    everybody, missed = limiter.budget(new_name(), 1, HOUR, EverybodyRefused), limiter.budget(new_name(), 9, HOUR)
    calls: list[int] = []
    run = limiter._pipe.run  # pyright: ignore[reportPrivateUsage]

    async def counted(script: Script, keys: list[str], *values: int) -> Any:
        calls.append(len(keys))
        return await run(script, keys, *values)

    monkeypatch.setattr(limiter._pipe, "run", counted)  # pyright: ignore[reportPrivateUsage]

    async def guess(*, right: bool) -> None:
        async with counted_guess([], (everybody, ""), (missed, "a"), (NotFound,), always=[(asked, "a")], patience=()):
            if not right:
                raise NotFound

    await guess(right=True)
    assert calls == [2, 1], "one call before the block, and one that gives the guess back"
    assert (await asked.used("a"), await everybody.used("")) == (1, 0)
    await redis.expire(asked.counter("a"), 60)
    with pytest.raises(NotFound):
        await guess(right=False)
    assert await window(redis, asked) > 3500, "what always counts restarts its window"
    with pytest.raises(EverybodyRefused):
        await guess(right=True)
    assert await asked.used("a") == 3, "it counts although the guess was refused"
    with pytest.raises(Other):
        await guess(right=True)
    assert (await asked.used("a"), await everybody.used("")) == (3, 1)


async def test_a_budget_of_nothing_refuses_everything(limiter: Limiter) -> None:
    with pytest.raises(RateLimited):
        await limiter.budget(new_name(), 0, HOUR).take("a")


async def test_hundreds_of_tries_at_once_are_counted_and_none_of_them_fails(limiter: Limiter) -> None:
    budget = limiter.budget(new_name(), 300, HOUR)
    answers = await asyncio.gather(*(budget.take("a") for _ in range(500)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(RateLimited) == 200
    assert answers.count(None) == 300
    assert await budget.used("a") == 300


async def test_when_everybody_s_budget_is_used_up_only_those_who_missed_are_refused(limiter: Limiter) -> None:
    everybody = limiter.budget(new_name(), 2, HOUR, EverybodyRefused)
    own, missed = limiter.budget(new_name(), 9, HOUR), limiter.budget(new_name(), 9, HOUR)

    async def guess(who: str, *, right: bool) -> None:
        # With so long a pause, a guess that waits for room in everybody's budget fails the test.
        async with counted_guess([(own, who)], (everybody, ""), (missed, who), (NotFound,), patience=(3600,)):
            if not right:
                raise NotFound

    for who in ("a", "b", "c"):
        with pytest.raises(NotFound):
            await guess(who, right=False)
    assert (await everybody.used(""), await own.used("c")) == (2, 1)
    for who in ("a", "c"):
        with pytest.raises(EverybodyRefused):
            await guess(who, right=True)
    await guess("d", right=True)
    assert (await own.used("d"), await missed.used("d")) == (0, 0)
