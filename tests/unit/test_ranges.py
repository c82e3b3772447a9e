import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ranges import ByteRange, Unsatisfiable, parse_range, range_count

MALFORMED = ("", "bytes=-", "bytes=x-", "items=5-", "bytes = 5-", "bytes=٥-", "bytes=5", "bytes=5-9;", "Bytes=5-")
SEVERAL = ("bytes=5-9,20-30", "bytes=5-9, 0-1")


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
