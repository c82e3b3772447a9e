"""The steps of statistics, and the series that sums make."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from common.errors import InvalidInput
from share_service.statistics.model import Step, Sum, arranged, steps_between

NOW = datetime(2026, 3, 29, 12, 34, tzinfo=UTC)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("step", "begin", "end", "first", "last", "number"),
    [
        ("hour", None, None, at(28, 13), at(29, 12), 24),
        ("day", None, None, at(29) - timedelta(days=29), at(29), 30),
        ("hour", at(29, 1), at(29, 3), at(29, 1), at(29, 2), 2),
        ("day", at(1, 5), at(2, 1), at(1), at(2), 2),
        ("hour", datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=2))), at(29, 1), at(29), at(29), 1),
    ],
)
def test_steps_begin_at_whole_hours_and_days(
    step: Step, begin: datetime | None, end: datetime | None, first: datetime, last: datetime, number: int
) -> None:
    times = steps_between(step, begin, end, NOW)
    assert (times[0], times[-1], len(times)) == (first, last, number)


LATE, EARLY = datetime.max.replace(tzinfo=timezone(-timedelta(hours=23))), datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("begin", "end"), [(at(2), at(1)), (at(1), at(1)), (LATE, None), (None, LATE), (EARLY, None), (None, EARLY)]
)
def test_moments_that_make_no_steps_are_refused(begin: datetime | None, end: datetime | None) -> None:
    with pytest.raises(InvalidInput):
        steps_between("hour", begin, end, NOW)


def test_a_series_has_a_number_for_each_step() -> None:
    times = [at(1), at(2), at(3)]
    sums = [Sum(at(2), "uploads", "tus", 4), Sum(at(2), "uploads", "curl", 1), Sum(at(4), "uploads", "curl", 9)]
    found = arranged("day", times, [*sums, Sum(at(1), "unknown", "tus", 1)]).series
    assert found["uploads"].total == [0, 5, 0]
    assert found["uploads"].by_dialect == {"tus": [0, 4, 0], "curl": [0, 1, 0]}
    assert (found["failures"].total, found["failures"].by_dialect) == ([0, 0, 0], {})
