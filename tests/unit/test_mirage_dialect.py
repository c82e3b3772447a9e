"""Mirage's bodies, ids, times and errors, which three services share."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from common import errors
from common.dialects import mirage
from common.dialects.mirage import Refused


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (5, 5),
        (0, 0),
        ("5", 5),
        (" 42 ", 42),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (-1, None),
        ("-1", None),
        ("9" * 30, None),
        ("٣", None),
        ("5.0", None),
        (5.0, None),
        (True, None),
        (None, None),
        ("", None),
        ([5], None),
    ],
)
def test_an_id_is_a_number_or_a_string_of_digits(sent: object, number: int | None) -> None:
    assert mirage.number_of(sent) == number


def test_times_of_rows_are_texts_in_utc() -> None:
    assert mirage.row_time(datetime(2026, 2, 3, 4, 5, 6, 999_999, UTC)) == "2026-02-03 04:05:06"
    elsewhere = datetime(2026, 2, 3, 1, 0, 0, 0, timezone(timedelta(hours=2)))
    assert mirage.row_time(elsewhere) == "2026-02-02 23:00:00"


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (
            Refused(404, "recipient not found", erorr="recipient not found"),
            404,
            b'{"error":"recipient not found","erorr":"recipient not found"}',
        ),
        (errors.InvalidInput("malformed JSON"), 400, b'{"error":"malformed JSON"}'),
        (errors.TooLarge("too much"), 413, b'{"error":"too much"}'),
        (errors.Unavailable("not now"), 503, b'{"error":"not now"}'),
    ],
)
def test_every_error_is_a_text_under_the_same_name(error: errors.DomainError, status: int, body: bytes) -> None:
    answer = mirage.render(error)
    assert (answer.status_code, bytes(answer.body)) == (status, body)
    assert ("retry-after" in answer.headers) == (status == 503)


def test_the_default_picture_is_a_data_url() -> None:
    assert mirage.DEFAULT_AVATAR.startswith("data:image/svg+xml;base64,")
    assert not set("\"'<> _*`") & set(mirage.DEFAULT_AVATAR)
