"""The only clock of Python code: all its times have a time zone, and tests can replace it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


def in_json(moment: datetime) -> str:
    """A time as JSON has it (RFC 3339, in UTC, with milliseconds)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
