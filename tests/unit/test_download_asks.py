"""The bytes that a request for a counted share asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ranges import ByteRange
from share_service.downloads.asks import HEAD_LIMIT, ask_of, head_of
from tests.unit.test_ranges import MALFORMED, SEVERAL


@pytest.mark.parametrize("header", [*MALFORMED, *SEVERAL, None])
def test_anything_but_one_range_asks_for_the_whole(header: str | None) -> None:
    ask = ask_of(header, None, 1000, is_counted=True)
    assert (ask.range, ask.length, ask.is_from_start, ask.head_length) == (None, 1000, True, 62)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-99", "bytes=000-", "bytes=-1000", "bytes=-9999"])
def test_a_range_that_includes_the_first_byte(header: str) -> None:
    ask = ask_of(header, None, 1000, is_counted=True)
    assert ask.is_from_start
    assert ask.head_length == 62


@given(st.integers(1, 2**40), st.none() | st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_later_range_is_never_from_the_start(first: int, last: int | None, size: int) -> None:
    ask = ask_of(f"bytes={first}-{'' if last is None else last}", None, size, is_counted=True)
    if ask.range is not None:
        assert not ask.is_from_start
        assert (ask.head_length > 0) == (first < min(max(1, size // 16), HEAD_LIMIT) and not ask.is_empty)
        assert ask.head_length <= ask.length


@given(st.integers(0, 100), st.integers(1, 100))
def test_a_suffix_is_from_the_start_when_it_is_as_long_as_the_file(suffix: int, size: int) -> None:
    ask = ask_of(f"bytes=-{suffix}", None, size, is_counted=True)
    assert ask.is_from_start == (suffix >= size)


@given(st.text(max_size=30), st.none() | st.text(max_size=10), st.integers(0, 1000), st.booleans())
def test_any_headers_are_accepted(header: str, if_range: str | None, size: int, is_counted: bool) -> None:
    ask = ask_of(header, if_range, size, is_counted=is_counted)
    assert 0 <= ask.length <= size
    if ask.length == size > 0:
        assert ask.head_length == head_of(size)


@pytest.mark.parametrize(
    ("header", "size", "is_probe"),
    [
        ("bytes=0-0", 1000, True),
        ("bytes=0-1", 1000, True),
        ("bytes=0-1", 16, True),
        ("bytes=0-1", 15, False),
        ("bytes=0-0", 8, True),
        ("bytes=0-0", 7, False),
        ("bytes=0-2", 1000, False),
        ("bytes=1-1", 1000, False),
        ("bytes=0-0,1-1", 1000, False),
        ("bytes=1000-", 1000, False),
    ],
)
def test_a_probe_is_a_byte_or_two_at_the_start(header: str, size: int, is_probe: bool) -> None:
    assert ask_of(header, None, size, is_counted=True).is_probe == is_probe


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=-0", "bytes=1000-2000"])
def test_a_range_beyond_the_end_asks_for_nothing(header: str) -> None:
    ask = ask_of(header, None, 1000, is_counted=True)
    assert (ask.range, ask.is_empty, ask.is_from_start, ask.head_length) == (ByteRange(1000, 1000), True, False, 0)


@pytest.mark.parametrize("validator", ['W/"a"', "zzz", '"zzz', "Sat, 21 Nov 2020 21:21:21 GMT", ""])
def test_a_range_with_a_validator_that_is_no_strong_tag_asks_for_the_whole(validator: str) -> None:
    assert ask_of("bytes=500-", validator, 1000, is_counted=True).range is None


def test_a_range_with_a_tag_stays_a_range_only_where_the_service_chooses_it() -> None:
    counted, other = (ask_of("bytes=500-", '"zzz"', 1000, is_counted=one) for one in (True, False))
    assert (counted.range, counted.is_conditional) == (ByteRange(500, 1000), True)
    assert (other.range, other.is_conditional) == (None, False)


@pytest.mark.parametrize(
    ("size", "head"), [(0, 0), (1, 1), (10, 1), (100, 6), (HEAD_LIMIT * 16, HEAD_LIMIT), (2**40, HEAD_LIMIT)]
)
def test_the_head_is_a_sixteenth_up_to_a_limit(size: int, head: int) -> None:
    assert head_of(size) == head
