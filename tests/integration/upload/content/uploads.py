"""Uploads in parts and streams, against a real database and a real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from common.store import ContentHasher, DigestClaim
from tests.stores import key_at
from upload_service.content import completing, files, sessions, storing, verification
from upload_service.content.model import Layout, Part, UploadSession
from upload_service.content.running_digests import RunningDigests
from upload_service.content.sessions import NewUpload
from upload_service.context import Context


@dataclass
class Bench:
    """A context, and the verifications it was asked for."""

    context: Context
    requested: list[UUID] = field(default_factory=list)

    def is_ready_at_once(self, session: UploadSession) -> bool:
        """Whether completing needs no worker: the digest is known and no byte has to be moved."""
        return type(self.context.digests) is RunningDigests and session.layout is Layout.PARTS

    async def read(self, file_id: UUID) -> bytes:
        """The content that a download would serve."""
        download = await files.open_download(self.context, file_id, "GET")
        return b"".join([block async for block in self.context.store.read(key_at(download.stored_at.path))])

    async def objects(self, session: UploadSession) -> list[str]:
        """The keys of this session under which the store has an object."""
        keys = [session.object_key, *(session.staged_key(index) for index in range(session.part_count or 0))]
        return [key for key in keys if await self.context.store.stat(key)]


class Forgetful(RunningDigests):
    """As after a restart, or when the parts went through several replicas: objects are read back."""

    def take(self, session_id: UUID, stored: list[Part]) -> ContentHasher | None:
        super().take(session_id, stored)
        return None


needs_a_worker = pytest.mark.parametrize("bench", [Forgetful], indirect=True)


async def blocks(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


class Known:
    """A source of known length."""

    def __init__(self, content: bytes, *, certain: bool = True) -> None:
        self._content, self._left, self._certain = content, len(content), certain

    def certain(self) -> int:
        return self._left if self._certain else 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in blocks(self._content):
            self._left -= len(block)
            yield block


async def send_parts(bench: Bench, content: bytes, part_size: int, *claims: DigestClaim) -> UploadSession:
    new = NewUpload("name.bin", size=len(content), part_size=part_size, claims=claims)
    session = await sessions.start_upload(bench.context, new)
    for index in range(session.part_count or 0):
        part = content[index * part_size : (index + 1) * part_size]
        await storing.store_part(bench.context, session, index, blocks(part))
    return session


async def complete(bench: Bench, session: UploadSession) -> UploadSession:
    session = await completing.complete_upload(bench.context, session.id)
    await verification.verify_upload(bench.context, session.id)
    return await completing.wait_verified(bench.context, session, timedelta(seconds=5))
