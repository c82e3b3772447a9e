"""Removing what ended sessions and unreferenced blobs leave in the store.

A row says what is to be removed before anything is, and is updated after everything was: when a process dies in
between, the next sweep does it again.
"""

from datetime import timedelta

from common import logging
from common.errors import Unavailable
from upload_service.content.context import Context
from upload_service.content.files import release_file
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.content.queries import blobs, files, parts, sessions, upload_keys

BATCH = 100
# A sender that comes back within this time is still told what became of its upload.
REMEMBERED = timedelta(days=7)
# The first part that was begun in time with a key may take this long.
KEY_REMEMBERED = timedelta(days=1)

_log = logging.get(__name__)


async def clean_session(context: Context, session: UploadSession) -> None:
    """Remove what belongs to this ended session alone: multipart uploads, staged objects, its object if no blob is it.

    When the store is down, or a writer is still at work, the sweep does it later.
    """
    async with context.db.connection() as connection:
        if await sessions.is_being_written(connection, session.id):
            return
        staged = session.layout in (Layout.STAGED, Layout.APPENDED)
        indexes = await parts.reserved_indexes(connection, session.id) if staged else []
        multiparts = await parts.part_multiparts(connection, session.id)
        is_blob = await blobs.is_blob_object(connection, session.object_key)
    # The object may be one of the staged ones.
    keys = {session.object_key, *map(session.staged_key, indexes)}
    if is_blob:
        keys.remove(session.object_key)
    try:
        # The multipart upload of a ready session is completed.
        if session.multipart_id and session.state is not SessionState.READY:
            await context.store.abort_multipart(session.object_key, session.multipart_id)
        for index, multipart_id in multiparts.items():
            await context.store.abort_multipart(session.staged_key(index), multipart_id)
        for key in keys:
            await context.store.delete(key)
    except Unavailable:
        _log.warning("store down, the sweep cleans up", session=session.id.hex)
        return
    async with context.db.connection() as connection:
        await sessions.set_cleaned(connection, session.id)


async def abort_stale_sessions(context: Context) -> None:
    """Expire sessions whose time is over, clean up after every ended one, and forget old ones and unused keys."""
    async with context.db.connection() as connection:
        while await sessions.expire_sessions(connection, BATCH) == BATCH:
            pass
        ended = await sessions.uncleaned_sessions(connection, BATCH)
    for session in ended:
        await clean_session(context, session)
    async with context.db.connection() as connection:
        await sessions.forget_sessions(connection, REMEMBERED, BATCH)
        await upload_keys.forget_keys(connection, KEY_REMEMBERED)


async def collect_garbage(context: Context, grace: timedelta) -> None:
    """Remove the objects of blobs that no file has named for the whole grace period.

    Marking a blob for removal and taking a reference both update its row, so one of them comes first: either the blob
    stays, or the file's content is stored as a new blob.
    """
    async with context.db.connection() as connection:
        await blobs.condemn_blobs(connection, grace, BATCH)
        condemned = await blobs.condemned_blobs(connection, BATCH)
    for blob in condemned:
        await context.store.delete(blob.object_key)
        async with context.db.connection() as connection:
            await blobs.delete_blob(connection, blob.id)


async def release_unclaimed(context: Context, age: timedelta) -> None:
    """Release files older than `age` that no share holds: their upload died between the file and its share.

    Files that a share holds are marked, and not asked about again.
    """
    async with context.db.connection() as connection:
        candidates = await files.unclaimed_files(connection, age, BATCH)
    if not candidates:
        return
    held = await context.shares.held(candidates)
    async with context.db.connection() as connection:
        await files.claim_files(connection, held)
    for file_id in set(candidates) - set(held):
        await release_file(context, file_id)
