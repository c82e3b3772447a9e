"""Completing an upload: its parts become a file, whose content is verified at once or by a worker."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from common import logging
from common.db import Connection
from common.errors import Conflict, InvalidInput, Unavailable
from common.ids import new_id
from common.waiting import wait_until
from upload_service.content.cleaning import clean_session
from upload_service.content.context import Context
from upload_service.content.finishing import insert_file, make_file
from upload_service.content.model import UNVERIFIED, Layout, SessionState, UploadSession, is_whole, sole_part
from upload_service.content.queries import parts, sessions
from upload_service.content.sessions import find_session, living
from upload_service.content.verification import verify_upload

# The pauses of a waiting request between two looks at the session, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.25

_log = logging.get(__name__)


class PartsMissing(Conflict):
    """Not every part has been stored."""

    code = "chunks_missing"


class DigestMismatch(InvalidInput):
    """The content is not what its sender said it is."""

    code = "digest_mismatch"


async def complete_upload(context: Context, session_id: UUID) -> UploadSession:
    """Make a file of the stored parts, and have it verified; asked again, it changes nothing.

    The session returned names its file. Raises `PartsMissing`, `SessionNotFound`, `DigestMismatch`.
    """
    async with context.db.transaction() as connection:
        session = living(await sessions.lock_session(connection, session_id))
        is_first = session.state is SessionState.OPEN
        if is_first:
            session = await _begin_assembly(context, connection, session)
    _check_intact(session)
    if is_first:
        await _have_verified(context, session)
    return session


async def _begin_assembly(context: Context, connection: Connection, session: UploadSession) -> UploadSession:
    stored = await parts.stored_parts(connection, session.id)
    if not is_whole(session, stored):
        raise PartsMissing
    size = sum(part.length for part in stored)
    if session.layout is Layout.APPENDED and (part := sole_part(session, stored)):
        # It was hashed as it arrived, and its object is the content.
        object_key = session.key_of(part)
        await sessions.set_object(connection, session.id, object_key)
        ready, _ = await make_file(connection, context, replace(session, object_key=object_key), size, part.digest)
        return ready
    await insert_file(connection, context, session, new_id(), size)
    running = context.digests.take(session.id, stored)
    # Where the digest contradicts the sender, the object itself is read before it is refused.
    if running and running.satisfies(session.digest_claims):
        await sessions.set_running_digest(connection, session.id, running.sha256)
    await sessions.move_session(connection, session.id, [SessionState.OPEN], SessionState.ASSEMBLING)
    assembling = await sessions.get_session(connection, session.id)
    assert assembling is not None
    return assembling


async def _have_verified(context: Context, session: UploadSession) -> None:
    """Have the content assembled and verified: at once where no byte has to be moved for it, or by a worker."""
    if session.state is SessionState.READY:
        await clean_session(context, session)
        await context.hooks.after_ready(session)
        return
    few_parts = session.layout is Layout.PARTS and (session.part_count or 0) <= context.store.limits.assembled_at_once
    if session.running_sha256 and few_parts:
        try:
            await verify_upload(context, session.id)
        except Unavailable:
            _log.warning("not assembled at once, a worker will", session=session.id.hex)
        else:
            return
    await context.queue.verify(session.id)


async def wait_verified(context: Context, session: UploadSession, patience: timedelta) -> UploadSession:
    """The session once its verification is over, or as it is after `patience`.

    Raises `DigestMismatch`, or `PartsMissing` when parts turned out to be lost and must be sent again.
    """
    session = await wait_until(
        lambda: find_session(context, session.id),
        lambda found: found.state not in UNVERIFIED,
        patience,
        first=FIRST_PAUSE,
        longest=LONGEST_PAUSE,
    )
    if session.state is SessionState.OPEN:
        raise PartsMissing
    _check_intact(session)
    return session


def _check_intact(session: UploadSession) -> None:
    if session.state is SessionState.CORRUPT:
        raise DigestMismatch
