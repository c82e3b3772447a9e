"""Series of sums over time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from common.errors import InvalidInput
from common.statistics import DIALECTS, HOUR, NAMES, Sums

HOURS_KEPT = timedelta(days=400)
"""How long hours are kept; days are kept for good."""
STEPS_AT_MOST = 1000

Step = Literal["hour", "day"]
LENGTHS: dict[Step, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
DEFAULT_STEPS: dict[Step, int] = {"hour": 24, "day": 30}

_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over an hour or a day that begins at `at`."""

    at: datetime
    name: str
    dialect: str
    value: int


@dataclass(slots=True)
class Series:
    """The values of one name, one for each step."""

    total: list[int]
    by_dialect: dict[str, list[int]] = field(default_factory=dict[str, list[int]])


@dataclass(frozen=True, slots=True)
class Statistics:
    """All series between two moments."""

    step: Step
    times: list[datetime]
    """The beginnings of the steps."""
    series: dict[str, Series]


def steps_between(step: Step, begin: datetime | None, end: datetime | None, now: datetime) -> list[datetime]:
    """The beginnings of the steps between two moments, the last of which may have begun before `end`.

    Without `end` they go up to now; without `begin` there are `DEFAULT_STEPS`. Raises `InvalidInput`.
    """
    length = LENGTHS[step]
    last = _aligned(end or now, step) if end is None or end != _aligned(_checked(end), step) else end - length
    first = _aligned(_checked(begin), step) if begin else last - (DEFAULT_STEPS[step] - 1) * length
    number = (last - first) // length + 1
    if not 0 < number <= STEPS_AT_MOST:
        raise InvalidInput(f"from and to: at least one step and at most {STEPS_AT_MOST} lie between them")
    return [first + count * length for count in range(number)]


def arranged(step: Step, times: list[datetime], sums: Sequence[Sum]) -> Statistics:
    """The sums as series, with 0 where there is none."""
    places = {at: place for place, at in enumerate(times)}
    series = {name: Series([0] * len(times)) for name in NAMES}
    for one in sums:
        if one.name not in series or one.at not in places:
            continue
        found, place = series[one.name], places[one.at]
        found.total[place] += one.value
        found.by_dialect.setdefault(one.dialect, [0] * len(times))[place] += one.value
    return Statistics(step, times, series)


def sums_of(counts: Sums) -> list[Sum]:
    """The sums that services have handed over. What no version of this program knows is left out."""
    found: list[Sum] = []
    for text, value in counts.items():
        seconds, _, rest = text.partition(":")
        name, _, dialect = rest.partition(":")
        if seconds.isdecimal() and len(seconds) < 12 and name in NAMES and dialect in DIALECTS:
            at = datetime.fromtimestamp(int(seconds) // HOUR * HOUR, UTC)
            found.append(Sum(at, name, dialect, value))
    return found


def _checked(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= _LATEST:
        raise InvalidInput("from and to: a moment between 1970 and 9999 is needed")
    return moment


def _aligned(moment: datetime, step: Step) -> datetime:
    moment = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return moment.replace(hour=0) if step == "day" else moment
