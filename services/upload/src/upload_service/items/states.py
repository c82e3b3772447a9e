"""The progress of uploads, for the share service, and their end when it does not want them any more."""

from collections.abc import Sequence
from uuid import UUID

from upload_service.content.cleaning import clean_soon
from upload_service.content.model import SessionState
from upload_service.content.queries import files, parts, sessions
from upload_service.content.reporting import progress_of
from upload_service.context import Context
from upload_service.items.received import noted_sizes
from upload_service.shares import ItemProgress


async def states_of(context: Context, session_ids: Sequence[UUID]) -> dict[UUID, ItemProgress]:
    """The progress of each of these uploads; one that is not known any more has failed."""
    async with context.db.connection() as connection:
        found = {session.id: session for session in await sessions.sessions_of_ids(connection, session_ids)}
        file_ids = [session.file_id for session in found.values() if session.file_id]
        their_files = {file.id: file for file in await files.files_of_ids(connection, file_ids)}
        stored = await parts.stored_sizes(connection, session_ids)
    still_open = [one.id for one in found.values() if one.state is SessionState.OPEN]
    noted = await noted_sizes(context.limiter, still_open)
    states: dict[UUID, ItemProgress] = {}
    for session_id in session_ids:
        session = found.get(session_id)
        if session is None:
            states[session_id] = ItemProgress("failed")
            continue
        file = their_files.get(session.file_id) if session.file_id else None
        received = max(stored.get(session_id, 0), noted.get(session_id, 0))
        states[session_id] = progress_of(session, file, received)
    return states


async def abort_uploads(context: Context, session_ids: Sequence[UUID]) -> list[UUID]:
    """Abort those of these uploads that are open. Returns the files that the others have become."""
    async with context.db.transaction() as connection:
        await sessions.abort_sessions(connection, session_ids)
        found = await sessions.lock_sessions(connection, session_ids)
    await clean_soon(context, [session for session in found if session.state is SessionState.ABORTED])
    return [session.file_id for session in found if session.file_id]
