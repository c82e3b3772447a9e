"""Sealing secrets that are stored and used again, so that a copy of the database does not reveal them."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken


class Broken(ValueError):
    """It was sealed with another key, or damaged."""


class Seal:
    """Seals and opens with a key that is derived from a service's secret, for one purpose."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derived(secret, purpose)))

    def close(self, content: bytes) -> bytes:
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """The inverse of `close`. Raises `Broken`."""
        try:
            return self._fernet.decrypt(bytes(sealed))
        except InvalidToken:
            raise Broken from None


def derived(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes. The secret is long and random, so one keyed hash is a sufficient derivation."""
    return hmac.digest(secret, purpose.encode(), hashlib.sha256)
