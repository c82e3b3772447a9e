import pytest

from common.statuses import is_temporary


@pytest.mark.parametrize("status", [408, 421, 425, 429, 500, 502, 503, 504, 507, 599])
def test_the_same_request_may_succeed_later(status: int) -> None:
    assert is_temporary(status)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 410, 412, 413, 416, 422, 451])
def test_the_same_request_will_not_succeed_later(status: int) -> None:
    assert not is_temporary(status)
