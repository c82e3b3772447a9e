"""Waiting until something is in a certain state, by looking at it again and again with growing pauses."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

_GROWTH = 1.5

State = TypeVar("State")


async def wait_until(
    look: Callable[[], Awaitable[State]],
    is_over: Callable[[State], bool],
    patience: timedelta | None,
    *,
    first: float,
    longest: float,
) -> State:
    """The state that `look` gives once `is_over` says so, or the last one seen after `patience` (None: no limit).

    `first` and `longest` are the pauses between two looks, in seconds. It always looks once.
    """
    until = float("inf") if patience is None else time.monotonic() + patience.total_seconds()
    pause = first
    state = await look()
    while not is_over(state) and time.monotonic() < until:
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, longest)
        state = await look()
    return state
