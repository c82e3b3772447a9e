"""Deletion keys: who shows one may end the share that it was made for.

No row is kept for one: it is derived from the share's id by a secret, and spelled as a random UUID (version 4), as the
clients of File Uploader know it.
"""

import hmac
from uuid import UUID


class DeleteKeys:
    """Makes keys and compares with them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def key(self, share_id: UUID) -> str:
        """The share's key: always the same, 122 bits that nobody can foresee."""
        digest = hmac.digest(self._secret, b"delete\0" + share_id.bytes, "sha256")
        return str(UUID(bytes=digest[:16], version=4))

    def matches(self, share_id: UUID, key: str | None) -> bool:
        """Whether `key` is the share's key, compared in constant time. An absent key is a wrong one."""
        return hmac.compare_digest(self.key(share_id).encode(), (key or "").encode(errors="surrogatepass"))
