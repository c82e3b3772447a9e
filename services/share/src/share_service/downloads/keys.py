"""Download keys: given out for a code or a password, and accepted instead of it when the download starts.

A key is 64 hex digits: 4 bytes of issue time (seconds since 1970), 8 random bytes, 6 bytes for the password, and 14
bytes of HMAC-SHA256 over the code and those eighteen. Keys are not stored. They are bound to the code rather than to a
row, so a made-up key is refused without reading the database, and the answer cannot tell whether the code exists.

The bytes for the password are derived from its hash, so a key opens a protected share only while the share has the
password that was shown for the key.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from common.errors import Forbidden

LIFETIME = timedelta(seconds=1800)
_HEAD_BYTES, _PASSWORD_BYTES, _TAG_BYTES = 12, 6, 14
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
    _head: bytes
    _password: bytes

    def opens(self, password_hash: str) -> bool:
        """Whether the password with this hash was shown for it."""
        return hmac.compare_digest(self._password, _password_bytes(self._head, password_hash))

    def may_start(self, now: datetime) -> bool:
        """Whether the key may still start a download; a running one may be resumed for longer."""
        return now <= self.issued_at + LIFETIME


class DownloadKeys:
    """Issues keys and checks them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def issue(self, code: str, now: datetime, *, password_hash: str | None = None) -> str:
        """A key to download the share with this code; each call gives another one.

        `password_hash`: that of the password that was shown for it, if the share has one.
        """
        head = int(now.timestamp()).to_bytes(4, "big") + secrets.token_bytes(8)
        signed = head + _password_bytes(head, password_hash or "")
        return (signed + self._tag(code, signed)).hex()

    def check(self, key: str, code: str) -> DownloadKey:
        """The key, however old, if it was issued for `code`. Raises `BadKey`."""
        if not _HEX.fullmatch(key):
            raise BadKey
        raw = bytes.fromhex(key)
        signed, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(code, signed)):
            raise BadKey
        issued_at = datetime.fromtimestamp(int.from_bytes(raw[:4], "big"), UTC)
        holder = hashlib.sha256(b"key\0" + raw).digest()
        return DownloadKey(holder, issued_at, signed[:_HEAD_BYTES], signed[_HEAD_BYTES:])

    def _tag(self, code: str, signed: bytes) -> bytes:
        return hmac.digest(self._secret, b"download\0" + signed + code.encode(), "sha256")[:_TAG_BYTES]


def _password_bytes(head: bytes, password_hash: str) -> bytes:
    # The hash has a random salt that nobody outside knows.
    return hashlib.sha256(b"password\0" + head + password_hash.encode()).digest()[:_PASSWORD_BYTES]


def address_holder(address: str) -> bytes:
    """The holder of a lease where no key is used: the client's address."""
    return hashlib.sha256(b"address\0" + address.encode()).digest()
