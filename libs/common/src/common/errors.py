"""The errors that use cases raise. Each has a stable code; each protocol renders them in its own form.

An exception's docstring is its default message.
"""

from datetime import timedelta


class DomainError(Exception):
    """The request cannot be carried out."""

    code = "error"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(self.message)


class InvalidInput(DomainError):
    """The request is not well formed."""

    code = "invalid_input"


class Unauthenticated(DomainError):
    """Credentials are missing or not valid."""

    code = "unauthenticated"
    challenge = "Bearer"
    """The credentials that would be accepted, in the syntax of `WWW-Authenticate`."""


class Forbidden(DomainError):
    """This is not allowed."""

    code = "forbidden"


class NotFound(DomainError):
    """There is no such thing."""

    code = "not_found"


class Gone(DomainError):
    """It was here and has been removed."""

    code = "gone"


class Conflict(DomainError):
    """Another request is changing the same thing."""

    code = "conflict"


class TooLarge(DomainError):
    """The content is larger than the limit."""

    code = "too_large"


class TooSlow(DomainError):
    """The content did not arrive in time."""

    code = "too_slow"


class NotReady(DomainError):
    """The content is still being verified."""

    code = "not_ready"
    retry_after = timedelta(seconds=2)


class RateLimited(DomainError):
    """Too many requests."""

    code = "rate_limited"

    def __init__(self, message: str | None = None, *, retry_after: timedelta = timedelta(seconds=60)) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageFull(DomainError):
    """There is no room left to store this."""

    code = "storage_full"


class Unavailable(DomainError):
    """A part of the system that this needs is not answering."""

    code = "unavailable"
    retry_after = timedelta(seconds=5)
