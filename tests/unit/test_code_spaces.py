"""Codes that are few: how many wrong ones a day an address may try, against how many there are."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from share_service.shares.model import CodeRefused, canonical, check_chosen, is_possible
from share_service.shares.spaces import Space, space_of

A_MINUTE = 10
DAY = timedelta(days=1) // timedelta(minutes=1)
CHOSEN = st.from_regex(r"[A-Za-z0-9_-]{4,64}", fullmatch=True)


@given(CHOSEN | st.from_regex(r"[0-9]{4,12}", fullmatch=True))
def test_a_day_of_guesses_finds_a_code_with_a_probability_of_one_in_a_thousand(code: str) -> None:
    space = space_of(code)
    assert space
    assert min(space.wrong_of_address, A_MINUTE * DAY) / space.size <= 1 / 1000
    assert space.wrong_of_everybody / space.size <= 1 / 100
    assert space_of(code.swapcase()) == space, "they are the same code"


@pytest.mark.parametrize(
    ("code", "of_address"),
    [("123", 10), ("1234", 10), ("12345", 100), ("1234567", 10_000), ("abc", 46), ("a234", 1679), ("A2345", 60_466)],
)
def test_wrong_codes_follow_the_number_of_codes(code: str, of_address: int) -> None:
    space = space_of(code)
    assert space
    assert (space.wrong_of_address, space.wrong_of_everybody) == (of_address, 10 * of_address)


@pytest.mark.parametrize("code", ["", "1", "12", "1" * 65, "a b c", "..", "a/b", "a%2Fb", "кофе", "１２３４", "a\0bc"])
def test_what_is_no_code_searches_nothing(code: str) -> None:
    assert space_of(code) is None


@pytest.mark.parametrize("code", ["ſ123", "ı123", "ﬁ12", "ﬅ12"])
def test_no_code_is_tried_without_being_counted(code: str) -> None:
    assert is_possible("code", code.upper()), "its capital letters look like a code"
    assert not is_possible("code", canonical("code", code))


def test_spaces_have_names_of_their_own() -> None:
    names = {Space(length, digits).name for length in range(3, 65) for digits in (True, False)}
    assert len(names) == 2 * 62


@pytest.mark.parametrize(
    "code",
    [
        *(
            "",
            "1",
            "12",
            "abc",
            "admin",
            "ADMIN",
            "Api",
            "well-known",
            "..",
            "../x",
            "....",
            "a/bc",
            "a%2Fb",
            "a%252Fb",
        ),
        *(
            "a\\bcd",
            "a?bcd",
            "a#bcd",
            "a b c",
            "abcd\n",
            "\0abcd",
            "аdmin",
            "ａｄｍｉｎ",
            "１２３４",
            "a" * 65,
            "caf\u00e9",
        ),
    ],
)
def test_codes_that_would_mislead_people_or_routers_cannot_be_chosen(code: str) -> None:
    with pytest.raises(CodeRefused, match="4 to 64"):
        check_chosen(code, 4)


def test_the_policy_sets_the_least_length() -> None:
    check_chosen("abc", 3)
    with pytest.raises(CodeRefused, match="8 to 64"):
        check_chosen("abcdefg", 8)
