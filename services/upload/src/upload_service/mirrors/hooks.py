"""The part that mirrors take in the life of a file: they implement `content.hooks`."""

from collections.abc import Sequence
from uuid import UUID

from common.db import Connection, Database
from upload_service.content.model import Blob, File, UploadSession
from upload_service.mirrors import tickets, wishes
from upload_service.mirrors.context import Queue
from upload_service.mirrors.queries import replicas, wanted
from upload_service.mirrors.sealing import Sealer


class MirrorHooks:
    """Files of accounts are mirrored; files without an owner are not."""

    def __init__(self, db: Database, queue: Queue, sealer: Sealer) -> None:
        self._db, self._queue, self._sealer = db, queue, sealer

    async def file_begun(self, connection: Connection, session: UploadSession, file_id: UUID) -> None:
        """Want the file on the mirrors that its sender named, or else on those of its owner's choice."""
        if session.owner is not None:
            await wanted.add_wishes(connection, file_id, session.owner, session.mirrors)

    async def file_ready(self, connection: Connection, file: File) -> None:
        """Plan a replica on every mirror where the file is wanted."""
        if file.owner is not None:
            await replicas.plan_replicas(connection, file.id)

    async def after_ready(self, session: UploadSession) -> None:
        """Request the copies that were planned."""
        if session.owner is not None and session.file_id is not None:
            await wishes.request_replicas(self._db, self._queue, session.file_id)

    async def files_released(self, connection: Connection, blob_ids: Sequence[UUID]) -> Sequence[UUID]:
        """End the replicas that no file wants any longer; returns their ids."""
        return await replicas.end_unwanted(connection, blob_ids)

    async def after_released(self, ids: Sequence[UUID]) -> None:
        """Request the removal of the replicas that ended."""
        for replica_id in ids:
            await self._queue.replicate(replica_id)

    async def fallback_path(self, connection: Connection, blob: Blob) -> str | None:
        """The path at which the gateway can read the blob from a mirror, if one has it."""
        if not await replicas.is_mirrored(connection, blob.id):
            return None
        return f"/internal/blobs/{blob.id.hex}?ticket={tickets.ticket_for(self._sealer, blob.id)}"
