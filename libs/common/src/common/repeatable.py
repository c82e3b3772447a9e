"""Requests that may be sent again: with the same idempotency key, they are the same request."""

import hashlib
from dataclasses import dataclass

from common.errors import Conflict, InvalidInput

KEY_LENGTH = 255


class IdempotencyKeyReused(Conflict):
    """This idempotency key was used for another request."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Repeatable:
    """The properties that make a request with an idempotency key the same request again."""

    origin: str
    """The sender and the key, as a digest."""
    digest: bytes
    """SHA-256 of what was sent."""

    @staticmethod
    def of(sender: str, key: str, sent: bytes) -> "Repeatable":
        """`sender`: an account, or the address of a guest. Others get nothing by the same key. Raises `InvalidInput`.

        `sent` is everything that must be the same again.
        """
        if not 0 < len(key) <= KEY_LENGTH:
            raise InvalidInput(f"an idempotency key has 1 to {KEY_LENGTH} characters")
        origin = hashlib.sha256(f"{sender}\0{key}".encode()).hexdigest()
        return Repeatable(f"request:{origin}", hashlib.sha256(sent).digest())
