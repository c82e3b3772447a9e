"""The last step of every upload: its content is known and becomes a blob, or is found corrupt."""

from uuid import UUID

from common.db import Connection
from common.ids import new_id
from common.metrics import Counter
from common.statistics import count
from upload_service.content.context import Context
from upload_service.content.model import UNVERIFIED, Blob, FileState, Layout, SessionState, UploadSession
from upload_service.content.queries import blobs, files, sessions

UNFINISHED = (SessionState.OPEN, *UNVERIFIED)
UPLOADS = Counter("waystation_uploads", "Uploads that ended, by their last state.", ["state"])
UPLOADED = Counter("waystation_uploaded_bytes", "Bytes of the files that became ready.")


async def insert_file(
    connection: Connection, context: Context, session: UploadSession, file_id: UUID, size: int
) -> None:
    """Insert the file that a session becomes."""
    _count_sent(size)
    await files.insert_file(connection, file_id, session.file_name, size, session.owner)
    await sessions.attach_file(connection, session.id, file_id, size)
    await context.hooks.file_begun(connection, session, file_id)


async def make_file(
    connection: Connection, context: Context, session: UploadSession, size: int, sha256: bytes
) -> tuple[UploadSession, bool]:
    """Make a ready file of an open session whose content is verified already. The session is locked.

    Returns the session after that, and whether nothing is left that belongs to it alone.
    """
    _count_sent(size)
    blob_id, is_new = await _reference(connection, session.object_key, size, sha256)
    file = await files.insert_ready_file(connection, new_id(), session.file_name, size, session.owner, blob_id)
    await context.hooks.file_begun(connection, session, file.id)
    await context.hooks.file_ready(connection, file)
    is_clean = is_new and session.layout is Layout.STREAM
    _count_ready(size)
    return await sessions.end_ready(connection, session.id, file.id, size, is_clean=is_clean), is_clean


async def make_ready(
    connection: Connection, context: Context, session_id: UUID, size: int, sha256: bytes
) -> UploadSession:
    """Point the session's file at the blob with this content: an existing one, or a new one made of the object.

    A file that was released meanwhile takes no reference. A finished session stays as it is.
    """
    session = await _locked(connection, session_id)
    if session.state not in UNFINISHED:
        return session
    file = await files.lock_file(connection, session.file_id) if session.file_id else None
    if file is not None:
        blob_id, _ = await _reference(connection, session.object_key, size, sha256)
        await files.finish_file(connection, file.id, FileState.READY, blob_id)
        await context.hooks.file_ready(connection, file)
    await sessions.move_session(connection, session_id, UNFINISHED, SessionState.READY)
    _count_ready(size)
    return await _locked(connection, session_id)


async def mark_corrupt(context: Context, session_id: UUID) -> UploadSession:
    """Record that the content is not what its sender claimed: it is never served."""
    async with context.db.transaction() as connection:
        session = await _locked(connection, session_id)
        if session.file_id and session.state in UNVERIFIED:
            await files.finish_file(connection, session.file_id, FileState.CORRUPT, None)
            UPLOADS.add(SessionState.CORRUPT)
        await sessions.move_session(connection, session_id, UNVERIFIED, SessionState.CORRUPT)
        return await _locked(connection, session_id)


def _count_sent(size: int) -> None:
    """Count an upload whose bytes are all there: while the request that sent the last of them goes on."""
    count("uploads")
    count("bytes_in", size)


def _count_ready(size: int) -> None:
    UPLOADS.add(SessionState.READY)
    UPLOADED.add(by=size)


async def _reference(connection: Connection, object_key: str, size: int, sha256: bytes) -> tuple[UUID, bool]:
    """The blob with this content, with one more reference, and whether it was made of this object now."""
    while True:
        blob = Blob(new_id(), object_key, size, sha256)
        if await blobs.insert_blob(connection, blob):
            return blob.id, True
        # Another upload of the same content came first, or its blob has just been removed.
        if existing := await blobs.reference_content(connection, sha256, size):
            return existing, False


async def _locked(connection: Connection, session_id: UUID) -> UploadSession:
    session = await sessions.lock_session(connection, session_id)
    assert session is not None, "sessions are forgotten only long after they ended"
    return session
