"""The plan of an upload's parts, for all sizes."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.errors import InvalidInput, TooLarge
from common.store.limits import MAX_OBJECT_SIZE, MAX_PART_SIZE, MIB, MIN_PART_SIZE, S3_LIMITS, check_parts
from tests.unit.test_running_digests import session_of
from upload_service.content.model import MAX_SESSION_PARTS, Layout, PartIndexInvalid, plan_parts


@given(st.integers(0, MAX_OBJECT_SIZE), st.integers(1, MAX_PART_SIZE))
def test_a_plan_covers_every_byte_with_parts_that_s3_accepts(size: int, part_size: int) -> None:
    assume(size <= part_size * MAX_SESSION_PARTS)
    plan = plan_parts(size, part_size, S3_LIMITS)
    assert (plan.part_count - 1) * part_size < max(size, 1) <= max(plan.part_count, 1) * part_size
    if plan.layout is Layout.PARTS:
        last = size - (plan.part_count - 1) * part_size
        check_parts([part_size] * (plan.part_count - 1) + [last])


@pytest.mark.parametrize(
    ("size", "part_size", "layout", "count"),
    [
        (0, 5 * MIB, Layout.STAGED, 0),
        (1, 1, Layout.PARTS, 1),
        (MIN_PART_SIZE, MIN_PART_SIZE, Layout.PARTS, 1),
        (MIN_PART_SIZE + 1, MIN_PART_SIZE, Layout.PARTS, 2),
        (MIN_PART_SIZE, MIN_PART_SIZE - 1, Layout.STAGED, 2),
        (10_000 * MIN_PART_SIZE, MIN_PART_SIZE, Layout.PARTS, 10_000),
        (10_000 * MIN_PART_SIZE + 1, MIN_PART_SIZE, Layout.STAGED, 10_001),
    ],
)
def test_parts_belong_to_the_object_where_s3_allows_it(size: int, part_size: int, layout: Layout, count: int) -> None:
    plan = plan_parts(size, part_size, S3_LIMITS)
    assert (plan.layout, plan.part_count) == (layout, count)


@pytest.mark.parametrize(("size", "part_size"), [(-1, 1), (1, 0), (1, -5), (MAX_SESSION_PARTS + 1, 1)])
def test_invalid_sizes_are_refused(size: int, part_size: int) -> None:
    with pytest.raises(InvalidInput):
        plan_parts(size, part_size, S3_LIMITS)


@pytest.mark.parametrize(("size", "part_size"), [(MAX_OBJECT_SIZE + 1, MIN_PART_SIZE), (1, MAX_PART_SIZE + 1)])
def test_sizes_beyond_the_limits_of_s3_are_refused(size: int, part_size: int) -> None:
    with pytest.raises(TooLarge):
        plan_parts(size, part_size, S3_LIMITS)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_part_outside_the_plan_does_not_exist(index: int) -> None:
    with pytest.raises(PartIndexInvalid):
        session_of(3).part_length(index)
