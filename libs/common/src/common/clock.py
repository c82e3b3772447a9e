"""The one way to ask what time it is, so that every moment in the system carries its time zone."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC)
