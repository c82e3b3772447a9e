"""What the upload service asks of the chat service: who is in a room, and to post a file there."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.errors import NotFound
from common.identity import Identity
from common.peers import Peer


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A shared file, as it is posted. `size` in bytes; `type` a media type; `url` opens it."""

    name: str
    size: int
    type: str
    url: str
    share_id: UUID
    """By which chat may end what was posted, when its room is at an end."""


class Rooms:
    """The chat service, as seen from here."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def is_member(self, room_id: int, identity: Identity) -> bool:
        """Whether the account is in this room; nobody is in one that there is not. Raises `Unavailable`."""
        asked = {"account_id": identity.account_id.hex}
        try:
            answer = await self._peer.call("POST", f"/internal/rooms/{room_id}/membership", asked)
        except NotFound:
            return False
        return bool(answer["member"])

    async def post_file(self, room_id: int, identity: Identity, file: PostedFile) -> None:
        """Post a file's address as a message of this account. Asked again for the same share, chat posts it once.

        Raises `Unavailable`, `Forbidden` for who may not write there, and what chat does not take: `NotFound`,
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
