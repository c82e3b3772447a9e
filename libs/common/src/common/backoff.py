"""How long to wait before the next attempt after failures in a row: the one formula of the system."""

import random
from datetime import timedelta

_MOST_DOUBLINGS = 30


def backoff(failures: int, first: timedelta, longest: timedelta) -> timedelta:
    """The pause after `failures` failures in a row (from 1): `first`, doubled with each, at most `longest`.

    It varies at random by up to a quarter in both directions, so that tasks that failed together do not retry together.
    """
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return min(first * 2**doublings, longest) * random.uniform(0.75, 1.25)  # noqa: S311  (spreads load, hides nothing)
