"""What the upload service asks of the share service."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.errors import Unavailable
from common.expiry import Expiry
from common.peers import Peer
from common.policy import Policy
from upload_service.content.model import EndedFor, UploadSession

# How long a policy is used before it is asked for anew, and how long it may still serve when nobody answers.
FRESH_SECONDS = 3
STALE_SECONDS = 600


Form = Literal["code", "link", "page"]


@dataclass(frozen=True, slots=True)
class Shared:
    """A share that was made."""

    id: UUID
    code: str
    """What people type, or the id in a link."""
    delete_key: str
    """Who shows it may delete what was shared."""
    created_at: datetime


class Shares:
    """The share service, as seen from here."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._policy: Policy | None = None
        self._read_at = float("-inf")

    async def policy(self) -> Policy:
        """What the administrator allows, a few seconds old at most while the share service answers."""
        age = time.monotonic() - self._read_at
        if self._policy is None or age > FRESH_SECONDS:
            try:
                self._policy = Policy.model_validate(await self._peer.call("GET", "/internal/policy"))
                self._read_at = time.monotonic()
            except Unavailable:
                if self._policy is None or age > STALE_SECONDS:
                    raise
        return self._policy

    async def create(
        self,
        session: UploadSession,
        expiry: Expiry,
        form: Form = "code",
        extension: str = "",
        *,
        password_hash: str | None = None,
    ) -> Shared:
        """Share the file that a session became, for the session's owner. The same session always gets the same share.

        `extension`: what a link is to end in; `password_hash`: of the share's own password, in PHC string format.
        """
        assert session.file_id is not None, "only a completed session has a file to share"
        answer = await self._peer.call(
            "POST",
            "/internal/shares",
            {
                "origin": session.id.hex,
                "file_id": session.file_id.hex,
                "name": session.file_name,
                "size": session.size,
                "expires_at": expiry.at.isoformat() if expiry.at else None,
                "uses": expiry.uses,
                "owner": session.owner.hex if session.owner else None,
                "form": form,
                "extension": extension,
                "password_hash": password_hash,
            },
        )
        created_at = datetime.fromisoformat(str(answer["created_at"]))
        return Shared(UUID(answer["id"]), str(answer["code"]), str(answer["delete_key"]), created_at)

    async def end(self, file_ids: Sequence[UUID], ended_for: EndedFor | None = None) -> None:
        """End every share of these files, by whose word or what for."""
        asked = {"file_ids": [file_id.hex for file_id in file_ids], "ended_for": ended_for}
        await self._peer.call("POST", "/internal/shares/end", asked)

    async def rename(self, file_id: UUID, name: str) -> None:
        """Give the shares of a file its new name."""
        await self._peer.call("POST", "/internal/shares/rename", {"file_id": file_id.hex, "name": name})

    async def held(self, file_ids: Sequence[UUID]) -> list[UUID]:
        """Which of these files some share holds."""
        answer = await self._peer.call(
            "POST", "/internal/shares/held", {"file_ids": [file_id.hex for file_id in file_ids]}
        )
        return [UUID(file_id) for file_id in answer["held"]]
