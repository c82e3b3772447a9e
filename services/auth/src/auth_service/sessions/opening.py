"""Opening sessions."""

from datetime import datetime

from auth_service.context import Context
from auth_service.directory.model import Account
from auth_service.directory.queries import note_visit
from auth_service.sessions import queries
from auth_service.sessions.model import (
    LABEL_LENGTH,
    SESSIONS_AT_MOST,
    Grant,
    OpenedSession,
    Session,
    SessionKind,
)
from auth_service.sessions.revoking import revoke
from auth_service.sessions.tokens import sign_session
from auth_service.signing.keys import usable_keys
from common.credentials import digest
from common.db import Connection
from common.ids import new_id


async def open_sessions(
    context: Context, connection: Connection, account: Account, grants: tuple[Grant, ...], now: datetime
) -> tuple[OpenedSession, ...]:
    """Open sessions for an account whose row is locked.

    A new opaque session ends the earlier one, and the oldest sessions beyond `SESSIONS_AT_MOST` end.

    Call this right before the commit. Raises `CredentialsUnavailable`.
    """
    keys = await usable_keys(connection, now)
    if account.is_visit_due(now):
        await note_visit(connection, account.id, now)
    opened: list[OpenedSession] = []
    ended: list[Session] = []
    for grant in grants:
        if grant.kind is SessionKind.OPAQUE:
            ended += await queries.delete_opaque_sessions(connection, account.id)
        session, opaque = _new_session(account, grant, now)
        ended += await queries.insert_session(connection, session, SESSIONS_AT_MOST - 1)
        await context.cache.put(session.credential_name, account.identity(session.id, session.expires_at))
        opened.append(OpenedSession(account, opaque or sign_session(keys, session), session.expires_at))
    await revoke(context, ended)
    return tuple(opened)


def _new_session(account: Account, grant: Grant, now: datetime) -> tuple[Session, str | None]:
    """The session, and its token if that is opaque."""
    expires_at = now + grant.lifetime if grant.lifetime else None
    opaque = str(new_id()) if grant.kind is SessionKind.OPAQUE else None
    label = "".join(c for c in grant.label if c.isprintable())[:LABEL_LENGTH]
    opaque_digest = digest(opaque) if opaque else None
    return Session(new_id(), account.id, grant.kind, label, opaque_digest, now, expires_at), opaque
