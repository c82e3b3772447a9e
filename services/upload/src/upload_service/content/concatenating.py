"""Concatenating: sessions that grew side by side become one.

The new session gets the parts of the others, whose objects stay where they are, so no byte is moved. They are joined
like the parts of any session when it is completed. A session can become part of one other session only.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from common.db import Connection
from common.errors import Conflict, InvalidInput, TooLarge
from common.identity import Identity
from common.rights import Action, Actor, permitted
from upload_service.content.cleaning import clean_soon
from upload_service.content.context import Context
from upload_service.content.model import Layout, SessionState, UploadSession, is_whole
from upload_service.content.queries import parts, sessions
from upload_service.content.sessions import NewUpload, SessionNotFound, begin_upload, living


class Unfinished(InvalidInput):
    """One of the uploads has not all its bytes yet."""

    code = "upload_unfinished"


class AlreadyJoined(Conflict):
    """One of the uploads is a part of another one already."""

    code = "already_joined"


async def concatenate(
    context: Context, new: NewUpload, session_ids: Sequence[UUID], identity: Identity | None, max_size: int
) -> UploadSession:
    """A session with the parts of the others, in this order; asked again, the same one.

    `max_size`: the most bytes that it may have. The others are open and whole, and the sender may continue them. Raises
    `SessionNotFound`, `Unfinished`, `AlreadyJoined`, `TooLarge`, and what `begin_upload` raises.
    """
    async with context.db.transaction() as connection:
        found = {session.id: session for session in await sessions.lock_sessions(connection, session_ids)}
        joined = [_permitted(found.get(session_id), identity) for session_id in session_ids]
        into = {session.joined_into for session in joined}
        if len(into) == 1 and (earlier := into.pop()):
            return living(await sessions.get_session(connection, earlier))
        if into - {None}:
            raise AlreadyJoined
        size = sum([await _size_of_whole(connection, session) for session in joined])
        if size > max_size:
            raise TooLarge
        session = await begin_upload(connection, context, replace(new, size=size, grows=True))
        await parts.move_parts(connection, session_ids, session.id)
        await sessions.set_joined(connection, session_ids, session.id)
    await clean_soon(context, joined)
    return session


def _permitted(session: UploadSession | None, identity: Identity | None) -> UploadSession:
    """The session, which may be joined already. Raises `SessionNotFound`, `SessionExpired`."""
    if session is None or session.layout is not Layout.APPENDED:
        raise SessionNotFound
    if not permitted(Action.CONTINUE, Actor(identity), session.owner):
        raise SessionNotFound
    return session if session.joined_into else living(session)


async def _size_of_whole(connection: Connection, session: UploadSession) -> int:
    stored = await parts.stored_parts(connection, session.id)
    if session.state is not SessionState.OPEN or not is_whole(session, stored):
        raise Unfinished
    return session.size or 0
