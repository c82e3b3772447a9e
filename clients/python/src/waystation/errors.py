"""The errors of this library. The docstring of each is the message that it has by default."""


class WaystationError(Exception):
    """Something went wrong."""

    code = "error"
    """A stable name, for programs."""

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        super().__init__(self.message)


class Temporary(WaystationError):
    """The same may succeed a little later."""

    code = "temporary"
    retry_after: float | None = None
    """The number of seconds that the server asks to wait."""


class Unreachable(Temporary):
    """The server cannot be reached, or the connection broke off."""

    code = "unreachable"


class NotReady(Temporary):
    """The server is not ready for this yet."""

    code = "not_ready"


class Limited(WaystationError):
    """There were too many attempts. Try again later."""

    code = "limited"

    def __init__(self, message: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(WaystationError):
    """The server refuses this."""

    code = "refused"

    def __init__(self, message: str | None = None, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or self.code


class UnknownCode(Refused):
    """There is nothing under this code, or its time is over."""

    code = "unknown_code"


class NotFound(Refused):
    """The server does not have this."""

    code = "not_found"


class PasswordNeeded(Refused):
    """This needs a password."""

    code = "password_needed"


class PasswordWrong(Refused):
    """The password is wrong."""

    code = "password_wrong"


class NotSignedIn(Refused):
    """This needs an account. Sign in by `waystation login`."""

    code = "not_signed_in"


class NotAllowed(Refused):
    """This is not allowed."""

    code = "not_allowed"


class Conflict(Refused):
    """This contradicts what is there already."""

    code = "conflict"


class ServerFull(Refused):
    """The server has no room for this."""

    code = "too_large"


class BadAnswer(WaystationError):
    """The server gave an answer that makes no sense. Is it a Waystation server?"""

    code = "bad_answer"


class Damaged(WaystationError):
    """The content that arrived differs from the one that was sent: the digests differ."""

    code = "damaged"


class SourceChanged(WaystationError):
    """The file changed while it was sent. Nothing was shared."""

    code = "source_changed"


class NoRoom(WaystationError):
    """The disk is full. Make room and run the same again; it goes on where it stopped."""

    code = "no_room"


class Unusable(WaystationError):
    """This cannot be used."""

    code = "unusable"
