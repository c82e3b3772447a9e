"""The only clock of Python code: all its times have a time zone, and tests can replace it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)
