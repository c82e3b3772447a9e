from datetime import timedelta

from common.waiting import wait_until

QUICK = {"first": 0.001, "longest": 0.002}


async def test_wait_until_returns_the_state_that_was_waited_for() -> None:
    states = iter(range(10))

    async def look() -> int:
        return next(states)

    assert await wait_until(look, lambda state: state == 4, None, **QUICK) == 4


async def test_wait_until_returns_the_last_state_when_patience_ends() -> None:
    looks: list[int] = []

    async def look() -> int:
        looks.append(1)
        return len(looks)

    assert await wait_until(look, lambda _: False, timedelta(seconds=0.01), **QUICK) == len(looks)
    assert await wait_until(look, lambda _: False, timedelta(0), **QUICK) == len(looks)
