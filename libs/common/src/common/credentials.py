"""What is known of credentials, in Valkey: every service asks there first, and only then `auth`, who knows them all.

A credential goes by a name that holds no secret: `session:<id>` for a signed token, `opaque:<digest>` for a token that
is only a random text, `key:<digest>:<digest>` for an API key and its token.

Whoever changes a credential says so here within the transaction, before it is committed: `put` and `revoke` overwrite,
while a reader's `fill` never does, so that what was read before a change cannot replace what is true after it. When
Valkey is down, nothing can be changed, and what it may have missed is forgotten after `FILL_SECONDS`.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import Unavailable
from common.identity import Identity
from common.valkey import Pipe, client_options

# How long a reader's knowledge is kept, and how long it is remembered that a credential is no more: longer than any
# reader that read the row before can take to say so here.
FILL_SECONDS = 60
GONE_SECONDS = 600


class Unknown(Enum):
    """Nothing is known of a credential."""

    UNKNOWN = "unknown"


class CredentialsUnavailable(Unavailable):
    """The store of the sessions is not answering."""


def session_name(session_id: UUID) -> str:
    """The name of the credential behind a signed token."""
    return f"session:{session_id.hex}"


def opaque_name(token: str) -> str:
    """The name of a token that is only a random text."""
    return f"opaque:{digest(token).hex()}"


def key_name(key_digest: bytes, token_digest: bytes) -> str:
    """The name of an API key together with its token."""
    return f"key:{key_digest.hex()}:{token_digest.hex()}"


def digest(secret: str) -> bytes:
    """SHA-256: what is kept of a secret that is random itself, and so needs no slow hash."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


class CredentialCache:
    """The credentials that Valkey knows of."""

    def __init__(self, valkey_url: str) -> None:
        self._redis = Redis.from_url(valkey_url, **client_options())
        # What every request of everybody asks.
        self._pipe = Pipe(valkey_url)

    async def get(self, name: str) -> Identity | Unknown | None:
        """Whose credential it is; None: nobody's (any more). Without Valkey everything is unknown."""
        try:
            value = await self._pipe.call("GET", _key(name))
        except RedisError:
            return Unknown.UNKNOWN
        if value is None:
            return Unknown.UNKNOWN
        return Identity.from_json(value) if value else None

    async def fill(self, name: str, identity: Identity | None) -> None:
        """Remember what a reader found, unless something newer is known."""
        with suppress(RedisError):
            await self._redis.set(_key(name), _value(identity), ex=FILL_SECONDS, nx=True)

    async def put(self, name: str, identity: Identity) -> None:
        """Say whose credential it is from now on. Raises `CredentialsUnavailable`."""
        try:
            await self._redis.set(_key(name), _value(identity), ex=FILL_SECONDS)
        except RedisError as error:
            raise CredentialsUnavailable from error

    async def revoke(self, names: Iterable[str]) -> None:
        """Say that these are nobody's credentials any more. Raises `CredentialsUnavailable`."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.set(_key(name), b"", ex=GONE_SECONDS)
                await pipeline.execute()
        except RedisError as error:
            raise CredentialsUnavailable from error

    async def ready(self) -> None:
        """Raise `CredentialsUnavailable` unless Valkey answers."""
        try:
            await self._redis.ping()  # pyright: ignore[reportGeneralTypeIssues]
        except RedisError as error:
            raise CredentialsUnavailable from error

    async def close(self) -> None:
        await self._pipe.close()
        await self._redis.aclose()


def _key(name: str) -> str:
    return f"credential:{name}"


def _value(identity: Identity | None) -> bytes:
    return identity.to_json().encode() if identity else b""
