"""Tokens with which services call one another (JWT, Ed25519). They are short-lived, and the auth service signs them.

The calling service gets a token for its secret from `POST /internal/service-tokens` and uses it until shortly before it
expires. The called service checks it with the public keys of `GET /internal/jwks` (RFC 7517), which it caches.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from jwt import PyJWK

from common import logging
from common.calls import Answer, Calls, NoAnswer
from common.errors import Unauthenticated, Unavailable
from common.tokens.public_keys import ALGORITHM, PublicKeys, UnknownKey

AUDIENCE = "waystation-internal"
# A token is renewed when it expires in less than this.
RENEW_SECONDS = 60
_REMEMBERED = 256


class AuthUnavailable(Unavailable):
    """The auth service is not answering."""


class Tokens(Protocol):
    """Where a caller of other services gets its tokens."""

    def forget(self) -> None:
        """Get a new token next time, because the last one was refused."""
        ...

    async def token(self) -> str:
        """A token that is valid for a while."""
        ...


class TokenSource:
    """The token that this service sends to the others."""

    def __init__(self, calls: Calls, *, auth_url: str, service: str, secret: str) -> None:
        self._calls, self._url = calls, f"{auth_url}/internal/service-tokens"
        self._asks = {"service": service, "secret": secret}
        self._token, self._expires_at = "", 0.0
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Request a new token next time, because this one was refused."""
        self._expires_at = 0.0

    async def token(self) -> str:
        """A token that is valid for at least another minute. Raises `AuthUnavailable`."""
        async with self._lock:
            if time.time() > self._expires_at - RENEW_SECONDS:
                answer = await _ask(self._calls.send("POST", self._url, body=self._asks))
                self._token, self._expires_at = answer["token"], answer["expires_at"]
            return self._token


@dataclass(frozen=True, slots=True)
class _Checked:
    """A token whose signature was right."""

    service: str
    expires_at: float
    kid: str
    key: PyJWK
    """The key of the signature. When the keys are read again, all tokens are checked again."""


class TokenVerifier:
    """Checks the tokens that other services send to this one.

    Checking a signature costs as much as the rest of a small call, and a service sends the same token for minutes, so
    the tokens that were right are remembered.
    """

    def __init__(self, keys: PublicKeys) -> None:
        self.keys = keys
        """The keys of all tokens, including those of users."""
        self._checked: OrderedDict[str, _Checked] = OrderedDict()

    @classmethod
    def asking(cls, calls: Calls, *, auth_url: str) -> "TokenVerifier":
        """A verifier that asks the auth service for the keys."""
        url = f"{auth_url}/internal/jwks"
        return cls(PublicKeys(lambda: _ask(calls.send("GET", url))))

    async def service(self, token: str) -> str:
        """The name of the service that `token` was issued to. Raises `Unauthenticated`, `AuthUnavailable`."""
        known = self._checked.get(token)
        if known is None or not await self._holds(known):
            known = self._checked[token] = await self._check(token)
            if len(self._checked) > _REMEMBERED:
                self._checked.popitem(last=False)
        return known.service

    async def _holds(self, known: _Checked) -> bool:
        """Whether a token that was right is still: it has not expired, and its key is in use."""
        try:
            return known.expires_at > time.time() and await self.keys.key(known.kid) is known.key
        except UnknownKey:
            return False

    async def _check(self, token: str) -> _Checked:
        try:
            kid = str(jwt.get_unverified_header(token).get("kid"))
            key = await self.keys.key(kid)
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "aud"]},
            )
        except UnknownKey:
            raise Unauthenticated("the service token names an unknown key") from None
        except jwt.PyJWTError:
            raise Unauthenticated("the service token is not valid") from None
        return _Checked(str(claims["sub"]), float(claims["exp"]), kid, key)


async def _ask(call: Awaitable[Answer]) -> dict[str, Any]:
    try:
        answer = await call
    except NoAnswer as error:
        raise AuthUnavailable from error
    if answer.status >= 400:
        # If the auth service refuses the secret, the installation is wrong, not the caller.
        logging.get(__name__).warning("the auth service refused", status=answer.status)
        raise AuthUnavailable
    return answer.json()
