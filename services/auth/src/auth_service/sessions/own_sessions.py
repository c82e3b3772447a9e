"""The sessions of someone who is signed in: listing, adding, replacing and ending them."""

from uuid import UUID

from auth_service.context import Context
from auth_service.directory.lookups import lock_own
from auth_service.sessions import queries
from auth_service.sessions.model import Grant, OpenedSession, Session, SessionNotFound
from auth_service.sessions.opening import open_sessions
from auth_service.sessions.revoking import end_all_but, revoke
from common import clock
from common.identity import Identity, TokenRevoked


async def list_sessions(context: Context, identity: Identity) -> list[Session]:
    """The account's sessions that have not expired, the newest first."""
    async with context.db.connection() as connection:
        return await queries.sessions_of_account(connection, identity.account_id, clock.now())


async def open_session(context: Context, identity: Identity, grant: Grant) -> OpenedSession:
    """Open another session for the account. Raises `TokenRevoked` when it was deleted, `CredentialsUnavailable`."""
    now = clock.now()
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        (opened,) = await open_sessions(context, connection, account, (grant,), now)
        return opened


async def refresh(context: Context, identity: Identity) -> OpenedSession:
    """Replace the session of a signed token by a new one of five days. Of two refreshes at once, one succeeds.

    Raises `TokenRevoked`, `CredentialsUnavailable`.
    """
    now = clock.now()
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        old = await queries.delete_session(connection, account.id, identity.credential_id)
        if old is None:
            raise TokenRevoked
        (opened,) = await open_sessions(context, connection, account, (Grant.token(old.label),), now)
        await revoke(context, [old])
        return opened


async def log_out(context: Context, identity: Identity) -> None:
    """End the session that identified the caller. Raises `TokenRevoked`, `CredentialsUnavailable`."""
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        ended = await queries.delete_session(connection, account.id, identity.credential_id)
        if ended is None:
            raise TokenRevoked
        await revoke(context, [ended])


async def end_session(context: Context, identity: Identity, session_id: UUID) -> None:
    """End one of the account's sessions. Raises `SessionNotFound`, `CredentialsUnavailable`."""
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        ended = await queries.delete_session(connection, account.id, session_id)
        if ended is None:
            raise SessionNotFound
        await revoke(context, [ended])


async def end_other_sessions(context: Context, identity: Identity) -> None:
    """End all of the account's sessions but the present one. Raises `CredentialsUnavailable`."""
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        await end_all_but(context, connection, account.id, identity.credential_id)
