"""Ending sessions within the transaction of another change."""

from collections.abc import Iterable
from uuid import UUID

from auth_service.context import Context
from auth_service.sessions import queries
from auth_service.sessions.model import Session
from common.db import Connection

NO_SESSION = UUID(int=0)


async def revoke(context: Context, ended: Iterable[Session]) -> None:
    """Tell the cache that these sessions have ended, right before the commit. Raises `CredentialsUnavailable`."""
    names = [session.credential_name for session in ended]
    if names:
        await context.cache.revoke(names)


async def end_all_but(context: Context, connection: Connection, account_id: UUID, kept: UUID) -> None:
    """End all sessions of the account but `kept`, right before the commit. Raises `CredentialsUnavailable`."""
    await revoke(context, await queries.delete_sessions(connection, account_id, keep=kept))


async def end_all(context: Context, connection: Connection, account_id: UUID) -> None:
    """End all sessions of the account, right before the commit. Raises `CredentialsUnavailable`."""
    await end_all_but(context, connection, account_id, NO_SESSION)
