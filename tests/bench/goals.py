"""The aims of this system on two cores, beside the figures of a report. docs/operate.md shows them."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench import large, on_s3, rooms
from tests.bench.peers import tus_node
from tests.bench.quantities import cost_per_gib, per_second, percentile, ratio
from tests.bench.systems import FORM, UNSYNCED

Report = Mapping[str, Any]
HEAD = ("on two cores", "measured", "aim", "")


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure, and the bound that it should keep."""

    name: str
    measured: Callable[[Report], float]
    at_least: float | None = None
    at_most: float | None = None

    def reached(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


def _ratio(path: str, yardstick: str, part: str = "large") -> Callable[[Report], float]:
    return lambda report: ratio(report[part][path], report[part][yardstick])


def _cost(path: str) -> Callable[[Report], float]:
    return lambda report: sum(cost_per_gib(report["large"][path], report["options"]["size"]).values())


def _value(*keys: str) -> Callable[[Report], float]:
    def value(report: Report) -> float:
        found: Any = report
        for key in keys:
            found = found[key]
        return float(found)

    return value


def _per_second(name: str) -> Callable[[Report], float]:
    return lambda report: per_second(report["rooms"]["rates"][name])


def _frames(report: Report) -> float:
    return report["crowd"]["frames"] / report["crowd"]["accounts"]


def _joining(report: Report) -> float:
    return 1000 * sum(report["crowd"]["joining"]["processor"].values()) / report["crowd"]["joins"]


def _idle(report: Report) -> float:
    return sum(report["idle"]["mib"].values())


def _tokens(report: Report) -> float:
    pairs = zip(report["tokens"]["anonymous"], report["tokens"]["signed_in"], strict=True)
    return statistics.median(signed_in / anonymous for anonymous, signed_in in pairs)


def _mirrors(report: Report) -> float:
    pairs = zip(report["mirrors"]["plain"], report["mirrors"]["mirrored"], strict=True)
    return statistics.median(plain / mirrored for plain, mirrored in pairs)


def _administration(report: Report) -> float:
    return max(percentile(found, 0.99) for found in report["administration"]["milliseconds"].values())


GOALS = (
    Goal("processor seconds per GiB: upload by form", _cost(FORM), at_most=3.6),
    Goal("processor seconds per GiB: upload in chunks", _cost(large.CHUNKS), at_most=5.2),
    Goal("processor seconds per GiB: download", _cost(large.DOWNLOAD), at_most=0.7),
    Goal("speed: upload by form / `dd conv=fsync`", _ratio(FORM, large.DISK), at_least=0.9),
    Goal("speed: upload by form, `STORE_SYNC=0` / `@tus/server`", _ratio(UNSYNCED, tus_node.NAME), at_least=0.85),
    Goal("speed: four pieces of tus at once / one `PATCH`", _ratio(large.PIECES, large.PATCH), at_least=1.0),
    Goal("speed: one `PATCH` / `@tus/server`", _ratio(large.PATCH, tus_node.NAME), at_least=1.0),
    Goal("speed: direct part on S3 / the same `PUT` to S3", _ratio(on_s3.DIRECT, on_s3.PUT, "s3"), at_least=0.95),
    Goal("speed: one `PATCH` on S3 / `@tus/server` on S3", _ratio(on_s3.PATCH, on_s3.PEER, "s3"), at_least=2.0),
    Goal("speed: form on S3 / a `PUT` to S3", _ratio(on_s3.FORM, on_s3.PUT, "s3"), at_least=0.8),
    Goal("speed: chunks on S3, verified / a `PUT` to S3", _ratio(on_s3.CHUNKS, on_s3.PUT, "s3"), at_least=0.6),
    Goal("speed: download from S3 / a `GET` from S3", _ratio(on_s3.DOWNLOAD, on_s3.GET, "s3"), at_least=0.9),
    Goal("speed: `waystation send` / curl", _ratio(large.COMMAND, large.CURL), at_least=0.9),
    Goal("speed: download / copyparty's", _ratio(large.DOWNLOAD, large.PEER_DOWNLOAD), at_least=0.5),
    Goal("speed: copy to a mirror, verified there / plain copy, not verified", _mirrors, at_least=0.4),
    Goal("time of a small request: signed in / anonymous", _tokens, at_most=1.15),
    Goal("room posts a second", _per_second(rooms.POST), at_least=1800),
    Goal("room reads a second", _per_second(rooms.READ), at_least=2100),
    Goal("messages to many sockets in one room: lost", _value("rooms", "deliveries", "lost"), at_most=0),
    Goal(
        "messages to many sockets in one room: ms until 99 % have arrived",
        _value("rooms", "deliveries", "percentile_99_ms"),
        at_most=500,
    ),
    Goal("a room of many accounts: frames while they come, for each", _frames, at_most=5),
    Goal("a room of many accounts: processor ms of one more that joins while all listen", _joining, at_most=4),
    Goal(
        "a room of many accounts: ms until 99 % of 20 messages a second have arrived",
        _value("crowd", "percentile_99_ms"),
        at_most=250,
    ),
    Goal(
        "lists, searches and sums of all shares: ms, 99 % of the slowest",
        _administration,
        at_most=1000,
    ),
    Goal("idle memory, MiB", _idle, at_most=550),
    Goal("growth in MiB of the upload service: eight uploads by form", _value("growth_mib", "form"), at_most=64),
    Goal("growth in MiB of the upload service: eight uploads in chunks", _value("growth_mib", "chunks"), at_most=64),
    Goal("growth in MiB of the worker: mirroring", _value("mirrors", "growth_mib"), at_most=64),
    Goal("seconds to start with data", _value("start", "again", "seconds"), at_most=6),
)


def render(report: Report) -> str:
    """A row for each goal of which the report has the figures."""
    rows = [HEAD, *(_row(goal, value) for goal in GOALS if (value := _measured(goal, report)) is not None)]
    rows.insert(1, ("---",) * len(HEAD))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _measured(goal: Goal, report: Report) -> float | None:
    try:
        return goal.measured(report)
    except (KeyError, TypeError):
        return None  # This part was not measured.


def _row(goal: Goal, value: float) -> tuple[str, ...]:
    word, bound = ("at least", goal.at_least) if goal.at_least is not None else ("at most", goal.at_most)
    shown = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
    return goal.name, shown, f"{word} {bound:,}", "" if goal.reached(value) else "missed"
