"""The share service, as the upload service asks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.asked_policy import AskedPolicy
from common.expiry import Expiry
from common.peers import Peer
from common.policy import Policy

ShareKind = Literal["code", "link", "page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShare:
    """A share to be made of a file."""

    origin: UUID
    """Asked again with the same one, share returns the same share."""
    file_id: UUID
    name: str
    size: int | None
    """In bytes."""
    owner: UUID | None
    """An account; None: the share belongs to nobody."""
    expiry: Expiry
    kind: ShareKind = "code"
    extension: str = ""
    """The ending of a link."""
    password_hash: str | None = None
    """Of the share's own password, in PHC string format."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A share that was made."""

    id: UUID
    code: str
    """The code that people type, or the id in a link."""
    delete_key: str
    """With it the shared file may be deleted."""
    created_at: datetime


class Shares:
    """Asks the share service. Every method raises `Unavailable` when it does not answer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._policy = AskedPolicy(peer)

    async def policy(self) -> Policy:
        """The administrator's policy, a few seconds old at most while the share service answers."""
        return await self._policy.current()

    async def create(self, new: NewShare) -> Shared:
        """Make a share."""
        answer = await self._peer.call(
            "POST",
            "/internal/shares",
            {
                "origin": new.origin.hex,
                "file_id": new.file_id.hex,
                "name": new.name,
                "size": new.size,
                "expires_at": new.expiry.at.isoformat() if new.expiry.at else None,
                "uses": new.expiry.uses,
                "owner": new.owner.hex if new.owner else None,
                "form": new.kind,
                "extension": new.extension,
                "password_hash": new.password_hash,
            },
        )
        created_at = datetime.fromisoformat(str(answer["created_at"]))
        return Shared(UUID(answer["id"]), str(answer["code"]), str(answer["delete_key"]), created_at)

    async def end(self, file_ids: Sequence[UUID], ended_for: str | None = None) -> None:
        """End every share of these files; `ended_for`: who ended the files, or the reason."""
        asked = {"file_ids": [file_id.hex for file_id in file_ids], "ended_for": ended_for}
        await self._peer.call("POST", "/internal/shares/end", asked)

    async def rename(self, file_id: UUID, name: str) -> None:
        """Give the shares of a file its new name."""
        await self._peer.call("POST", "/internal/shares/rename", {"file_id": file_id.hex, "name": name})

    async def held(self, file_ids: Sequence[UUID]) -> list[UUID]:
        """Those of the files that some share holds."""
        answer = await self._peer.call(
            "POST", "/internal/shares/held", {"file_ids": [file_id.hex for file_id in file_ids]}
        )
        return [UUID(file_id) for file_id in answer["held"]]
