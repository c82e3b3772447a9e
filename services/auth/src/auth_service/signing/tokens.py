"""Signing tokens, and the tokens of services."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_service.context import Context
from auth_service.signing.keys import usable_keys
from auth_service.signing.model import SERVICE_TOKEN_LIFETIME, SignedToken, SigningKey
from common import clock
from common.errors import Unauthenticated
from common.tokens.public_keys import ALGORITHM
from common.tokens.services import AUDIENCE


async def issue_service_token(context: Context, service: str, secret: str) -> SignedToken:
    """Exchange a service's secret for a token of a few minutes. Raises `Unauthenticated`."""
    check_secret(context.service_secrets, service, secret)
    now = clock.now()
    async with context.db.transaction() as connection:
        keys = await usable_keys(connection, now)
    return sign_service_token(keys, service, now)


def check_secret(secrets: Mapping[str, str], service: str, secret: str) -> None:
    """Raise `Unauthenticated` unless `secret` is the service's own. An unknown service takes as long as a known one."""
    known = secrets.get(service, "")
    # Comparing digests hides even the secret's length.
    same = hmac.compare_digest(hashlib.sha256(known.encode()).digest(), hashlib.sha256(secret.encode()).digest())
    if not (same and known):
        raise Unauthenticated("no such service, or not its secret")


def sign_service_token(keys: list[SigningKey], service: str, now: datetime) -> SignedToken:
    """A token that names the service it was issued to."""
    expires_at = now + SERVICE_TOKEN_LIFETIME
    return SignedToken(sign(keys, {"sub": service, "aud": AUDIENCE}, now, expires_at), expires_at)


def sign(keys: list[SigningKey], claims: dict[str, Any], now: datetime, expires_at: datetime) -> str:
    """A token with these claims, signed with the key whose turn it is at `now`."""
    # Where clocks differ, a key may be here that does not sign yet. Then it signs now: everyone else has it too.
    key = next((key for key in keys if key.signs(now)), keys[0])
    times = {"iat": int(now.timestamp()), "exp": int(expires_at.timestamp())}
    private_key = Ed25519PrivateKey.from_private_bytes(key.private_key)
    return jwt.encode({**claims, **times}, private_key, ALGORITHM, {"kid": key.kid})
