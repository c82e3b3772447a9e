"""Identifiers and codes, all made with the operating system's random source."""

import secrets
import string
from uuid import UUID, uuid4

CODE_ALPHABET = string.ascii_uppercase + string.digits


def new_id() -> UUID:
    """A fresh identifier with 122 random bits."""
    return uuid4()


def parse_id(text: str) -> UUID | None:
    """Parse an identifier of 32 hex digits, with or without dashes. Returns None if `text` is not one."""
    try:
        return UUID(hex=text)
    except ValueError:
        return None


def new_code(length: int, *, digits_only: bool = False) -> str:
    """A pickup code: `[A-Z0-9]{length}`, or a number of that many digits without a leading zero."""
    if digits_only:
        return str(10 ** (length - 1) + secrets.randbelow(9 * 10 ** (length - 1)))
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))
