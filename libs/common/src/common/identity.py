"""The account of a caller as every service sees it, and the errors of credentials."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from common.errors import Unauthenticated


class Role(StrEnum):
    USER = "user"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Identity:
    """An account that signed in with a credential: a session or an API key."""

    account_id: UUID
    name: str
    role: Role
    credential_id: UUID
    """The id of the session or API key."""
    expires_at: datetime | None
    """When the credential expires; None if never."""

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR

    def is_over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def to_json(self) -> str:
        """The JSON text for caches and internal answers."""
        expires_at = self.expires_at.timestamp() if self.expires_at else None
        values = {"account_id": self.account_id.hex, "name": self.name, "role": self.role, "expires_at": expires_at}
        return json.dumps({**values, "credential_id": self.credential_id.hex})

    @staticmethod
    @lru_cache(maxsize=1024)
    def from_json(text: str | bytes) -> "Identity":
        """The account that `to_json` made this text of; made once for the many requests of busy accounts."""
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
    """The Authorization header is malformed."""

    code = "credentials_malformed"


class TokenInvalid(CredentialError):
    """The token is not valid."""

    code = "token_invalid"


class TokenExpired(CredentialError):
    """The token has expired."""

    code = "token_expired"


class TokenRevoked(CredentialError):
    """The token was signed out, replaced or revoked."""

    code = "token_revoked"
