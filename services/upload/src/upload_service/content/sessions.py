"""Opening, finding and aborting upload sessions."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.db import Connection
from common.errors import Conflict, NotFound, TooLarge
from common.identity import Identity
from common.ids import new_id
from common.names import clean_name
from common.rights import Action, Actor, permitted
from common.store import DigestClaim
from common.store.limits import MAX_OBJECT_SIZE
from upload_service.content.cleaning import clean_session
from upload_service.content.context import Context
from upload_service.content.model import LEASE, Layout, Quota, QuotaExceeded, SessionState, UploadSession, plan_parts
from upload_service.content.queries import parts, sessions

UNBEGUN = timedelta(hours=1)
"""How long an upload lasts that was announced and of which nothing has come, at most."""


class SessionNotFound(NotFound):
    """There is no such upload."""

    code = "session_not_found"


class SessionExpired(SessionNotFound):
    """This upload was left alone for too long."""

    code = "session_expired"


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An upload as its sender announces it."""

    file_name: str
    size: int | None = None
    """In bytes; None: not known before the end."""
    at_least: int = 0
    """If the size is not known, it is no less than this."""
    at_most: int | None = None
    """If the size is not known, it may be known that it is no more than this."""
    is_small: bool = False
    """It is so short that no room is reserved for it: there must be room when it is complete."""
    is_reserved: bool = True
    """Whether room is reserved for it from the beginning; otherwise somebody reserves it later."""
    part_size: int | None = None
    """The length of every part but the last; None: one stream in order, or content that grows."""
    grows: bool = False
    """The content comes in order, in any number of parts (see `appending`)."""
    claims: tuple[DigestClaim, ...] = ()
    resume_key: bytes | None = None
    """While the session is open, starting again with the same key finds it."""
    intent: dict[str, Any] = field(default_factory=dict[str, Any])
    comes_later: bool = False
    """Its bytes come in other requests than the one that announces it, if they come at all (see `UNBEGUN`)."""
    lifetime: timedelta | None = None
    """None: the usual one."""
    owner: UUID | None = None
    """The account whose file it becomes; None: the file belongs to nobody."""
    mirrors: Sequence[int] | None = None
    """The mirrors that the file is wanted on; None: those of the owner's choice."""
    writer: UUID | None = None
    """The writer that holds the first part from the beginning; None: it is free."""


async def start_upload(context: Context, new: NewUpload) -> UploadSession:
    """A new session, or the open one with the same resume key.

    Raises `InvalidInput`, `TooLarge`, `StorageFull`, and `QuotaExceeded` when there is not even room for the least that
    it may become.
    """
    limits = await context.limits_for(new.owner)
    async with context.db.connection() as connection:
        if not new.is_small and new.size is None and new.at_most is not None and new.at_most > new.at_least:
            with suppress(QuotaExceeded):
                return await begin_upload(connection, context, replace(new, at_least=new.at_most), limits)
        return await begin_upload(connection, context, new, limits)


async def begin_upload(connection: Connection, context: Context, new: NewUpload, limits: Quota) -> UploadSession:
    """A new session, or the open one with the same resume key, for which its size or `at_least` is reserved.

    The connection may be inside a transaction that does more than this; `limits`: those of the owner.
    """
    lifetime = new.lifetime or _first_lifetime(context, new)
    session_id = new_id()
    layout, part_count = Layout.APPENDED if new.grows else Layout.STREAM, None
    if new.size is not None and new.size > MAX_OBJECT_SIZE:
        raise TooLarge("larger than an object store can hold")
    if new.size is not None and new.part_size is not None:
        plan = plan_parts(new.size, new.part_size, context.store.limits)
        layout, part_count = plan.layout, plan.part_count
    values = {
        "id": session_id,
        "layout": layout,
        # Every content begins here, so no way of uploading can bring a name that is not clean.
        "file_name": clean_name(new.file_name),
        "size": new.size,
        "part_size": new.part_size,
        "part_count": part_count,
        "object_key": f"blobs/{session_id.hex}",
        "claims": [str(claim) for claim in new.claims],
        "resume_key": new.resume_key,
        "intent": new.intent,
        "owner": new.owner,
        "reserved": _reserved(new),
        "mirrors": None if new.mirrors is None else list(new.mirrors),
        "lifetime": lifetime,
        "writer": new.writer,
        "lease": LEASE,
    }
    while True:
        if new.resume_key is not None:
            # The parts of an upload that goes on are refused one by one, if there is no room for the rest.
            if session := await sessions.extend_by_resume_key(connection, new.resume_key, lifetime):
                return session
            await sessions.expire_by_resume_key(connection, new.resume_key)
        context.store.room.check(new.size or 0)
        if session := await sessions.insert_session(connection, values, limits):
            return session
        # Another request inserted it in between: the next attempt finds it.


def _first_lifetime(context: Context, new: NewUpload) -> timedelta:
    """How long the session lasts until something is sent.

    An announcement alone must not keep room from others for as long as an upload that stands still.
    """
    return min(UNBEGUN, context.session_lifetime) if new.comes_later else context.session_lifetime


def _reserved(new: NewUpload) -> int | None:
    """The bytes that are reserved at the beginning."""
    if new.is_small:
        return None
    if not new.is_reserved:
        return 0
    return new.at_least if new.size is None else new.size


async def resume_upload(context: Context, resume_key: bytes) -> UploadSession | None:
    """The open session with this resume key, if there is one; it lasts for a while longer."""
    async with context.db.connection() as connection:
        return await sessions.extend_by_resume_key(connection, resume_key, context.session_lifetime)


async def find_session(context: Context, session_id: UUID) -> UploadSession:
    """The session, unless it was aborted or its time is over. Raises `SessionNotFound`, `SessionExpired`."""
    async with context.db.connection() as connection:
        return living(await sessions.get_session(connection, session_id))


async def session_to_continue(
    context: Context, session_id: UUID | None, identity: Identity | None, layouts: Collection[Layout]
) -> UploadSession:
    """The session of one of these layouts, if this sender may continue it. Raises `SessionNotFound`, `SessionExpired`.

    Even administrators are told no more than anybody: they have nothing to do with a stranger's upload.
    """
    if session_id is None:
        raise SessionNotFound
    async with context.db.connection() as connection:
        session = living(await sessions.get_session(connection, session_id))
    if session.layout not in layouts or not may_continue(session, identity):
        raise SessionNotFound
    return session


def may_continue(session: UploadSession, identity: Identity | None) -> bool:
    """Whether this sender may go on with the session."""
    # The content of an item was begun with a ticket, perhaps by somebody else than the owner of the share.
    return session.has_ticket or permitted(Action.CONTINUE, Actor(identity), session.owner)


def living(session: UploadSession | None) -> UploadSession:
    """The session. Raises `SessionNotFound` when it was aborted or its file released, or `SessionExpired`."""
    if session is None or session.state is SessionState.ABORTED:
        raise SessionNotFound
    if session.state is SessionState.READY and session.file_id is None:
        raise SessionNotFound
    if session.state is SessionState.EXPIRED or session.is_overdue:
        raise SessionExpired
    return session


async def stored_indexes(context: Context, session: UploadSession) -> list[int]:
    """The indexes of the parts that are stored, in order."""
    if session.state is not SessionState.OPEN:
        return list(range(session.part_count or 0))
    async with context.db.connection() as connection:
        return [part.index for part in await parts.stored_parts(connection, session.id)]


async def abort_upload(context: Context, session_id: UUID) -> None:
    """Abort an open upload and remove what it stored. Raises `SessionNotFound`, `Conflict` once it is complete."""
    async with context.db.transaction() as connection:
        session = living(await sessions.lock_session(connection, session_id))
        if not await sessions.move_session(connection, session_id, [SessionState.OPEN], SessionState.ABORTED):
            raise Conflict("the upload is complete already")
    await clean_session(context, session)
