"""On which mirrors files are wanted, and what became of it.

A wish is a row that names a file and a mirror; the replicas follow from the wishes, by blob. Wishes and replicas of a
blob only change while its row is held, so that none is removed that has just been wanted.
"""

from collections.abc import Sequence
from uuid import UUID

from common import logging
from common.db import Connection, Database
from common.errors import NotFound, Unavailable
from upload_service.content.model import File
from upload_service.content.queries import blobs, files
from upload_service.mirrors.context import Context, Queue
from upload_service.mirrors.model import FileReplica, Mirror, Replica, ReplicaState
from upload_service.mirrors.queries import mirrors, replicas

_log = logging.get(__name__)


class MirrorNotFound(NotFound):
    """There is no such mirror."""

    code = "mirror_not_found"


async def want_mirrors(context: Context, file: File, mirror_ids: Sequence[int] | None) -> None:
    """Have a file mirrored where its owner wants it, besides where it is; None: on the mirrors of the owner's choice.

    Raises `MirrorNotFound` unless the owner may use them all, and then nothing has changed.
    """
    if file.owner is None:
        raise MirrorNotFound("what is nobody's is mirrored nowhere")
    async with context.db.transaction() as connection:
        usable = {mirror.id for mirror in await mirrors.usable_mirrors(connection, file.owner)}
        if mirror_ids is not None and not set(mirror_ids) <= usable:
            raise MirrorNotFound
        await _held(connection, file.id)
        await mirrors.want_mirrors(connection, file.id, file.owner, mirror_ids)
        await replicas.plan_replicas(connection, file.id)
    await request_replicas(context, file.id)


async def unwant_mirror(context: Context, file: File, mirror_id: int) -> None:
    """Have a file's replica on a mirror removed, unless another file wants it there, and break off its copy.

    Raises `MirrorNotFound` when it is not wanted there.
    """
    async with context.db.transaction() as connection:
        current = await _held(connection, file.id)
        if not await mirrors.unwant_mirror(connection, file.id, mirror_id):
            raise MirrorNotFound("the file is not on this mirror")
        condemned = await replicas.condemn_replicas(connection, current.blob_id) if current.blob_id else []
    for replica_id in condemned:
        await context.queue.replicate(replica_id)


async def retry_replica(context: Context, file: File, mirror_id: int) -> None:
    """Try a copy that failed again now, or check a replica that is verified. Raises `MirrorNotFound`."""
    async with context.db.connection() as connection:
        if not await replicas.retry_replica(connection, file.id, mirror_id):
            raise MirrorNotFound("there is nothing to be tried again on this mirror")
    await request_replicas(context, file.id)


async def replicas_of_file(context: Context, file_id: UUID) -> list[FileReplica]:
    """What became of a file on every mirror that it is wanted on."""
    async with context.db.connection() as connection:
        wanted = await replicas.wanted_replicas(connection, file_id)
        named = {mirror.id: mirror for mirror in await mirrors.all_mirrors(connection)} if wanted else {}
    return [_seen(named[mirror_id], replica) for mirror_id, replica in wanted if mirror_id in named]


def _seen(mirror: Mirror, replica: Replica | None) -> FileReplica:
    if replica is None:
        # The file is still being verified.
        return FileReplica(mirror.id, mirror.name, ReplicaState.QUEUED, 0, None, None, None)
    is_there = replica.state is ReplicaState.VERIFIED
    url = mirror.link(replica.path, replica.url) if is_there else None
    return FileReplica(
        mirror.id, mirror.name, replica.state, replica.bytes_done, url, replica.error, replica.verified_at
    )


async def _held(connection: Connection, file_id: UUID) -> File:
    """The file, with its blob held still. Raises `NotFound`."""
    file = await files.lock_file(connection, file_id)
    if file is None:
        raise NotFound
    if file.blob_id:
        await blobs.lock_blob(connection, file.blob_id)
    return file


async def request_replicas(context: Context, file_id: UUID) -> None:
    """Have the replicas of a file worked on soon. A sweep finds what gets lost, so this fails nothing."""
    await request_due(context.db, context.queue, file_id)


async def request_due(db: Database, queue: Queue, file_id: UUID) -> None:
    """`request_replicas` for who has no context."""
    try:
        async with db.connection() as connection:
            due = await replicas.due_for_file(connection, file_id)
    except Unavailable as error:
        _log.warning("replicas are left to the sweep", file=file_id.hex, error=error.message)
        return
    for replica_id in due:
        await queue.replicate(replica_id)
