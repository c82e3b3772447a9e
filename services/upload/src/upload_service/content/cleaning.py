"""Removing what ended sessions and unreferenced blobs leave in the store.

A row says what is to be removed before anything is, and is updated after everything was: when a process dies in
between, the next sweep does it again.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from common import logging
from common.errors import Unavailable
from common.sweeping import Sweep, drain, each
from upload_service.content.context import Context
from upload_service.content.files import release_files
from upload_service.content.model import Layout, SessionState, UploadSession, session_of_key
from upload_service.content.queries import blobs, files, parts, sessions, upload_keys

BATCH = 500
# A file that somebody writes is touched more often.
UNTOUCHED = timedelta(minutes=10)
# A sender that comes back within this time is still told what became of its upload.
REMEMBERED = timedelta(days=7)
# The first part that was begun in time with a key may take this long.
KEY_REMEMBERED = timedelta(days=1)

_log = logging.get(__name__)


async def clean_session(context: Context, session: UploadSession) -> None:
    """`clean_soon` for one session."""
    await clean_soon(context, [session])


async def clean_soon(context: Context, ended: Sequence[UploadSession]) -> None:
    """Remove what belongs to these ended sessions alone: now if that is possible, else by the sweep."""
    try:
        await clean_sessions(context, ended)
    except Unavailable as error:
        ids = [session.id.hex for session in ended]
        _log.warning("ended uploads are left to the sweep", sessions=ids, error=error.message)


async def clean_sessions(context: Context, ended: Sequence[UploadSession]) -> None:
    """Remove what belongs to these ended sessions alone: multipart uploads, staged objects, objects that are no blobs.

    A session that a writer is still at work on is left to the sweep. Raises `Unavailable`.
    """
    ids = [session.id for session in ended]
    async with context.db.connection() as connection:
        busy = await sessions.being_written(connection, ids)
        indexes = await parts.reserved_indexes(connection, ids)
        multiparts = await parts.part_multiparts(connection, ids)
        moved = await parts.moved_keys(connection, ids)
        kept = await blobs.keys_of_blobs(connection, [session.object_key for session in ended])

    async def clean(session: UploadSession) -> Unavailable | None:
        staged = session.layout in (Layout.STAGED, Layout.APPENDED)
        # The object may be one of the staged ones.
        keys = {session.object_key, *moved.get(session.id, [])}
        if staged:
            keys.update(session.staged_key(index) for index in indexes.get(session.id, []))
        try:
            # The multipart upload of a ready session is completed.
            if session.multipart_id and session.state is not SessionState.READY:
                await context.store.abort_multipart(session.object_key, session.multipart_id)
            for index, multipart_id in multiparts.get(session.id, {}).items():
                await context.store.abort_multipart(session.staged_key(index), multipart_id)
            for key in keys - kept:
                await context.store.delete(key)
        except Unavailable as error:
            return error
        return None

    free = [session for session in ended if session.id not in busy]
    errors = await each(free, clean)
    async with context.db.connection() as connection:
        cleaned = [session.id for session, error in zip(free, errors, strict=True) if error is None]
        await sessions.set_cleaned(connection, cleaned)
    for error in filter(None, errors):
        raise error


async def abort_stale_sessions(context: Context) -> None:
    """Expire sessions whose time is over, clean up after every ended one, and forget old ones and unused keys."""
    await drain(context, STALE)
    await remove_unfinished(context)


async def remove_unfinished(context: Context) -> None:
    """Remove what killed processes left unfinished in the store and no living session needs. Raises `Unavailable`."""
    found = await context.store.unfinished(UNTOUCHED)
    for first in range(0, len(found), BATCH):
        owners = {upload: session_of_key(upload.key) for upload in found[first : first + BATCH]}
        async with context.db.connection() as connection:
            living = await sessions.living_uploads(connection, [owner for owner in owners.values() if owner])
        for upload, owner in owners.items():
            session = living.get(owner) if owner else None
            if session is None or not session.needs(upload.upload_id):
                _log.info("an unfinished file is removed", key=upload.key)
                await context.store.abort_multipart(upload.key, upload.upload_id)


async def _expire(context: Context) -> int:
    async with context.db.connection() as connection:
        return await sessions.expire_sessions(connection, BATCH)


async def _clean(context: Context) -> int:
    async with context.db.connection() as connection:
        ended = await sessions.uncleaned_sessions(connection, BATCH)
    await clean_sessions(context, ended)
    return len(ended)


async def _forget_sessions(context: Context) -> int:
    async with context.db.connection() as connection:
        return await sessions.forget_sessions(connection, REMEMBERED, BATCH)


async def _forget_keys(context: Context) -> int:
    async with context.db.connection() as connection:
        return await upload_keys.forget_keys(connection, KEY_REMEMBERED, BATCH)


STALE = (
    Sweep("uploads to expire", _expire, sessions.count_overdue),
    Sweep("uploads to clean up after", _clean, sessions.count_uncleaned),
    Sweep("uploads to forget", _forget_sessions, partial(sessions.count_forgotten, age=REMEMBERED)),
    Sweep("upload keys to forget", _forget_keys, partial(upload_keys.count_forgotten, age=KEY_REMEMBERED)),
)


async def collect_garbage(context: Context, grace: timedelta) -> None:
    """Remove the objects of blobs that no file has named for the whole grace period.

    Marking a blob for removal and taking a reference both update its row, so one of them comes first: either the blob
    stays, or the file's content is stored as a new blob. While a backup runs, none is marked.
    """
    await drain(context, [garbage(grace)])


def garbage(grace: timedelta) -> Sweep[Context]:
    """The sweep of blobs that no file has named for the whole grace period."""

    async def remove(context: Context) -> int:
        async with context.db.transaction() as connection:
            if await blobs.may_remove(connection):
                await blobs.condemn_blobs(connection, grace, BATCH)
        async with context.db.connection() as connection:
            condemned = await blobs.condemned_blobs(connection, BATCH)
        await context.store.delete_many([blob.object_key for blob in condemned])
        async with context.db.connection() as connection:
            await blobs.delete_blobs(connection, [blob.id for blob in condemned])
        return len(condemned)

    return Sweep("contents to remove", remove, partial(blobs.count_garbage, grace=grace))


async def release_unclaimed(context: Context, age: timedelta) -> None:
    """Release files older than `age` that no share holds: their upload died between the file and its share.

    Files that a share holds are marked, and not asked about again.
    """
    await drain(context, [unclaimed(age)])


def unclaimed(age: timedelta) -> Sweep[Context]:
    """The sweep of files older than `age` that no share is known to hold."""

    async def release(context: Context) -> int:
        async with context.db.connection() as connection:
            candidates = await files.unclaimed_files(connection, age, BATCH)
        if candidates:
            held = await context.shares.held(candidates)
            async with context.db.connection() as connection:
                await files.claim_files(connection, held)
            await release_files(context, list(set(candidates) - set(held)))
        return len(candidates)

    return Sweep("files without a share", release, partial(files.count_unclaimed, age=age))
