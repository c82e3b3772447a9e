"""The terms of a share: when it ends, its password, and what it is called."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from waystation.errors import Unusable

Style = Literal["minute", "hour", "day", "count", "forever"]
UNITS: dict[str, tuple[Style, int]] = {
    "m": ("minute", 1),
    "h": ("hour", 1),
    "d": ("day", 1),
    "w": ("day", 7),
    "x": ("count", 1),
}


@dataclass(frozen=True, slots=True)
class Expiry:
    """The end of a share: after so many of a unit of time, or after so many downloads (`count`)."""

    style: Style = "day"
    value: int = 1

    @staticmethod
    def parse(text: str) -> "Expiry":
        """Read `30m`, `12h`, `7d`, `2w`, `5x` (downloads) or `never`. Raises `Unusable`."""
        if text == "never":
            return Expiry("forever", 1)
        found = re.fullmatch(r"([1-9][0-9]{0,8})([mhdwx])", text, re.ASCII)
        if not found:
            raise Unusable(f"{text!r} is no end: write 30m, 12h, 7d, 2w, 5x (downloads) or never")
        style, factor = UNITS[found[2]]
        return Expiry(style, int(found[1]) * factor)

    def moment(self) -> datetime:
        """The moment that ends it, counted from now. Raises `Unusable` if it is none."""
        seconds = {"minute": 60, "hour": 3600, "day": 86400}.get(self.style)
        if seconds is None:
            raise Unusable("This ends after a time, such as 12h or 7d.")
        try:
            return datetime.now(UTC) + timedelta(seconds=seconds * self.value)
        except OverflowError:
            raise Unusable("This time is too long.") from None


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a share. A term that is None is left to the server."""

    expiry: Expiry | None = None
    password: str | None = field(default=None, repr=False)
    title: str | None = None
    message: str | None = None
    code: str | None = None
    """A code of one's own choice."""
    in_words: bool = False
    """Whether the code consists of words."""

    def key(self) -> str:
        """A text that is the same for the same terms but for the password."""
        return repr(self)

    def metadata(self) -> dict[str, str]:
        """The terms as the metadata of an upload."""
        found: dict[str, str] = {}
        if self.expiry:
            found |= {"expire_style": self.expiry.style, "expire_value": str(self.expiry.value)}
        if self.password is not None:
            found["password"] = self.password
        return found

    def json(self) -> dict[str, Any]:
        """The terms as a part of a share's request."""
        found: dict[str, Any] = {
            "title": self.title,
            "message": self.message,
            "password": self.password,
            "code": self.code,
            "code_style": "words" if self.in_words else None,
        }
        if self.expiry:
            found |= {"expire_style": self.expiry.style, "expire_value": self.expiry.value}
        return {name: value for name, value in found.items() if value is not None}

    def password_header(self) -> dict[str, bytes]:
        return password_header(self.password)

    def mark(self) -> str:
        """By what a later process knows whether it has the same password; the password cannot be read from it."""
        return _mark(self.password, secrets.token_bytes(16))

    def has_mark(self, mark: object) -> bool:
        """Whether `mark` is that of the same password."""
        if not isinstance(mark, str) or (mark == "" or self.password is None):
            return mark == "" and self.password is None
        return hmac.compare_digest(_mark(self.password, bytes.fromhex(mark.partition("$")[0])), mark)


def password_header(password: str | None) -> dict[str, bytes]:
    """The header that shows a share's password, which is UTF-8."""
    return {} if password is None else {"X-Share-Password": password.encode(errors="replace")}


def _mark(password: str | None, salt: bytes) -> str:
    if password is None:
        return ""
    hashed = hashlib.scrypt(password.encode(errors="replace"), salt=salt, n=2**13, r=8, p=1)
    return f"{salt.hex()}${hashed.hex()}"
