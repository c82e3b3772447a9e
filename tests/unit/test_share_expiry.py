import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.dialects.filecodebox import render
from common.errors import DomainError
from common.expiry import STYLES, UNITS, WEEK, Expiry
from common.policy import Policy
from share_service.settings import PolicySettings
from share_service.shares.model import Share, is_code

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def policy(**changes: Any) -> Policy:
    return PolicySettings.model_validate({"database_url": "unused", **changes}).policy()


def share(**changes: Any) -> Share:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "number": 1,
        "kind": "code",
        "code": "ABCDE",
        "content_kind": "file",
        "owner": None,
        "password_hash": None,
        "file_id": uuid4(),
        "name": "a.bin",
        "size": 1,
        "body": None,
        "state": "active",
        "expires_at": None,
        "uses_left": None,
        "used_count": 0,
        "created_at": NOW,
        "ended_for": None,
    }
    return Share(**{**fields, **changes})


def refusal(style: str, value: int, allowed: Policy) -> tuple[int, str]:
    """The status and text of FileCodeBox's answer to an expiry that is refused."""
    with pytest.raises(DomainError) as refused:
        allowed.expiry_of(style, value, NOW)
    answer = render(refused.value)
    return answer.status_code, json.loads(bytes(answer.body))["detail"]


def outcome(style: str, value: int, allowed: Policy) -> Expiry | int:
    """The expiry that `style` and `value` mean, or the status with which they are refused."""
    try:
        return allowed.expiry_of(style, value, NOW)
    except DomainError as refused:
        return render(refused).status_code


@given(st.sampled_from(sorted(UNITS)), st.integers(1, 20_000), st.integers(0, 10_000_000))
def test_a_timed_share_lives_for_its_value_within_the_longest_time(style: str, value: int, longest: int) -> None:
    lifetime = value * UNITS[style]
    limit = timedelta(seconds=longest) if longest else WEEK
    expected = 403 if lifetime > limit else Expiry(NOW + lifetime, None)
    assert outcome(style, value, policy(max_save_seconds=longest)) == expected


@given(st.integers(1, 2**31 - 1))
def test_a_counted_share_ends_after_its_uses_or_a_day(value: int) -> None:
    expiry = policy().expiry_of("count", value, NOW)
    assert (expiry.at, expiry.uses) == (NOW + timedelta(days=1), value)


@given(st.sampled_from(STYLES) | st.text(max_size=12), st.integers())
def test_any_style_and_value_are_either_refused_or_accepted(style: str, value: int) -> None:
    understood = outcome(style, value, policy())
    if isinstance(understood, int):
        assert understood in (400, 403)
    else:
        assert style in STYLES
        assert understood.at is None or understood.at > NOW


def test_exactly_a_week_is_accepted_and_a_minute_more_is_refused() -> None:
    assert policy().expiry_of("day", 7, NOW).at == NOW + WEEK
    assert refusal("minute", 7 * 24 * 60 + 1, policy()) == (403, "限制最长时间为 7，可换用其他方式")


def test_forever_is_always_accepted_but_a_count_is_refused_if_a_day_is_too_long() -> None:
    short = policy(max_save_seconds=3600)
    assert short.expiry_of("forever", 1, NOW).at is None
    assert refusal("count", 1, short)[0] == 403


def test_a_disabled_style_is_refused() -> None:
    assert refusal("forever", 1, policy(expire_styles="day,count")) == (400, "Invalid expiration type")


@pytest.mark.parametrize("styles", ["", " , ", "day,week"])
def test_the_service_does_not_start_with_an_invalid_list_of_styles(styles: str) -> None:
    with pytest.raises(ValueError, match="EXPIRE_STYLES"):
        policy(expire_styles=styles)


@given(
    st.sampled_from(["active", "spent", "ended", "released"]),
    st.none() | st.integers(-100, 100).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
def test_an_expired_share_is_not_served(state: str, expires_at: datetime | None) -> None:
    one = share(state=state, expires_at=expires_at)
    if expires_at is not None and expires_at <= NOW:
        assert not one.is_resumable(NOW)
    if one.is_redeemable(NOW):
        assert one.is_resumable(NOW)
    if state in ("ended", "released"):
        assert not one.is_resumable(NOW)


@given(st.text(max_size=8))
def test_a_code_consists_of_five_capitals_and_digits(text: str) -> None:
    assert is_code(text) == (len(text) == 5 and text.isascii() and text.isalnum() and text == text.upper())
