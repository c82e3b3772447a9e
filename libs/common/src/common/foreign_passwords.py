"""Hashes of passwords that other systems made, as an import brings them. They are compared with, and never made.

An account keeps one until its owner signs in, and then gets a hash of ours. A room has no such moment: of its
unsalted SHA-256, only an Argon2id hash is stored (`DIGESTED`).
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Self

DIGESTED = "sha256:"
"""Before a hash of ours that was made of the SHA-256 of a password, in hex, without spaces around the password."""
UNKNOWN = "unknown"
"""In place of a hash: no password opens this account until a new one is set."""

_SCRYPT = re.compile(r"scrypt:([0-9]{1,7}):([0-9]{1,2}):([0-9]{1,2})\Z")
_PBKDF2 = re.compile(r"pbkdf2:(sha1|sha256|sha512):([0-9]{1,7})\Z")
# A hash must not cost more memory or time than a sign-in may take: 128 MiB, and about a second.
_SCRYPT_MEMORY = 128 * 1024**2
_SCRYPT_LANES = 4
_PBKDF2_ROUNDS = 2_000_000


@dataclass(frozen=True, slots=True)
class ForeignHash:
    """A hash in the form of werkzeug, the library that Flask brings: `scrypt:…$salt$hex` or `pbkdf2:…$salt$hex`."""

    method: tuple[str, ...]
    """The name of the method and its parameters."""
    salt: bytes
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The hash; None if it is of another form, or costs more than is allowed."""
        method, _, rest = text.partition("$")
        salt, _, digest = rest.rpartition("$")
        if not (salt.isascii() and salt.isprintable() and re.fullmatch("([0-9a-f]{2}){16,128}", digest)):
            return None
        if found := _SCRYPT.match(method):
            cost, block, lanes = map(int, found.groups())
            # RFC 7914: a power of 2, below 2 to the power of 16 times the size of a block.
            is_cost = cost > 1 and cost & (cost - 1) == 0 and cost < 1 << 16 * block
            if not (is_cost and 128 * cost * block <= _SCRYPT_MEMORY and 0 < lanes <= _SCRYPT_LANES):
                return None
            return cls(("scrypt", *found.groups()), salt.encode(), bytes.fromhex(digest))
        if (found := _PBKDF2.match(method)) and 0 < int(found[2]) <= _PBKDF2_ROUNDS:
            # A digest longer than the hash function's would take all rounds several times.
            is_whole = len(digest) == 2 * hashlib.new(found[1]).digest_size
            return cls(("pbkdf2", *found.groups()), salt.encode(), bytes.fromhex(digest)) if is_whole else None
        return None

    def matches(self, password: str) -> bool:
        """Whether it was made from this password. It takes a while."""
        return hmac.compare_digest(self._made_of(password.encode()), self.digest)

    def _made_of(self, password: bytes) -> bytes:
        length = len(self.digest)
        match self.method:
            case ("pbkdf2", name, rounds):
                return hashlib.pbkdf2_hmac(name, password, self.salt, int(rounds), length)
            case (_, cost, block, lanes):
                n, r, p = int(cost), int(block), int(lanes)
                # `parse` has bounded the memory; what OpenSSL adds to that is less than as much again.
                memory = 2 * _SCRYPT_MEMORY
                return hashlib.scrypt(password, salt=self.salt, n=n, r=r, p=p, maxmem=memory, dklen=length)
            case _:
                return b""


def digest_of(password: str) -> str:
    """The text of which a hash after `DIGESTED` was made."""
    return hashlib.sha256(password.strip().encode()).hexdigest()
