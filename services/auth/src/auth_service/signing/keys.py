"""Signing keys: making, publishing and replacing them."""

import base64
import hashlib
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_service.context import Context, WorkerContext
from auth_service.signing import queries
from auth_service.signing.model import KEY_KEPT, KEY_LEAD, SigningKey
from common import clock, logging
from common.audit import Act, Author
from common.audit_log import record
from common.db import Connection
from common.tokens.public_keys import ALGORITHM


async def usable_keys(connection: Connection, now: datetime) -> list[SigningKey]:
    """The keys whose tokens are still accepted, the newest first.

    The very first key is made here, by the first process that needs one; the others wait for it.
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


async def published_key_set(context: Context) -> dict[str, Any]:
    """The public keys of all tokens that are accepted now, as a JSON Web Key Set."""
    async with context.db.transaction() as connection:
        return key_set(await usable_keys(connection, clock.now()))


async def rotate_keys(context: Context, author: Author) -> SigningKey:
    """Let a new key sign from `KEY_LEAD` on. Nobody is signed out: the old key's tokens are valid until they expire."""
    async with context.db.transaction() as connection:
        await queries.lock_keys(connection)
        now = clock.now()
        made = await _replace(connection, await _newest(connection, now), now)
        await record(connection, author, [Act("signing_key.replace", "signing_key", made.kid)])
    return made


async def rotate_old_keys(context: WorkerContext) -> None:
    """Do the same if the present key is older than the context's `key_lifetime`."""
    async with context.db.transaction() as connection:
        await queries.lock_keys(connection)
        now = clock.now()
        newest = await _newest(connection, now)
        if newest and newest.created_at > now - context.key_lifetime:
            return
        made = await _replace(connection, newest, now)
    logging.get(__name__).info("a new key signs", kid=made.kid)


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


async def _newest(connection: Connection, now: datetime) -> SigningKey | None:
    keys = await queries.published_keys(connection, now - KEY_KEPT)
    return next((key for key in keys if key.retired_at is None), None)


async def _replace(connection: Connection, newest: SigningKey | None, now: datetime) -> SigningKey:
    starts_at = now + KEY_LEAD if newest else now
    new = _new_key(starts_at)
    await queries.retire_keys(connection, starts_at)
    await queries.insert_key(connection, new)
    await queries.delete_keys(connection, now - KEY_KEPT)
    return new


def _new_key(starts_at: datetime) -> SigningKey:
    private_key = Ed25519PrivateKey.generate()
    public = private_key.public_key().public_bytes_raw()
    return SigningKey(hashlib.sha256(public).hexdigest()[:16], private_key.private_bytes_raw(), public, starts_at, None)
