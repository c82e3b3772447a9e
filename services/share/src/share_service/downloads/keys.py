"""Download keys: given out for a code or a password, and accepted instead of it when the download starts.

A key is 64 hex digits: 4 bytes of issue time (seconds since 1970), 8 random bytes, and 20 bytes of HMAC-SHA256 over the
code and those twelve. Keys are not stored. They are bound to the code rather than to a row, so a made-up key is refused
without reading the database, and the answer cannot tell whether the code exists.

The HMAC also tells whether the password of a protected share was shown for the key. A key that was given out without a
password does not open a share that has been given one since.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from common.errors import Forbidden

LIFETIME = timedelta(seconds=1800)
_TAG_BYTES = 20
_HEX = re.compile("[0-9a-f]{64}", re.ASCII)


class BadKey(Forbidden):
    """The download key is not valid for this share."""

    code = "bad_key"


@dataclass(frozen=True, slots=True)
class DownloadKey:
    """A key that this system issued for a code."""

    holder: bytes
    """SHA-256 of the key, which identifies the holder of a lease."""
    issued_at: datetime
    has_password: bool
    """Whether a password was shown for it."""

    def may_start(self, now: datetime) -> bool:
        """Whether the key may still start a download; a running one may be resumed for longer."""
        return now <= self.issued_at + LIFETIME


class DownloadKeys:
    """Issues keys and checks them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def issue(self, code: str, now: datetime, *, has_password: bool = False) -> str:
        """A key to download the share with this code; each call gives another one."""
        head = int(now.timestamp()).to_bytes(4, "big") + secrets.token_bytes(8)
        return (head + self._tag(code, head, has_password)).hex()

    def check(self, key: str, code: str) -> DownloadKey:
        """The key, however old, if it was issued for `code`. Raises `BadKey`."""
        if not _HEX.fullmatch(key):
            raise BadKey
        raw = bytes.fromhex(key)
        head, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        # Both are always compared, so that the time it takes tells nothing.
        plain = hmac.compare_digest(tag, self._tag(code, head, has_password=False))
        has_password = hmac.compare_digest(tag, self._tag(code, head, has_password=True))
        if not (plain or has_password):
            raise BadKey
        issued_at = datetime.fromtimestamp(int.from_bytes(head[:4], "big"), UTC)
        return DownloadKey(hashlib.sha256(b"key\0" + raw).digest(), issued_at, has_password)

    def _tag(self, code: str, head: bytes, has_password: bool) -> bytes:
        purpose = b"download for a password\0" if has_password else b"download\0"
        return hmac.digest(self._secret, purpose + head + code.encode(), "sha256")[:_TAG_BYTES]


def address_holder(address: str) -> bytes:
    """The holder of a lease where no key is used: the client's address."""
    return hashlib.sha256(b"address\0" + address.encode()).digest()
