"""Many calls in a row: how long they took, together and each, and what they cost the system."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench import calls
from tests.bench.calls import Address, Call
from tests.bench.trees import Taken, Tree, timed

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Burst:
    """Calls in a row."""

    calls: int
    taken: Taken
    milliseconds: list[float]
    """How long each call took, in ascending order; of very many calls, about a thousand at equal distances."""


async def burst(
    tree: Tree | None,
    at: Address,
    call: Call,
    turns: Iterator[Any],
    *,
    connections: int = calls.CONNECTIONS,
    greeting: bytes = b"",
) -> Burst:
    """Call until no turn is left."""
    with timed(tree) as taken:
        rate = await calls.rate(at, call, turns, connections=connections, greeting=greeting)
    taken.seconds = rate.seconds
    ordered = sorted(round(value, 3) for value in rate.milliseconds)
    return Burst(len(ordered), taken, ordered[:: max(1, len(ordered) // KEPT)])
