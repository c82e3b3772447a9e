"""Calls to the share service: reading an account's link, and revoking shares."""

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.calls import Calls, NoAnswer
from common.errors import NotFound
from common.peers import Peer, PeerUnavailable, request_headers


class ShareNotFound(NotFound):
    """You have no such link."""

    code = "share_not_found"


@dataclass(frozen=True, slots=True)
class OwnShare:
    """An account's link to a file. `size` in bytes; `type` is the media type that the name suggests.

    `expires_at` None: it does not end by itself.
    """

    name: str
    size: int
    type: str
    code: str
    expires_at: datetime | None


class Shares:
    """The share service."""

    def __init__(self, calls: Calls, share_url: str, peer: Peer) -> None:
        self._calls, self._url, self._peer = calls, share_url, peer

    async def own(self, authorization: str, share_id: UUID) -> OwnShare:
        """A link of the account that sends these credentials. Raises `ShareNotFound`, `PeerUnavailable`.

        The share service decides whose it is, so that nobody can have another account's file revoked by posting it.
        """
        headers = {"Authorization": authorization, **request_headers()}
        try:
            answer = await self._calls.send("GET", f"{self._url}/v1/shares/{share_id}", headers=headers)
        except NoAnswer as error:
            raise PeerUnavailable from error
        if answer.status >= 500:
            raise PeerUnavailable
        found = answer.json() if answer.status == 200 else {}
        if found.get("form") != "link" or found.get("state") != "active":
            raise ShareNotFound
        name = found["name"]
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        ends = found.get("expires_at")
        return OwnShare(name, found["size"], media_type, found["code"], datetime.fromisoformat(ends) if ends else None)

    async def revoke(self, share_ids: Sequence[UUID]) -> None:
        """Revoke shares of any account. Raises `PeerUnavailable`."""
        await self._peer.call("POST", "/internal/shares/revoke", {"share_ids": [str(one) for one in share_ids]})
