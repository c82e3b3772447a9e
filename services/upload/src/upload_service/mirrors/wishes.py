"""The mirrors on which files are wanted, and the state of their replicas there.

A wish is a row that names a file and a mirror. Replicas belong to blobs and follow from the wishes of their files.
Wishes for a blob and its replicas change only while its row is locked, so no replica is ended that was just wanted.
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
from upload_service.mirrors.queries import claimed, mirrors, replicas, wanted

_log = logging.get(__name__)


class MirrorNotFound(NotFound):
    """There is no such mirror."""

    code = "mirror_not_found"


async def want_mirrors(context: Context, file: File, mirror_ids: Sequence[int] | None) -> None:
    """Have a file copied to more mirrors; None stands for those of its owner's choice.

    Raises `MirrorNotFound` unless the owner may use them all; then nothing has changed.
    """
    if file.owner is None:
        raise MirrorNotFound("only files that have an owner are mirrored")
    async with context.db.transaction() as connection:
        usable = {mirror.id for mirror in await wanted.mirrors_for(connection, file.owner)}
        if mirror_ids is not None and not set(mirror_ids) <= usable:
            raise MirrorNotFound
        await _locked(connection, file.id)
        await wanted.add_wishes(connection, file.id, file.owner, mirror_ids)
        await replicas.plan_replicas(connection, file.id)
    await request_replicas(context.db, context.queue, file.id)


async def unwant_mirror(context: Context, file: File, mirror_id: int) -> None:
    """Have a file's replica removed from a mirror, unless another file wants it there, and break off its copy.

    Raises `MirrorNotFound` when the file is not wanted there.
    """
    async with context.db.transaction() as connection:
        current = await _locked(connection, file.id)
        if not await wanted.delete_wish(connection, file.id, mirror_id):
            raise MirrorNotFound("the file is not on this mirror")
        ended = await replicas.end_unwanted(connection, [current.blob_id]) if current.blob_id else []
    for replica_id in ended:
        await context.queue.replicate(replica_id)


async def retry_replica(context: Context, file: File, mirror_id: int) -> None:
    """Try a failed copy again now, or check a verified one. Raises `MirrorNotFound`."""
    async with context.db.connection() as connection:
        if not await replicas.try_again(connection, file.id, mirror_id):
            raise MirrorNotFound("there is nothing to be tried again on this mirror")
    await request_replicas(context.db, context.queue, file.id)


async def replicas_of_file(context: Context, file_id: UUID) -> list[FileReplica]:
    """The state of a file on every mirror where it is wanted."""
    async with context.db.connection() as connection:
        found = await wanted.wishes_of_file(connection, file_id)
        by_id = {mirror.id: mirror for mirror in await mirrors.all_mirrors(connection)} if found else {}
    return [_file_replica(by_id[mirror_id], replica) for mirror_id, replica in found if mirror_id in by_id]


def _file_replica(mirror: Mirror, replica: Replica | None) -> FileReplica:
    if replica is None:
        # The file is still being verified.
        return FileReplica(mirror.id, mirror.name, ReplicaState.QUEUED, 0, None, None, None)
    is_there = replica.state is ReplicaState.VERIFIED
    url = mirror.link(replica.path, replica.url) if is_there else None
    return FileReplica(
        mirror.id, mirror.name, replica.state, replica.bytes_done, url, replica.error, replica.verified_at
    )


async def _locked(connection: Connection, file_id: UUID) -> File:
    """The file, locked together with its blob. Raises `NotFound`."""
    file = await files.lock_file(connection, file_id)
    if file is None:
        raise NotFound
    if file.blob_id:
        await blobs.lock_blob(connection, file.blob_id)
    return file


async def request_replicas(db: Database, queue: Queue, file_id: UUID) -> None:
    """Have the replicas of a file worked on soon.

    This follows a commit and must not fail: the sweep finds replicas whose request is lost.
    """
    try:
        async with db.connection() as connection:
            due = await claimed.due_for_file(connection, file_id)
    except Unavailable as error:
        _log.warning("replicas are left to the sweep", file=file_id.hex, error=error.message)
        return
    for replica_id in due:
        await queue.replicate(replica_id)
