"""A cache of credentials in Valkey. Services look here first; what is missing they ask the auth service.

A credential has a name that holds no secret: `session:<id>` for a signed token, `opaque:<digest>` for a token that is a
random string, `key:<digest>:<digest>` for an API key and its token.

Code that changes a credential writes the change here within its transaction, before the commit. `put`, `replace` and
`revoke` overwrite, and the last two tell all who listen to `changes`. A reader's `fill` never overwrites, so that a
value read before a change cannot replace the one after it. While Valkey is down nothing can be changed, and entries
that it may have missed expire after `FILL_SECONDS`.
"""

import hashlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any
from uuid import UUID

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from common.errors import Unavailable
from common.identity import Identity
from common.valkey import TIMEOUT_SECONDS, Pipe, client_options

# How long values that readers filled in are kept, and how long revocations are kept. A reader may have read the row
# before it was revoked; the revocation is kept until even a slow reader has tried to fill in the old value.
FILL_SECONDS = 60
GONE_SECONDS = 600
CONNECTIONS = 20
CHANNEL = "credentials:changed"
"""The channel on which the names of replaced and revoked credentials are published."""
LISTEN_SECONDS = 30


class Unknown(Enum):
    """The cache does not know the credential."""

    UNKNOWN = "unknown"


class CredentialsUnavailable(Unavailable):
    """The store of the sessions is not answering."""


def session_name(session_id: UUID) -> str:
    """The name of the credential behind a signed token."""
    return f"session:{session_id.hex}"


def opaque_name(token: str) -> str:
    """The name of a token that is a random string."""
    return f"opaque:{digest(token).hex()}"


def key_name(key_digest: bytes, token_digest: bytes) -> str:
    """The name of an API key together with its token."""
    return f"key:{key_digest.hex()}:{token_digest.hex()}"


def digest(secret: str) -> bytes:
    """The SHA-256 digest under which a secret is stored. Secrets are random, so they need no slow hash."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


class CredentialCache:
    """The cache of credentials in Valkey."""

    def __init__(self, valkey_url: str) -> None:
        # Many changes at once wait for a free connection. The library's other pool fails beyond a hundred.
        pool = BlockingConnectionPool.from_url(
            valkey_url, max_connections=CONNECTIONS, timeout=TIMEOUT_SECONDS, **client_options()
        )
        self._redis = Redis.from_pool(pool)
        # Pipelined, because every signed-in request looks up a credential.
        self._pipe = Pipe(valkey_url)

    async def get(self, name: str) -> Identity | Unknown | None:
        """The account of a credential; None if it was revoked or never existed.

        Returns `UNKNOWN` if it is not in the cache, or if Valkey does not answer.
        """
        try:
            value = await self._pipe.call("GET", _key(name))
        except RedisError:
            return Unknown.UNKNOWN
        if value is None:
            return Unknown.UNKNOWN
        return Identity.from_json(value) if value else None

    async def fill(self, name: str, identity: Identity | None) -> None:
        """Store the value that a reader found, unless there is a newer one."""
        with suppress(RedisError):
            await self._redis.set(_key(name), _value(identity), ex=FILL_SECONDS, nx=True)

    async def put(self, name: str, identity: Identity) -> None:
        """Set the account of a new credential. Raises `CredentialsUnavailable`."""
        try:
            await self._redis.set(_key(name), _value(identity), ex=FILL_SECONDS)
        except RedisError as error:
            raise CredentialsUnavailable from error

    async def replace(self, identities: Mapping[str, Identity]) -> None:
        """Set the accounts of these credentials, which have changed. Raises `CredentialsUnavailable`."""
        await self._change({name: _value(identity) for name, identity in identities.items()}, FILL_SECONDS)

    async def revoke(self, names: Iterable[str]) -> None:
        """Revoke credentials. Raises `CredentialsUnavailable`."""
        await self._change(dict.fromkeys(names, b""), GONE_SECONDS)

    async def ready(self) -> None:
        """Raise `CredentialsUnavailable` unless Valkey answers."""
        try:
            await self._redis.ping()  # pyright: ignore[reportGeneralTypeIssues]
        except RedisError as error:
            raise CredentialsUnavailable from error

    async def close(self) -> None:
        await self._pipe.close()
        await self._redis.aclose()

    async def _change(self, values: Mapping[str, bytes], seconds: int) -> None:
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for name, value in values.items():
                    pipeline.set(_key(name), value, ex=seconds)
                    pipeline.publish(CHANNEL, name)
                await pipeline.execute()
        except RedisError as error:
            raise CredentialsUnavailable from error


async def changes(valkey_url: str) -> AsyncGenerator[str | None]:
    """The names of credentials as they are replaced or revoked, without an end.

    None comes first, when this begins to listen: any credential may have changed before. Raises
    `CredentialsUnavailable`.
    """
    redis = Redis.from_url(valkey_url, **client_options(LISTEN_SECONDS + TIMEOUT_SECONDS))
    pubsub = redis.pubsub()
    try:
        await pubsub.subscribe(CHANNEL)
        while True:
            found: Any = await pubsub.get_message(timeout=LISTEN_SECONDS)
            if found is not None:
                yield found["data"].decode() if found["type"] == "message" else None
    except RedisError as error:
        raise CredentialsUnavailable from error
    finally:
        try:
            await pubsub.aclose()
        finally:
            await redis.aclose()


def _key(name: str) -> str:
    return f"credential:{name}"


def _value(identity: Identity | None) -> bytes:
    return identity.to_json().encode() if identity else b""
