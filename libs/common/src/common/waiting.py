"""Waiting for a state, by looking at it repeatedly with growing pauses."""

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
    """Call `look` until `is_over` accepts its state or `patience` (None: no limit) ends. Returns the last state.

    The pauses grow from `first` to `longest` seconds. It looks at least once.
    """
    until = float("inf") if patience is None else time.monotonic() + patience.total_seconds()
    pause = first
    state = await look()
    while not is_over(state) and time.monotonic() < until:
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, longest)
        state = await look()
    return state
