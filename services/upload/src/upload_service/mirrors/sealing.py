"""Sealing the credentials of mirrors, so that a copy of the database does not reveal them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken

from common.errors import DomainError


class Unsealable(DomainError):
    """The options of this mirror cannot be opened with this system's key; give them again."""

    code = "unsealable"


class Sealer:
    """Seals, opens and signs with keys derived from the service's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._fernet = Fernet(base64.urlsafe_b64encode(self._derive("mirror options")))

    def seal(self, options: Mapping[str, str]) -> bytes:
        return self._fernet.encrypt(json.dumps(dict(options)).encode())

    def open(self, sealed: bytes) -> dict[str, str]:
        """The inverse of `seal`. Raises `Unsealable`."""
        try:
            return json.loads(self._fernet.decrypt(bytes(sealed)))
        except InvalidToken:
            raise Unsealable from None

    def sign(self, text: str) -> str:
        """A tag that only this system can make of `text`, in 64 hex digits."""
        return hmac.new(self._derive("tickets"), text.encode(), hashlib.sha256).hexdigest()

    def is_signed(self, text: str, tag: str) -> bool:
        """Whether `sign` made this tag for `text`; takes the same time for every wrong tag."""
        return hmac.compare_digest(self.sign(text).encode(), tag.encode())

    def _derive(self, purpose: str) -> bytes:
        # The secret is long and random, so one keyed hash is a sufficient derivation.
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()
