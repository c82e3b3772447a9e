import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ranges import ByteRange, Unsatisfiable, parse_range, range_count, starts_at_zero


@given(st.integers(1, 2**40), st.none() | st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_range_that_starts_later_is_no_new_download(first: int, last: int | None, size: int) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    assert not starts_at_zero(header, size)


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_suffix_starts_at_zero_when_it_is_as_long_as_the_file(suffix: int, size: int) -> None:
    assert starts_at_zero(f"bytes=-{suffix}", size) == (suffix >= size)


MALFORMED = ("", "bytes=-", "bytes=x-", "items=5-", "bytes = 5-", "bytes=٥-", "bytes=5", "bytes=5-9;", "Bytes=5-")
SEVERAL = ("bytes=5-9,20-30", "bytes=5-9, 0-1")
FROM_ZERO = (None, "bytes=0-", "bytes=0-99", "bytes=000-")


@pytest.mark.parametrize("header", [*MALFORMED, *SEVERAL, *FROM_ZERO])
def test_anything_but_one_later_range_is_a_new_download(header: str | None) -> None:
    assert starts_at_zero(header, 1000)


@given(st.text(max_size=30), st.integers(0, 1000))
def test_any_header_is_accepted(header: str, size: int) -> None:
    assert isinstance(starts_at_zero(header, size), bool)


def test_ranges_are_counted_by_their_commas() -> None:
    assert [range_count(header) for header in (None, "bytes=0-", "bytes=0-1,2-3,,4-5")] == [0, 1, 4]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=2-5", ByteRange(2, 6)),
        ("bytes=2-", ByteRange(2, 10)),
        ("bytes=2-99", ByteRange(2, 10)),
        ("bytes=-3", ByteRange(7, 10)),
        ("bytes=-99", ByteRange(0, 10)),
        ("bytes=5-3", None),
        *((header, None) for header in (None, *MALFORMED, *SEVERAL)),
    ],
)
def test_one_range_of_ten_bytes(header: str | None, expected: ByteRange | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-0", 10), ("bytes=-5", 0)])
def test_a_range_beyond_the_end_is_unsatisfiable(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


@given(st.text(max_size=30), st.integers(0, 1000))
def test_every_range_lies_within_the_content(header: str, size: int) -> None:
    try:
        asked = parse_range(header, size)
    except Unsatisfiable:
        return
    assert asked is None or 0 <= asked.start < asked.end <= size
