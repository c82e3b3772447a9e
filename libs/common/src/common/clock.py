"""The only clock of Python code, so that every moment carries its time zone and tests can replace it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC)
