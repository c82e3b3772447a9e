"""HTTP statuses: the status of each error, and the statuses after which a request is worth another try."""

import re
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from math import ceil

from common import clock, errors
from common.errors import DomainError

STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.TooSlow, 408),
    (errors.Conflict, 409),
    (errors.Gone, 410),
    (errors.TooLarge, 413),
    (errors.NotReady, 425),
    (errors.RateLimited, 429),
    (errors.Unavailable, 503),
    (errors.StorageFull, 507),
    (errors.InvalidInput, 400),
)

_SECONDS = re.compile("[0-9]{1,9}")
_TEMPORARY = (408, 421, 425, 429)


def is_temporary(status: int) -> bool:
    """Whether the same request may succeed later, judged by the status of its answer."""
    return status >= 500 or status in _TEMPORARY


def retry_after(header: str | None) -> timedelta | None:
    """The pause that a `Retry-After` header asks for, in seconds or as a date (RFC 9110, section 10.2.3).

    None if it asks for none, or makes no sense.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(timedelta(0), date.replace(tzinfo=date.tzinfo or UTC) - clock.now())


def status_of(error: DomainError) -> int:
    """The HTTP status of an error in the native API; 500 for errors that should have been handled earlier."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def headers_of(error: DomainError) -> dict[str, str]:
    """The headers of an error: `Retry-After` if it names a time, `WWW-Authenticate` for missing credentials."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": error.challenge}
    retry_after: timedelta | None = getattr(error, "retry_after", None)
    return {"Retry-After": str(ceil(retry_after.total_seconds()))} if retry_after else {}
