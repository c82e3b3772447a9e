"""The expiry of shares, and the styles of expiry that senders may choose."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import Forbidden, InvalidInput

WEEK = timedelta(days=7)
COUNT_LIFETIME = timedelta(days=1)
MAX_USES = 2**31 - 1
UNITS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
FOREVER, COUNT = "forever", "count"
STYLES = (*UNITS, FOREVER, COUNT)
"""The styles of expiry: after a time, never, or after a number of downloads."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """The end of a share: at a time, after a number of uses, whichever comes first, or never."""

    at: datetime | None
    uses: int | None


NEVER = Expiry(None, None)


def usual_style(offered: Collection[str]) -> str:
    """The style for senders that choose none: one of these units of time if any is offered, the longest first."""
    return next((style for style in (*UNITS, *offered) if style in offered), "day")


class ExpiryStyleRefused(InvalidInput):
    """This way to limit the life of a share is not offered."""

    code = "expiry_style_refused"


class ExpiryValueRefused(InvalidInput):
    """The value does not limit the life of a share."""

    code = "expiry_value_refused"


class ExpiryTooLong(Forbidden):
    """The share would live longer than allowed."""

    code = "expiry_too_long"

    def __init__(self, longest: timedelta) -> None:
        super().__init__()
        self.longest = longest


def expiry_of(style: str, value: int, *, allowed: Collection[str], max_seconds: int, now: datetime) -> Expiry:
    """The expiry that `value` units of `style` mean for a share made at `now`.

    `allowed`: the styles that are offered; `max_seconds`: the longest life, 0 for a week. Raises `ExpiryStyleRefused`,
    `ExpiryValueRefused`, `ExpiryTooLong`.
    """
    if style not in allowed or style not in STYLES:
        raise ExpiryStyleRefused
    if value < 1 and style != FOREVER:
        raise ExpiryValueRefused
    if style == FOREVER:
        return NEVER
    if style == COUNT and value > MAX_USES:
        raise ExpiryValueRefused
    # Compared as numbers, because a value of many digits cannot become a `timedelta` but is clearly too long.
    unit = COUNT_LIFETIME if style == COUNT else UNITS[style]
    lifetime_seconds = int(unit.total_seconds()) * (1 if style == COUNT else value)
    longest = longest_life(max_seconds)
    if lifetime_seconds > longest.total_seconds():
        raise ExpiryTooLong(longest)
    return Expiry(now + timedelta(seconds=lifetime_seconds), value if style == COUNT else None)


def longest_life(max_seconds: int) -> timedelta:
    """The life that a limit of so many seconds allows; 0 stands for a week."""
    return timedelta(seconds=max_seconds) if max_seconds > 0 else WEEK
