"""Numbers about a process for Prometheus: counters, gauges and histograms, and their text (OpenMetrics 1.0).

A family is made once, at module level, by whoever counts. Its labels are few and have few values: a route's template,
a state, the name of a task. `MOST_SERIES` bounds them all the same; what comes after that is counted as `other`. No
label holds anything that a client chose.
"""

import math
import threading
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
MOST_SERIES = 500
OTHER = "other"
SECONDS = (0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0)
"""Bounds of histograms of times."""

Labels = tuple[str, ...]


class Family(ABC):
    """Series of one name, which differ in their labels."""

    kind = "unknown"

    def __init__(self, name: str, meaning: str, labels: Sequence[str] = ()) -> None:
        """`meaning`: one sentence, without an end of line."""
        self.name, self.meaning, self.labels = name, meaning, tuple(labels)
        self._lock = threading.Lock()
        FAMILIES[name] = self

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """The samples of the family as OpenMetrics writes them."""

    def names(self) -> set[str]:
        """The names of its samples."""
        return {self.name}

    def _known(self, labels: Labels, series: dict[Labels, float] | dict[Labels, list[float]]) -> Labels:
        assert len(labels) == len(self.labels), f"{self.name} has the labels {self.labels}"
        return labels if labels in series or len(series) < MOST_SERIES else (OTHER,) * len(labels)


FAMILIES: dict[str, Family] = {}
"""All families of this process, by their names."""


class _Number(Family):
    def __init__(self, name: str, meaning: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, meaning, labels)
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, *labels: str, by: float = 1) -> None:
        """Change the series with these labels."""
        with self._lock:
            known = self._known(labels, self._values)
            self._values[known] = self._values.get(known, 0.0) + by

    def value(self, *labels: str) -> float:
        return self._values.get(labels, 0.0)


class Counter(_Number):
    """A number that only grows while the process lives."""

    kind = "counter"

    def names(self) -> set[str]:
        return {f"{self.name}_total"}

    def lines(self) -> Iterator[str]:
        for labels, value in sorted(self._values.items()):
            yield f"{self.name}_total{_shown(self.labels, labels)} {_number(value)}"


class Gauge(_Number):
    """A number that comes and goes, or one that is looked up when it is asked for."""

    kind = "gauge"

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str] = (),
        *,
        look: Callable[[], dict[Labels, float]] | None = None,
    ) -> None:
        super().__init__(name, meaning, labels)
        self._look = look

    def clear(self) -> None:
        """Forget all series, because nobody knows them any more."""
        with self._lock:
            self._values = {}

    def set(self, *labels: str, to: float) -> None:
        with self._lock:
            self._values[self._known(labels, self._values)] = to

    def lines(self) -> Iterator[str]:
        values = self._look() if self._look else self._values
        for labels, value in sorted(values.items()):
            yield f"{self.name}{_shown(self.labels, labels)} {_number(value)}"


class Histogram(Family):
    """Counts the values that are at most each of some bounds, and their sum."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, labels: Sequence[str] = (), bounds: Sequence[float] = SECONDS) -> None:
        super().__init__(name, meaning, labels)
        self._bounds = (*bounds, math.inf)
        self._series: dict[Labels, list[float]] = {}

    def observe(self, value: float, *labels: str) -> None:
        with self._lock:
            # A count for each bound, then the sum.
            counts = self._series.setdefault(self._known(labels, self._series), [0.0] * (len(self._bounds) + 1))
            counts[bisect_left(self._bounds, value)] += 1
            counts[-1] += value

    def names(self) -> set[str]:
        return {f"{self.name}_{part}" for part in ("bucket", "count", "sum")}

    def lines(self) -> Iterator[str]:
        with self._lock:
            series = sorted((labels, tuple(counts)) for labels, counts in self._series.items())
        for labels, (*counts, total) in series:
            seen = 0.0
            for bound, count in zip(self._bounds, counts, strict=True):
                seen += count
                shown = _shown((*self.labels, "le"), (*labels, _bound(bound)))
                yield f"{self.name}_bucket{shown} {_number(seen)}"
            yield f"{self.name}_count{_shown(self.labels, labels)} {_number(seen)}"
            yield f"{self.name}_sum{_shown(self.labels, labels)} {_number(total)}"


def exposition() -> str:
    """All families of this process."""
    lines: list[str] = []
    for family in sorted(FAMILIES.values(), key=lambda each: each.name):
        lines += [f"# TYPE {family.name} {family.kind}", f"# HELP {family.name} {family.meaning}", *family.lines()]
    return "\n".join([*lines, "# EOF", ""])


def _shown(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _bound(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else _number(bound, always_fraction=True)


def _number(value: float, *, always_fraction: bool = False) -> str:
    value = float(value)
    return str(int(value)) if value.is_integer() and not always_fraction else repr(value)
