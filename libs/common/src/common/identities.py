"""Turns credentials into accounts, in the same way in every service."""

import base64
from typing import Any, Protocol

from common import clock
from common.credentials import CredentialCache, Unknown, digest, key_name, opaque_name, session_name
from common.identity import (
    CredentialsMalformed,
    CredentialsMissing,
    Identity,
    TokenExpired,
    TokenRevoked,
)
from common.peers import Peer
from common.tokens.users import UserTokens


class CredentialSource(Protocol):
    """The source of all credentials, asked for those that are not in the cache."""

    async def credential(self, name: str) -> Identity | None:
        """The account of a credential; None if the credential is not valid. Raises `Unavailable`."""
        ...


class AuthPeer:
    """The auth service as a source of credentials."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def credential(self, name: str) -> Identity | None:
        answer = await self._peer.call("POST", "/internal/credentials", {"name": name})
        identity: Any = answer["identity"]
        return Identity.from_json(identity) if identity else None


class Identities:
    """Turns credentials into accounts."""

    def __init__(self, tokens: UserTokens, cache: CredentialCache, source: CredentialSource) -> None:
        self._tokens, self._cache, self._source = tokens, cache, source

    async def of_token(self, token: str) -> Identity:
        """The account that a signed token belongs to. Raises `TokenInvalid`, `TokenExpired`, `TokenRevoked`."""
        claims = await self._tokens.claims(token)
        return await self.of_name(session_name(claims.session_id))

    async def of_opaque(self, token: str) -> Identity:
        """The account of a token that is a random string. Raises `TokenRevoked`."""
        return await self.of_name(opaque_name(token))

    async def of_key(self, key: str, token: str) -> Identity:
        """The account of an API key and its token. Raises `TokenRevoked`."""
        return await self.of_name(key_name(digest(key), digest(token)))

    async def of_header(self, authorization: str | None) -> Identity:
        """The account of an `Authorization` header: `Bearer` with a token, or `Basic` with an API key and its token.

        Raises `CredentialsMissing`, `CredentialsMalformed`, and what the methods above raise.
        """
        if not authorization:
            raise CredentialsMissing
        scheme, _, value = authorization.strip().partition(" ")
        match scheme.lower():
            case "bearer" if value:
                return await self.of_token(value)
            case "basic" if value:
                return await self.of_key(*basic_pair(value))
            case _:
                raise CredentialsMalformed

    async def of_name(self, name: str) -> Identity:
        """The account of a credential, given by the credential's name. Raises `TokenRevoked`, `TokenExpired`."""
        identity = await self._cache.get(name)
        if isinstance(identity, Unknown):
            identity = await self._source.credential(name)
            await self._cache.fill(name, identity)
        if identity is None:
            raise TokenRevoked
        if identity.is_over(clock.now()):
            raise TokenExpired
        return identity


def credential_name(identity: Identity, authorization: str) -> str:
    """The name of the credential that an accepted `Authorization` header carries."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "basic":
        key, token = basic_pair(value)
        return key_name(digest(key), digest(token))
    return session_name(identity.credential_id)


def basic_pair(value: str) -> tuple[str, str]:
    """The user and password in the value of HTTP Basic (RFC 7617). Raises `CredentialsMalformed`."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        raise CredentialsMalformed from None
    if not colon:
        raise CredentialsMalformed
    return user, password
