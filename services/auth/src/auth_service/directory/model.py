"""Accounts, sessions, keys, and the rules that need no database."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from common.errors import Conflict, Forbidden, InvalidInput, Unauthenticated
from common.identity import Identity, Role

SERVICE_TOKEN_LIFETIME = timedelta(minutes=5)
SESSION_LIFETIME = timedelta(days=5)
BOT_LIFETIME = timedelta(seconds=15_552_000)
"""Half a year, for programs that nobody signs in again every few days."""

# A new key is published for this long before it signs, so that nobody meets a token before its key. Longer than the
# second for which services do not ask again for keys that they do not know.
KEY_LEAD = timedelta(seconds=5)
# How long a key that signs no more is still published: longer than any token lives.
KEY_KEPT = timedelta(days=184)

SESSIONS_AT_MOST = 50
API_KEYS_AT_MOST = 200
ADDRESS_REMEMBERED = timedelta(days=30)

ERASURE_PASSES = 2
# Between the passes: longer than any upload session is continued by someone who was let in before.
ERASURE_PAUSE = timedelta(hours=1)
# An erasure that failed, or whose worker died, is tried again after this.
ERASURE_AGAIN = timedelta(seconds=20)

NATIVE_PASSWORD_LENGTH = 8


class SessionKind(StrEnum):
    TOKEN = "token"  # noqa: S105  (no secret, but a kind of one)
    """A signed token names it."""
    OPAQUE = "opaque"
    """The token is only a random text."""


class NameTaken(Conflict):
    """This name is taken."""

    code = "name_taken"


class EmailTaken(Conflict):
    """This e-mail address is another account's."""

    code = "email_taken"


class RegistrationClosed(Forbidden):
    """Nobody can register here."""

    code = "registration_closed"


class PasswordTooShort(InvalidInput):
    """The password is too short: 8 characters at least."""

    code = "password_too_short"


class WrongCredentials(Unauthenticated):
    """The name or the password is wrong."""

    code = "wrong_credentials"


class UnknownName(WrongCredentials):
    """The name or the password is wrong."""


class WrongPassword(WrongCredentials):
    """The name or the password is wrong."""


class WrongCurrentPassword(Forbidden):
    """The current password is wrong."""

    code = "wrong_password"


class LastAdministrator(Conflict):
    """The last administrator has to stay one."""

    code = "last_administrator"


class TooManyKeys(Conflict):
    """An account has 200 API keys at most."""

    code = "too_many_keys"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key. `private_key` is its seed, `public_key` what others check with; 32 bytes each."""

    kid: str
    private_key: bytes
    public_key: bytes
    created_at: datetime
    """When it begins to sign."""
    retired_at: datetime | None

    def signs(self, now: datetime) -> bool:
        return self.created_at <= now and (self.retired_at is None or self.retired_at > now)


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token that someone shows to say who they are."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stands in the database."""

    id: UUID
    name: str
    email: str | None
    password_hash: str
    role: Role
    profile: dict[str, Any]
    created_at: datetime

    @property
    def avatar_url(self) -> str | None:
        """An address of a picture, as its owner gave it; None: there is none."""
        return self.profile.get("avatar_url") or None

    def identity(self, credential_id: UUID, expires_at: datetime | None) -> Identity:
        return Identity(self.id, self.name, self.role, credential_id, expires_at)


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it stands in the database. `expires_at` None: never."""

    id: UUID
    account_id: UUID
    kind: SessionKind
    label: str
    opaque_digest: bytes | None
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of an API key and its token."""

    id: UUID
    account_id: UUID
    name: str
    key_digest: bytes
    token_digest: bytes
    hint: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An API key and its token, as their owner sees them once."""

    api_key: str
    api_token: str

    @staticmethod
    def new() -> "KeyPair":
        """32 lower-case hex digits each, as the clients of MirrorAce expect."""
        return KeyPair(secrets.token_hex(16), secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account, and the token of a session that was opened for it. `expires_at` None: never."""

    account: Account
    session_id: UUID
    token: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a service has yet to erase of an account that is gone."""

    account_id: UUID
    service: str
    passes_left: int
