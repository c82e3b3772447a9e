"""Files in messages, and messages that may be sent again."""

from typing import TypedDict
from uuid import UUID

from chat_service.streams.model import encode
from common.identity import Identity
from common.repeatable import Repeatable


class SharedFile(TypedDict):
    """A file that a message carries, in JSON. `size` in bytes; `type` is a media type; `url` opens it.

    `expires_at` is when its share ends, as that was known when it was posted; None: never.
    """

    name: str
    size: int
    type: str
    url: str
    expires_at: str | None


def repeatable_send(
    identity: Identity, key: str, room_id: int, text: str, reply_to: str | None, share_id: UUID | None = None
) -> Repeatable:
    """A send that may be repeated, by HTTP or by a socket. Raises `InvalidInput`."""
    sent = encode([room_id, text, reply_to, str(share_id) if share_id else None])
    return Repeatable.of(identity.account_id.hex, key, sent)
