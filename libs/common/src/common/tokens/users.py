"""The tokens of users and their programs: JWTs (RFC 7519) that name a session.

A token is valid if its signature and its session are. Checking the signature is expensive, so the result is cached. The
session may end at any time, so it is looked up for every request.

Claims: `sub` and `user_id` the account, `jti` the session, `exp` and `ExpiresAt` the end in seconds since 1970, `iat`,
`aud`. The clients of File Uploader read `user_id` and `ExpiresAt`.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import jwt

from common import clock
from common.identity import TokenExpired, TokenInvalid
from common.tokens.public_keys import ALGORITHM, KEYS_SECONDS, PublicKeys, UnknownKey

AUDIENCE = "waystation"
TOKEN_LENGTH = 4096
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The claims of a token with a valid signature."""

    account_id: UUID
    session_id: UUID
    expires_at: datetime


class UserTokens:
    """Checks signatures and caches the results."""

    def __init__(self, keys: PublicKeys) -> None:
        self._keys = keys
        self._checked: OrderedDict[str, tuple[TokenClaims, float]] = OrderedDict()

    async def claims(self, token: str) -> TokenClaims:
        """The claims of a token. Raises `TokenInvalid`, `TokenExpired`, and `Unavailable` if no keys can be read."""
        known = self._checked.get(token)
        if known is None or known[1] < time.monotonic():
            known = await self._check(token), time.monotonic() + KEYS_SECONDS
            self._checked[token] = known
            if len(self._checked) > _REMEMBERED:
                self._checked.popitem(last=False)
        if known[0].expires_at <= clock.now():
            raise TokenExpired
        return known[0]

    async def _check(self, token: str) -> TokenClaims:
        if len(token) > TOKEN_LENGTH:
            raise TokenInvalid
        try:
            key = await self._keys.key(str(jwt.get_unverified_header(token).get("kid")))
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                # Expiry is checked separately, because it raises another error.
                options={"require": ["exp", "sub", "jti", "aud"], "verify_exp": False},
            )
            expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
            return TokenClaims(UUID(claims["sub"]), UUID(claims["jti"]), expires_at)
        except (jwt.PyJWTError, UnknownKey, ValueError, TypeError, OverflowError):
            raise TokenInvalid from None
