"""Sealing the credentials of mirrors, so that a copy of the database does not reveal them."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from common.errors import DomainError
from common.sealing import Broken, Seal, derived


class Unsealable(DomainError):
    """The options of this mirror cannot be opened with this system's key; give them again."""

    code = "unsealable"


class Sealer:
    """Seals, opens and signs with keys derived from the service's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._seal = Seal(self._secret, "mirror options")

    def seal(self, options: Mapping[str, str]) -> bytes:
        return self._seal.close(json.dumps(dict(options)).encode())

    def open(self, sealed: bytes) -> dict[str, str]:
        """The inverse of `seal`. Raises `Unsealable`."""
        try:
            return json.loads(self._seal.open(sealed))
        except Broken:
            raise Unsealable from None

    def sign(self, text: str) -> str:
        """A tag that only this system can make of `text`, in 64 hex digits."""
        return hmac.new(derived(self._secret, "tickets"), text.encode(), hashlib.sha256).hexdigest()

    def is_signed(self, text: str, tag: str) -> bool:
        """Whether `sign` made this tag for `text`; takes the same time for every wrong tag."""
        return hmac.compare_digest(self.sign(text).encode(), tag.encode())
