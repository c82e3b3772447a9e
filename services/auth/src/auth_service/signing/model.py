"""Signing keys and signed tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SERVICE_TOKEN_LIFETIME = timedelta(minutes=5)

# A new key is published for this long before it signs, so that nobody receives a token before its key. It is longer
# than the second for which services do not ask again about a key that they do not know.
KEY_LEAD = timedelta(seconds=5)
# A key that no longer signs is published for this long: longer than any token is valid.
KEY_KEPT = timedelta(days=184)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key: the seed as `private_key`, and the `public_key` that others check with; 32 bytes each."""

    kid: str
    private_key: bytes
    public_key: bytes
    created_at: datetime
    """The moment from which it signs."""
    retired_at: datetime | None

    def signs(self, now: datetime) -> bool:
        return self.created_at <= now and (self.retired_at is None or self.retired_at > now)


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token by which its bearer identifies itself."""

    token: str
    expires_at: datetime
