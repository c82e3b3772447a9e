"""Computes figures from measurements: medians, ratios of the same rounds, percentiles, and costs."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

GIB = 1024**3
Rounds = Sequence[Mapping[str, Any]]
"""The rounds of one path in a report: each with `seconds`, and with `processor` seconds by process."""


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def speed(rounds: Rounds, size: int) -> float:
    """The median of the rounds, in MB/s."""
    return statistics.median(size / 1e6 / one["seconds"] for one in rounds)


def ratio(rounds: Rounds, yardstick: Rounds) -> float:
    """How fast a path is in comparison with another: the median of the ratios in the same rounds."""
    return statistics.median(other["seconds"] / one["seconds"] for one, other in zip(rounds, yardstick, strict=True))


def cost(rounds: Rounds, units: float) -> dict[str, float]:
    """The processor seconds of each process for one unit of work, of which all rounds together did `units`.

    The most expensive process comes first. The clock of a process has steps of 10 ms, so the sum of all rounds counts.
    """
    found: dict[str, float] = {}
    for one in rounds:
        for name, seconds in one["processor"].items():
            found[name] = found.get(name, 0.0) + seconds / units
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def cost_per_gib(rounds: Rounds, size: int) -> dict[str, float]:
    return cost(rounds, len(rounds) * size / GIB)


def kernel_per_gib(rounds: Rounds, size: int) -> float:
    """The part of `cost_per_gib` that the kernel took."""
    return sum(one.get("kernel", 0.0) for one in rounds) / (len(rounds) * size / GIB)


def per_second(bursts: Rounds) -> float:
    """The calls a second: the median of the rounds."""
    return statistics.median(one["calls"] / one["taken"]["seconds"] for one in bursts)


def cost_per_call(bursts: Rounds) -> dict[str, float]:
    """The processor milliseconds of each process for one call."""
    calls = sum(one["calls"] for one in bursts)
    return cost([one["taken"] for one in bursts], calls / 1000)


def latency(bursts: Rounds, share: float) -> float:
    """The milliseconds within which this share of the calls of all rounds were answered."""
    return percentile((value for one in bursts for value in one["milliseconds"]), share)
