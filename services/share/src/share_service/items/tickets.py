"""Tickets of items, and keys of their shares: rights of a sender, derived from ids with a secret, and never stored."""

import hmac
from uuid import UUID

from common.ids import parse_id

_TAG_BYTES = 20


class SenderKeys:
    """Makes the keys of shares and the tickets of items, and checks them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def key(self, share_id: UUID) -> str:
        """The key with which a sender without an account sees, changes and ends a share."""
        return self._tag(b"sender\0", share_id).hex()

    def matches(self, share_id: UUID, key: str | None) -> bool:
        """Whether `key` is the share's key, compared in constant time. A missing key is a wrong one."""
        return hmac.compare_digest(self.key(share_id).encode(), (key or "").encode(errors="surrogatepass"))

    def ticket(self, item_id: UUID) -> str:
        """The ticket with which the content of an item is sent."""
        return item_id.hex + self._tag(b"item\0", item_id).hex()

    def item_of(self, ticket: str) -> UUID | None:
        """The item of a ticket; None if it is none."""
        item_id = parse_id(ticket[:32])
        if item_id is None:
            return None
        right = self.ticket(item_id).encode()
        return item_id if hmac.compare_digest(right, ticket.encode(errors="surrogatepass")) else None

    def _tag(self, purpose: bytes, of: UUID) -> bytes:
        return hmac.digest(self._secret, purpose + of.bytes, "sha256")[:_TAG_BYTES]
