"""Signing keys, and the tokens that they sign."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_service.directory.model import KEY_KEPT, KEY_LEAD, SERVICE_TOKEN_LIFETIME, Session, SignedToken, SigningKey
from auth_service.signing import queries
from common import clock
from common.db import Connection
from common.errors import Unauthenticated
from common.tokens.public_keys import ALGORITHM
from common.tokens.services import AUDIENCE as SERVICE_AUDIENCE
from common.tokens.users import AUDIENCE as USER_AUDIENCE


async def signing_keys(connection: Connection, now: datetime) -> list[SigningKey]:
    """The keys whose tokens are still accepted, the newest first.

    The very first key is made here, by whichever process comes first; the others wait for it.
    """
    keys = await queries.published_keys(connection, now - KEY_KEPT)
    if any(key.retired_at is None for key in keys):
        return keys
    await queries.lock_keys(connection)
    keys = await queries.published_keys(connection, now - KEY_KEPT)
    if any(key.retired_at is None for key in keys):
        return keys
    new = _new_key(now)
    await queries.insert_key(connection, new)
    return [new, *keys]


async def rotate_keys(connection: Connection, now: datetime, older_than: timedelta = timedelta()) -> SigningKey | None:
    """Let a new key sign from `KEY_LEAD` on, unless the present one is younger than `older_than`: then None.

    Nobody is signed out: the tokens of the old key are accepted as long as they live.
    """
    await queries.lock_keys(connection)
    keys = await queries.published_keys(connection, now - KEY_KEPT)
    newest = next((key for key in keys if key.retired_at is None), None)
    if newest and newest.created_at > now - older_than:
        return None
    starts_at = now + KEY_LEAD if newest else now
    new = _new_key(starts_at)
    await queries.retire_keys(connection, starts_at)
    await queries.insert_key(connection, new)
    await queries.delete_keys(connection, now - KEY_KEPT)
    return new


def check_secret(secrets: Mapping[str, str], service: str, secret: str) -> None:
    """Raise `Unauthenticated` unless `secret` is the service's own. An unknown service takes as long as a known one."""
    known = secrets.get(service, "")
    # Digests are compared, so that not even a length shows.
    same = hmac.compare_digest(hashlib.sha256(known.encode()).digest(), hashlib.sha256(secret.encode()).digest())
    if not (same and known):
        raise Unauthenticated("no such service, or not its secret")


def sign_service_token(keys: list[SigningKey], service: str, now: datetime) -> SignedToken:
    """A token that says which service its bearer is, for a few minutes."""
    expires_at = now + SERVICE_TOKEN_LIFETIME
    return SignedToken(_sign(keys, {"sub": service, "aud": SERVICE_AUDIENCE}, now, expires_at), expires_at)


def sign_session(keys: list[SigningKey], session: Session) -> str:
    """The token of a session: see `common.tokens.users` for what it says."""
    assert session.expires_at is not None, "only random texts live for ever"
    account = str(session.account_id)
    claims = {
        "sub": account,
        "user_id": account,
        "jti": str(session.id),
        "aud": USER_AUDIENCE,
        "ExpiresAt": int(session.expires_at.timestamp()),
    }
    return _sign(keys, claims, session.created_at, session.expires_at)


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


async def published_key_set(connection: Connection) -> dict[str, Any]:
    """The public keys, as they are published now."""
    return key_set(await signing_keys(connection, clock.now()))


def _sign(keys: list[SigningKey], claims: dict[str, Any], now: datetime, expires_at: datetime) -> str:
    # Where clocks differ, a key may be here whose time has not come; then it has, for all who are to check the token.
    key = next((key for key in keys if key.signs(now)), keys[0])
    times = {"iat": int(now.timestamp()), "exp": int(expires_at.timestamp())}
    private_key = Ed25519PrivateKey.from_private_bytes(key.private_key)
    return jwt.encode({**claims, **times}, private_key, ALGORITHM, {"kid": key.kid})


def _new_key(starts_at: datetime) -> SigningKey:
    private_key = Ed25519PrivateKey.generate()
    public = private_key.public_key().public_bytes_raw()
    return SigningKey(hashlib.sha256(public).hexdigest()[:16], private_key.private_bytes_raw(), public, starts_at, None)
