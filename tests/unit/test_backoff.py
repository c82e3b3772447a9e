from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from common.backoff import backoff

FIRST, LONGEST = timedelta(seconds=2), timedelta(minutes=10)


@given(st.integers(1, 10_000))
def test_each_failure_doubles_the_pause_up_to_the_longest_within_a_quarter(failures: int) -> None:
    expected = min(2 * 2 ** min(failures - 1, 40), 600)
    assert 0.75 * expected <= backoff(failures, FIRST, LONGEST).total_seconds() <= 1.25 * expected


def test_pauses_are_spread() -> None:
    assert len({backoff(3, FIRST, LONGEST) for _ in range(20)}) > 1
