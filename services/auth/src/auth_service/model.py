"""Signing keys and service tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

TOKEN_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key. `private_key` is its seed, `public_key` what others check with; 32 bytes each."""

    kid: str
    private_key: bytes
    public_key: bytes
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token that one service shows to another."""

    token: str
    expires_at: datetime
