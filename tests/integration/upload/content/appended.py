"""Content that grows request by request, against a real database and a real store."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common.store import DigestClaim
from common.store.limits import MIB
from tests.stores import key_at
from upload_service.content import completing, files, sessions, verification
from upload_service.content.appending import Appending
from upload_service.content.model import UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.context import Context

LIMIT = 64 * MIB


class Source:
    """Bytes on their way, which may break off before their end."""

    def __init__(self, content: bytes, *, certain: bool = True, breaks: bool = False) -> None:
        self._content, self._certain, self._breaks = content, certain, breaks
        self._left = len(content)
        self.turn = asyncio.Event()
        self.turn.set()

    def certain(self) -> int:
        return self._left if self._certain else 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 65536):
            block = self._content[start : start + 65536]
            self._left -= len(block)
            yield block
            await self.turn.wait()
        if self._breaks:
            raise ConnectionError


@dataclass
class Growing:
    """A context, and the verifications it was asked for."""

    context: Context
    requested: list[UUID] = field(default_factory=list[UUID])

    async def start(self, size: int | None, *claims: DigestClaim) -> UploadSession:
        return await sessions.start_upload(self.context, NewUpload("n", size=size, grows=True, claims=claims))

    async def append(self, session: UploadSession, content: bytes, at: int | None = None, **how: bool) -> int:
        """Append, or write at an earlier offset; how much is stored then."""
        async with Appending(self.context, session) as turn:
            await turn.write(turn.size if at is None else at, Source(content, **how), LIMIT)
        return turn.size

    async def complete(self, session: UploadSession) -> UploadSession:
        completed = await completing.complete_upload(self.context, session.id)
        for session_id in self.requested:
            await verification.verify_upload(self.context, session_id)
        return await completing.wait_verified(self.context, completed, timedelta(0))

    async def read(self, session: UploadSession) -> bytes:
        """The content that a download would serve."""
        assert session.file_id
        download = await files.open_download(self.context, session.file_id, "GET")
        key = key_at(download.stored_at.path)
        content = b"".join([block async for block in self.context.store.read(key)])
        assert download.sha256 == hashlib.sha256(content).digest()
        return content

    async def objects(self, session: UploadSession) -> list[str]:
        """The keys of this session under which the store has an object."""
        current = await self.ask("select object_key from upload_session where id = %s", session.id)
        keys = {f"blobs/{session.id.hex}", current[0][0], *(session.staged_key(index) for index in range(10))}
        return sorted([key for key in keys if await self.context.store.stat(key)])

    async def ask(self, statement: str, *values: object) -> list[tuple[str]]:
        async with self.context.db.connection() as connection:
            return await (await connection.execute(statement.encode(), values)).fetchall()  # type: ignore[return-value]
