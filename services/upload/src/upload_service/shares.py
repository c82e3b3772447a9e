"""The share service, as the upload service asks it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
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


Stage = Literal["open", "verifying", "ready", "aborted", "failed"]


@dataclass(frozen=True, slots=True)
class ItemProgress:
    """The progress of an upload that brings the content of an item of a share."""

    stage: Stage
    """failed: the content is not what was claimed, or the upload was left alone for too long."""
    received: int = 0
    """In bytes."""
    file_id: UUID | None = None
    """The file that it became, once all its bytes are there."""
    sha256: bytes | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "received": self.received,
            "file_id": self.file_id.hex if self.file_id else None,
            "sha256": self.sha256.hex() if self.sha256 else None,
        }


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """An item of a share that waits for its content of `size` bytes, which belongs to `owner` (None: to nobody)."""

    item_id: UUID
    name: str
    size: int
    owner: UUID | None
    session_id: UUID | None = None
    """The upload that was to bring it."""


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

    async def place_of(self, ticket: str) -> ItemPlace:
        """The item whose content is sent with this ticket.

        Raises `NotFound` for one that is none, `Gone` if the share has ended, and `Conflict` if the content is there.
        """
        answer = await self._peer.call("POST", "/internal/items/place", {"ticket": ticket})
        owner, session_id = (UUID(answer[name]) if answer.get(name) else None for name in ("owner", "session_id"))
        return ItemPlace(UUID(answer["item_id"]), str(answer["name"]), int(answer["size"]), owner, session_id)

    async def bind_item(self, item_id: UUID, session_id: UUID) -> UUID | None:
        """Say which session brings the content of an item; returns the one that was to bring it before.

        Raises `NotFound`, `Conflict`.
        """
        answer = await self._peer.call("POST", f"/internal/items/{item_id.hex}/bind", {"session_id": session_id.hex})
        return UUID(answer["earlier"]) if answer["earlier"] else None

    async def report_item(self, item_id: UUID, session_id: UUID, progress: ItemProgress) -> bool:
        """Say what became of the session; whether the item still wants its content."""
        said = {"session_id": session_id.hex, **progress.to_json()}
        answer = await self._peer.call("POST", f"/internal/items/{item_id.hex}/progress", said)
        return bool(answer["is_wanted"])

    async def end(self, file_ids: Sequence[UUID], ended_for: str | None = None) -> None:
        """End every share of these files; `ended_for`: who ended the files, or the reason."""
        asked = {"file_ids": [file_id.hex for file_id in file_ids], "ended_for": ended_for}
        await self._peer.call("POST", "/internal/shares/end", asked)

    async def tell(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Tell of events of this service. Those that it was told of before do no harm."""
        await self._peer.call("POST", "/internal/events", {"events": list(events)})

    async def rename(self, file_id: UUID, name: str) -> None:
        """Give the shares of a file its new name."""
        await self._peer.call("POST", "/internal/shares/rename", {"file_id": file_id.hex, "name": name})

    async def held(self, file_ids: Sequence[UUID]) -> list[UUID]:
        """Those of the files that some share holds."""
        answer = await self._peer.call(
            "POST", "/internal/shares/held", {"file_ids": [file_id.hex for file_id in file_ids]}
        )
        return [UUID(file_id) for file_id in answer["held"]]

    async def archived(self, share_id: UUID, ticket: str) -> dict[str, Any]:
        """The items of a share that is fetched as an archive. Raises `NotFound` for a wrong ticket."""
        return await self._peer.call("POST", f"/internal/archives/{share_id}", {"ticket": ticket})

    async def archived_texts(self, share_id: UUID, ticket: str, item_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The texts of some items of a share that is fetched as an archive."""
        asked = {"ticket": ticket, "item_ids": [item_id.hex for item_id in item_ids]}
        answer = await self._peer.call("POST", f"/internal/archives/{share_id}/texts", asked)
        return {UUID(item_id): str(text) for item_id, text in answer["texts"].items()}
