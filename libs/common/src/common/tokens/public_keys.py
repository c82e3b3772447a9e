"""The public keys that check tokens. The auth service publishes them (RFC 7517), and the other services cache them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from jwt import PyJWK, PyJWKSet

from common.errors import Unavailable

ALGORITHM = "EdDSA"
# Keys older than this are read again.
KEYS_SECONDS = 300
# While the auth service does not answer, the known keys stay valid, and it is asked again only after this long.
PATIENCE_SECONDS = 5


class UnknownKey(Exception):
    """The auth service publishes no key with this id."""


class PublicKeys:
    """The published keys, read when they are needed."""

    def __init__(self, read: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        """`read` returns the JSON Web Key Set or raises `Unavailable`."""
        self._read = read
        self._keys: dict[str, PyJWK] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> PyJWK:
        """The key with this id. Raises `UnknownKey`, and `Unavailable` if auth does not answer."""
        async with self._lock:
            age = time.monotonic() - self._asked_at
            # An unknown key may be new, but made-up ids must not cause a request each.
            if age > KEYS_SECONDS or (kid not in self._keys and age > 1):
                await self._refresh(must=kid not in self._keys)
        if kid not in self._keys:
            raise UnknownKey
        return self._keys[kid]

    async def _refresh(self, *, must: bool) -> None:
        try:
            answer = await self._read()
        except Unavailable:
            if must:
                raise
            self._asked_at = time.monotonic() - KEYS_SECONDS + PATIENCE_SECONDS
            return
        self._keys = {key.key_id: key for key in PyJWKSet.from_dict(answer).keys if key.key_id}
        self._asked_at = time.monotonic()
