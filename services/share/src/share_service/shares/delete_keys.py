"""Deletion keys: whoever shows the key of a share may end it.

Keys are not stored. A key is derived from the share's id with a secret, and looks like a random UUID (version 4), as
File Uploader's clients expect it.
"""

import hmac
from uuid import UUID


class DeleteKeys:
    """Makes keys and compares them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def key(self, share_id: UUID) -> str:
        """The share's key: always the same, with 122 bits that nobody can predict."""
        digest = hmac.digest(self._secret, b"delete\0" + share_id.bytes, "sha256")
        return str(UUID(bytes=digest[:16], version=4))

    def matches(self, share_id: UUID, key: str | None) -> bool:
        """Whether `key` is the share's key, compared in constant time. A missing key is a wrong one."""
        return hmac.compare_digest(self.key(share_id).encode(), (key or "").encode(errors="surrogatepass"))
