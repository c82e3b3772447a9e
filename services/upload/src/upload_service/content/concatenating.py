"""Concatenating: sessions that grow side by side become one.

The whole is a session that names its pieces, which may still be growing. When all of them have all their bytes, the
whole gets their parts, whose objects stay where they are, so no byte is moved. They are joined like the parts of any
session when it is completed. A session can become part of one other session only.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from common.db import Connection
from common.errors import Conflict, TooLarge
from common.identity import Identity
from common.store import DigestClaim
from upload_service.content.cleaning import clean_soon
from upload_service.content.context import Context
from upload_service.content.model import PIECES, Layout, Quota, SessionState, UploadSession, is_whole
from upload_service.content.queries import parts, sessions, usage
from upload_service.content.sessions import NewUpload, SessionNotFound, begin_upload, living, may_continue


class AlreadyJoined(Conflict):
    """One of the uploads is a part of another one already."""

    code = "already_joined"


async def find_whole(
    context: Context, session_ids: Sequence[UUID], identity: Identity | None, claims: tuple[DigestClaim, ...] = ()
) -> UploadSession | None:
    """The whole that these sessions belong to, in this order, if there is one. Raises what `concatenate` does."""
    async with context.db.transaction() as connection:
        return await _whole_of(connection, await _locked(connection, session_ids, identity), claims)


async def concatenate(
    context: Context, new: NewUpload, session_ids: Sequence[UUID], identity: Identity | None, max_size: int
) -> UploadSession:
    """A session that becomes these others, in this order; asked again, the same one. `join_pieces` does it.

    `max_size`: the most bytes that it may have. The others are open, and the sender may continue them. Raises
    `SessionNotFound`, `SessionExpired`, `AlreadyJoined`, `TooLarge`, and what `begin_upload` raises.
    """
    limits = await context.limits_for(new.owner)
    async with context.db.transaction() as connection:
        pieces = await _locked(connection, session_ids, identity)
        if earlier := await _whole_of(connection, pieces, new.claims):
            return earlier
        sizes = [piece.size for piece in pieces]
        known = sum(size or 0 for size in sizes)
        if known > max_size:
            raise TooLarge
        intent = {**new.intent, PIECES: [session_id.hex for session_id in session_ids]}
        size = None if None in sizes else known
        if all(piece.owner == new.owner for piece in pieces):
            # What an owner makes of pieces of his own is one file in place of several.
            limits = Quota()
        whole = replace(new, size=size, grows=True, intent=intent, is_reserved=False)
        session = await begin_upload(connection, context, whole, limits)
        await sessions.set_whole(connection, session_ids, session.id)
    return session


async def join_pieces(context: Context, whole_id: UUID, max_size: int) -> UploadSession | None:
    """Give a whole the parts of its pieces once all of them are there. None: some are still growing.

    Asked again, it changes nothing. Raises `SessionNotFound`, `SessionExpired`, and `TooLarge` if the pieces, whose
    sizes may have been unknown, have more than `max_size` bytes together.
    """
    async with context.db.connection() as connection:
        known = living(await sessions.get_session(connection, whole_id))
    piece_ids, limits = known.piece_ids, await context.limits_for(known.owner)
    async with context.db.transaction() as connection:
        found = {session.id: session for session in await sessions.lock_sessions(connection, [*piece_ids, whole_id])}
        whole = living(found.get(whole_id))
        pieces = [found[piece_id] for piece_id in piece_ids if piece_id in found]
        if whole.state is not SessionState.OPEN or _are_joined(pieces):
            return whole
        if len(pieces) < len(piece_ids) or not all([await _is_whole(connection, piece) for piece in pieces]):
            return None
        size = sum(piece.size or 0 for piece in pieces)
        if size > max_size:
            raise TooLarge
        await sessions.set_size(connection, whole_id, size)
        await parts.move_parts(connection, piece_ids, whole_id)
        await sessions.set_joined(connection, piece_ids)
        # The pieces have given back what was reserved for them.
        is_own = all(piece.owner == whole.owner for piece in pieces)
        await usage.reserve(connection, whole_id, size, Quota() if is_own else limits)
    await clean_soon(context, pieces)
    return replace(whole, size=size)


async def keep_together(context: Context, whole_id: UUID) -> None:
    """Extend the life of a whole and of all its pieces, because one of them goes on."""
    async with context.db.connection() as connection:
        if whole := await sessions.get_session(connection, whole_id):
            await sessions.extend_sessions(connection, [whole_id, *whole.piece_ids], context.session_lifetime)


async def abort_together(context: Context, session: UploadSession) -> None:
    """Abort the whole that an aborted session is a piece of, and all pieces: nothing can become of them any more."""
    whole_id = session.joined_into or session.id
    async with context.db.transaction() as connection:
        whole = await sessions.get_session(connection, whole_id)
        together = [whole_id, *(whole.piece_ids if whole else [])]
        found = await sessions.lock_sessions(connection, together)
        await sessions.abort_sessions(connection, together)
    await clean_soon(context, [one for one in found if one.state is SessionState.OPEN])


async def _locked(
    connection: Connection, session_ids: Sequence[UUID], identity: Identity | None
) -> list[UploadSession]:
    found = {session.id: session for session in await sessions.lock_sessions(connection, session_ids)}
    return [_permitted(found.get(session_id), identity) for session_id in session_ids]


def _permitted(session: UploadSession | None, identity: Identity | None) -> UploadSession:
    """The session, which may be joined already. Raises `SessionNotFound`, `SessionExpired`."""
    if session is None or session.layout is not Layout.APPENDED or session.item_id or session.piece_ids:
        raise SessionNotFound
    if not may_continue(session, identity):
        raise SessionNotFound
    if session.state is SessionState.ABORTED and session.joined_into:
        return session
    if living(session).state is not SessionState.OPEN:
        raise SessionNotFound
    return session


async def _whole_of(
    connection: Connection, pieces: Sequence[UploadSession], claims: tuple[DigestClaim, ...]
) -> UploadSession | None:
    """The whole of these pieces, unless it has ended before it got their parts.

    Raises `AlreadyJoined`, also if the whole was announced without the digests in `claims`: nobody would compare them.
    """
    wholes = {piece.joined_into for piece in pieces} - {None}
    if not wholes:
        return None
    found = {session.id: session for session in await sessions.sessions_of_ids(connection, list(filter(None, wholes)))}
    ended = (SessionState.ABORTED, SessionState.EXPIRED)
    if all(piece.state is SessionState.OPEN for piece in pieces) and all(
        whole.state in ended or whole.is_overdue for whole in found.values()
    ):
        return None
    if len(wholes) > 1 or any(piece.joined_into is None for piece in pieces):
        raise AlreadyJoined
    whole = living(next(iter(found.values()), None))
    if whole.piece_ids != [piece.id for piece in pieces] or (claims and whole.digest_claims != claims):
        raise AlreadyJoined
    return whole


def _are_joined(pieces: Sequence[UploadSession]) -> bool:
    """Whether the whole has got their parts; pieces are forgotten long after that."""
    return all(piece.state is SessionState.ABORTED and piece.joined_into for piece in pieces)


async def _is_whole(connection: Connection, piece: UploadSession) -> bool:
    return piece.state is SessionState.OPEN and is_whole(piece, await parts.stored_parts(connection, piece.id))
