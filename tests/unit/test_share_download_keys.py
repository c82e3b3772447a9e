from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from share_service.downloads.keys import LIFETIME, BadKey, DownloadKeys, address_holder

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEYS = DownloadKeys("a secret of some length")

codes = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=5, max_size=5)


@given(codes)
def test_an_issued_key_is_64_hex_digits_and_opens_its_code(code: str) -> None:
    key = KEYS.issue(code, NOW)
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")
    assert KEYS.check(key, code).issued_at == NOW


@given(codes, codes)
def test_a_key_opens_no_other_code(code: str, other: str) -> None:
    key = KEYS.issue(code, NOW)
    if code != other:
        with pytest.raises(BadKey):
            KEYS.check(key, other)


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_a_key_with_one_digit_changed_opens_nothing(position: int, digit: str) -> None:
    key = KEYS.issue("ABCDE", NOW)
    if key[position] != digit:
        with pytest.raises(BadKey):
            KEYS.check(key[:position] + digit + key[position + 1 :], "ABCDE")


@given(st.text(max_size=80))
def test_made_up_keys_open_nothing(key: str) -> None:
    with pytest.raises(BadKey):
        KEYS.check(key, "ABCDE")


def test_other_spellings_of_a_key_are_refused_so_that_it_has_one_holder() -> None:
    key = KEYS.issue("ABCDE", NOW)
    for spelling in (key.upper(), f" {key}", f"{key}\n", " ".join(key[i : i + 2] for i in range(0, 64, 2))):
        if spelling != key:
            with pytest.raises(BadKey):
                KEYS.check(spelling, "ABCDE")


def test_each_issued_key_and_its_holder_are_unique() -> None:
    keys = {KEYS.issue("ABCDE", NOW) for _ in range(100)}
    assert len(keys) == 100
    assert len({KEYS.check(key, "ABCDE").holder for key in keys}) == 100


def test_a_key_stands_for_the_password_that_was_shown_for_it_alone() -> None:
    key = KEYS.check(KEYS.issue("ABCDE", NOW, password_hash="$argon2id$one"), "ABCDE")
    assert key.opens("$argon2id$one")
    assert not key.opens("$argon2id$other")
    assert not KEYS.check(KEYS.issue("ABCDE", NOW), "ABCDE").opens("$argon2id$one")


def test_keys_signed_with_another_secret_open_nothing() -> None:
    with pytest.raises(BadKey):
        KEYS.check(DownloadKeys("another secret of some length").issue("ABCDE", NOW), "ABCDE")


def test_a_key_starts_downloads_for_half_an_hour() -> None:
    key = KEYS.check(KEYS.issue("ABCDE", NOW), "ABCDE")
    assert timedelta(seconds=1800) == LIFETIME
    assert key.may_start(NOW + LIFETIME)
    assert not key.may_start(NOW + LIFETIME + timedelta(seconds=1))


def test_holders_of_addresses_differ_from_holders_of_keys() -> None:
    assert address_holder("192.0.2.1") != address_holder("192.0.2.2")
    assert len(address_holder("192.0.2.1")) == 32
