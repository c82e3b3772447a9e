"""Signing keys, and the tokens that services get for their secrets."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_service import queries
from auth_service.model import TOKEN_LIFETIME, ServiceToken, SigningKey
from common.db import Connection
from common.errors import Unauthenticated
from common.http.service_tokens import ALGORITHM, AUDIENCE


async def signing_keys(connection: Connection, now: datetime) -> list[SigningKey]:
    """The keys whose tokens are still accepted; the first one that is not retired signs.

    The very first key is made here, by whichever process comes first; the others wait for it.
    """
    keys = await queries.valid_keys(connection, now - TOKEN_LIFETIME)
    if any(key.retired_at is None for key in keys):
        return keys
    await queries.lock_keys(connection)
    keys = await queries.valid_keys(connection, now - TOKEN_LIFETIME)
    if any(key.retired_at is None for key in keys):
        return keys
    new = _new_key(now)
    await queries.insert_key(connection, new)
    return [new, *keys]


def check_secret(secrets: Mapping[str, str], service: str, secret: str) -> None:
    """Raise `Unauthenticated` unless `secret` is the service's own. An unknown service takes as long as a known one."""
    known = secrets.get(service, "")
    # Digests are compared, so that not even a length shows.
    same = hmac.compare_digest(hashlib.sha256(known.encode()).digest(), hashlib.sha256(secret.encode()).digest())
    if not (same and known):
        raise Unauthenticated("no such service, or not its secret")


def sign_service_token(keys: list[SigningKey], service: str, now: datetime) -> ServiceToken:
    """A token that says who its bearer is, for a few minutes."""
    key = next(key for key in keys if key.retired_at is None)
    expires_at = now + TOKEN_LIFETIME
    claims = {"sub": service, "aud": AUDIENCE, "iat": int(now.timestamp()), "exp": int(expires_at.timestamp())}
    private_key = Ed25519PrivateKey.from_private_bytes(key.private_key)
    return ServiceToken(jwt.encode(claims, private_key, ALGORITHM, {"kid": key.kid}), expires_at)


def key_set(keys: list[SigningKey]) -> dict[str, Any]:
    """The public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": ALGORITHM,
                "use": "sig",
                "kid": key.kid,
                "x": base64.urlsafe_b64encode(key.public_key).rstrip(b"=").decode(),
            }
            for key in keys
        ]
    }


def _new_key(now: datetime) -> SigningKey:
    private_key = Ed25519PrivateKey.generate()
    public = private_key.public_key().public_bytes_raw()
    return SigningKey(hashlib.sha256(public).hexdigest()[:16], private_key.private_bytes_raw(), public, now, None)
