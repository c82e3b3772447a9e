"""The SHA-256 of content that is read in order, but from where it broke off again."""

import base64
import hashlib
import re


class Running:
    """The digest of what was fed to it. Blocks may repeat what came before; they may leave nothing out."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.at = 0
        """The number of bytes that are part of the digest."""

    def feed(self, at: int, block: bytes) -> None:
        """Take in what is new of the block that begins at offset `at`."""
        assert at <= self.at, "content is hashed without gaps"
        if at == self.at:
            self._sha256.update(block)
        elif at + len(block) > self.at:
            self._sha256.update(memoryview(block)[self.at - at :])
        self.at = max(self.at, at + len(block))

    def digest(self) -> bytes:
        return self._sha256.digest()


def repr_digest(header: str | None) -> bytes | None:
    """The SHA-256 in a `Repr-Digest` header (RFC 9530); None if it has none."""
    found = re.search(r"sha-256=:([A-Za-z0-9+/]{43}=):", header or "")
    return base64.b64decode(found[1]) if found else None
