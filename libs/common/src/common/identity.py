"""Who someone is: an account, as every service sees it, and what says that a request comes from it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from common.errors import Unauthenticated


class Role(StrEnum):
    USER = "user"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Identity:
    """An account that proved itself by a credential: a session or an API key."""

    account_id: UUID
    name: str
    role: Role
    credential_id: UUID
    """The session, or the API key."""
    expires_at: datetime | None
    """When the credential ends by itself; None: never."""

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR

    def is_over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def to_json(self) -> str:
        """How caches and internal answers carry it."""
        expires_at = self.expires_at.timestamp() if self.expires_at else None
        values = {"account_id": self.account_id.hex, "name": self.name, "role": self.role, "expires_at": expires_at}
        return json.dumps({**values, "credential_id": self.credential_id.hex})

    @staticmethod
    def from_json(text: str | bytes) -> "Identity":
        values = cast("dict[str, Any]", json.loads(text))
        expires_at = values["expires_at"]
        return Identity(
            UUID(values["account_id"]),
            values["name"],
            Role(values["role"]),
            UUID(values["credential_id"]),
            None if expires_at is None else datetime.fromtimestamp(expires_at, UTC),
        )


class CredentialError(Unauthenticated):
    """The credentials are not accepted."""


class CredentialsMissing(CredentialError):
    """No credentials were sent."""

    code = "credentials_missing"


class CredentialsMalformed(CredentialError):
    """The Authorization header is not of a form that is understood here."""

    code = "credentials_malformed"


class TokenInvalid(CredentialError):
    """This is no token of this system."""

    code = "token_invalid"


class TokenExpired(CredentialError):
    """The token's time is over."""

    code = "token_expired"


class TokenRevoked(CredentialError):
    """The token is not accepted any more: it was signed out, replaced or revoked."""

    code = "token_revoked"
