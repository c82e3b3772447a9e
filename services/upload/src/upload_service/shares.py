"""What the upload service asks of the share service."""

import time
from collections.abc import Sequence
from uuid import UUID

from common.dialects.filecodebox import Expiry, Policy
from common.errors import Unavailable
from common.http.internal import Peer
from upload_service.model import UploadSession

# How long a policy is used before it is asked for anew, and how long it may still serve when nobody answers.
FRESH_SECONDS = 3
STALE_SECONDS = 600


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

    async def create(self, session: UploadSession, expiry: Expiry) -> str:
        """Share the file that a session became; the code. The same session always gets the same code."""
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
            },
        )
        return str(answer["code"])

    async def held(self, file_ids: Sequence[UUID]) -> list[UUID]:
        """Which of these files some share holds."""
        answer = await self._peer.call(
            "POST", "/internal/shares/held", {"file_ids": [file_id.hex for file_id in file_ids]}
        )
        return [UUID(file_id) for file_id in answer["held"]]
