"""The words of the pages for sizes, times and states."""

from datetime import UTC, datetime

from share_service.pages.model import Mirror
from share_service.shares.model import EndedFor

UNITS = ("KiB", "MiB", "GiB", "TiB")

ENDINGS: dict[EndedFor | None, str] = {
    "owner": "It was ended by its owner.",
    "administrator": "It was ended by an administrator.",
    "copyright": "It was ended by an administrator for reasons of copyright.",
    None: "Its time is over, all of its downloads have been taken, or it was withdrawn.",
}


def size_text(size: int) -> str:
    """`1.5 MiB (1,572,864 bytes)`: base 1024, rounded to one place."""
    exact = f"{size:,} byte" + ("" if size == 1 else "s")
    if size < 1024:
        return exact
    value, unit = size / 1024, 0
    # A value that would be rounded to 1024.0 is 1.0 of the next unit.
    while value >= 1023.95 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {UNITS[unit]} ({exact})"


def time_text(moment: datetime) -> str:
    """`2026-03-01 12:30 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def end_text(expires_at: datetime | None, uses_left: int | None) -> str:
    """When a page ends: at a moment, after a number of downloads, whichever comes first, or never."""
    at = time_text(expires_at) if expires_at else ""
    if uses_left is None:
        return at or "not by itself"
    after = f"after {uses_left:,} more download" + ("" if uses_left == 1 else "s")
    return f"{at}, or {after}" if at else after


def mirror_text(mirror: Mirror, size: int) -> str:
    """The progress of a mirror with its copy of a file of `size` bytes."""
    match mirror.state:
        case "verified":
            return "copied and verified"
        case "copying":
            percent = min(100, mirror.bytes_done * 100 // size) if size else 0
            return f"being copied, {percent} %"
        case "queued":
            return "waiting"
        case "failed":
            return "failed, will be tried again"
