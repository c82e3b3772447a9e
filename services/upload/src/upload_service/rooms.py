"""The chat service, as the upload service asks it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.errors import NotFound
from common.identity import Identity
from common.peers import Peer


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A shared file to be posted. `size` in bytes; `type` is a media type; `url` opens the file."""

    name: str
    size: int
    type: str
    url: str
    share_id: UUID
    """When its room ends, chat ends this share."""


class Rooms:
    """Asks the chat service."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def is_member(self, room_id: int, identity: Identity) -> bool:
        """Whether the account is a member of this room; False when the room does not exist. Raises `Unavailable`."""
        asked = {"account_id": identity.account_id.hex}
        try:
            answer = await self._peer.call("POST", f"/internal/rooms/{room_id}/membership", asked)
        except NotFound:
            return False
        return bool(answer["member"])

    async def post_file(self, room_id: int, identity: Identity, file: PostedFile) -> None:
        """Post a file's address as a message of this account. Asked again for the same share, chat posts it once.

        Raises `Unavailable`, `Forbidden` when the account may not write there, and when chat refuses it: `NotFound`,
        `InvalidInput`, `TooLarge`.
        """
        asked: dict[str, Any] = {
            "account_id": identity.account_id.hex,
            "name": identity.name,
            "text": file.url,
            "file": {"name": file.name, "size": file.size, "type": file.type, "url": file.url},
            "share_id": file.share_id.hex,
        }
        await self._peer.call("POST", f"/internal/rooms/{room_id}/messages", asked)
