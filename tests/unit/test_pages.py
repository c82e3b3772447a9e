"""Cursors as clients get them and send them back."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.pages import Cursor

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, st.uuids())
def test_a_cursor_survives_the_conversion_to_text(moment: datetime, row_id: UUID) -> None:
    text = str(Cursor(moment, row_id))
    assert Cursor.parse(text) == Cursor(moment, row_id)
    assert text.isascii()
    assert not set(text) & set("+/=&?#% ")


@given(
    st.text() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=", min_size=31, max_size=33)
)
def test_any_text_is_either_refused_or_a_cursor(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except InvalidInput:
        return
    assert str(cursor) == text


@pytest.mark.parametrize("text", ["", "A" * 31, "A" * 33, "A" * 28, "ä" * 32, "A" * 28 + "====", "f" * 32])
def test_a_malformed_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Cursor.parse(text)
