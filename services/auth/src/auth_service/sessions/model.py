"""Sessions, and the errors of signing in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from auth_service.directory.model import Account
from common.credentials import session_name
from common.errors import Forbidden, NotFound, Unauthenticated

SESSION_LIFETIME = timedelta(days=5)
BOT_LIFETIME = timedelta(seconds=15_552_000)
"""Half a year, for programs that nobody signs in again every few days."""

SESSIONS_AT_MOST = 50
LABEL_LENGTH = 100
ADDRESS_REMEMBERED = timedelta(days=30)


class WrongCredentials(Unauthenticated):
    """The name or the password is wrong."""

    code = "wrong_credentials"


class UnknownName(WrongCredentials):
    """The name or the password is wrong."""


class WrongPassword(WrongCredentials):
    """The name or the password is wrong."""


class AccountSuspended(Forbidden):
    """This account is suspended."""

    code = "account_suspended"


class WrongCurrentPassword(Forbidden):
    """The current password is wrong."""

    code = "wrong_password"


class SessionNotFound(NotFound):
    """There is no such session."""

    code = "session_not_found"


class SessionKind(StrEnum):
    TOKEN = "token"  # noqa: S105  (no secret, but a kind of one)
    """A signed token names it."""
    OPAQUE = "opaque"
    """Its token is only a random text. An account has one such session at most: a new one replaces it."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is stored. `expires_at` None: never."""

    id: UUID
    account_id: UUID
    kind: SessionKind
    label: str
    opaque_digest: bytes | None
    created_at: datetime
    expires_at: datetime | None

    @property
    def credential_name(self) -> str:
        """The name of the session's credential in the cache."""
        if self.kind is SessionKind.TOKEN:
            return session_name(self.id)
        assert self.opaque_digest is not None
        return f"opaque:{self.opaque_digest.hex()}"


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that is to be opened. `lifetime` None: for ever; `label`: its owner recognises the client by it."""

    kind: SessionKind
    lifetime: timedelta | None
    label: str

    @staticmethod
    def token(label: str, *, bot: bool = False) -> "Grant":
        """A signed token, of five days or of half a year."""
        return Grant(SessionKind.TOKEN, BOT_LIFETIME if bot else SESSION_LIFETIME, label)

    @staticmethod
    def opaque(label: str, *, lifetime: timedelta | None = None) -> "Grant":
        """A random text that is valid until it is signed out or replaced, but for no longer than `lifetime`."""
        return Grant(SessionKind.OPAQUE, lifetime, label)


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that was just opened, with its token. `expires_at` None: never."""

    account: Account
    token: str
    expires_at: datetime | None
