"""Opening sessions, and ending them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from auth_service.accounts import credentials
from auth_service.context import Context
from auth_service.directory import queries as accounts
from auth_service.directory.model import (
    BOT_LIFETIME,
    SESSION_LIFETIME,
    SESSIONS_AT_MOST,
    Account,
    Session,
    SessionKind,
    SignedIn,
    SigningKey,
)
from auth_service.sessions import queries
from auth_service.signing import keys as signing
from common import clock
from common.credentials import digest
from common.db import Connection
from common.errors import NotFound
from common.identity import Identity, TokenRevoked
from common.ids import new_id

LABEL_LENGTH = 100


class SessionNotFound(NotFound):
    """There is no such session."""

    code = "session_not_found"


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that is to be opened. `lifetime` None: for ever; `label`: what its owner may know it by."""

    kind: SessionKind
    lifetime: timedelta | None
    label: str
    alone: bool = False
    """It replaces the account's earlier sessions of kind `opaque`."""

    @staticmethod
    def token(label: str, *, bot: bool = False) -> "Grant":
        """A signed token, of five days or of half a year."""
        return Grant(SessionKind.TOKEN, BOT_LIFETIME if bot else SESSION_LIFETIME, label)

    @staticmethod
    def opaque(label: str, *, alone: bool = False) -> "Grant":
        """A random text that lives until it is signed out."""
        return Grant(SessionKind.OPAQUE, None, label, alone)


async def open_sessions(
    context: Context, connection: Connection, account: Account, grants: tuple[Grant, ...], now: datetime
) -> tuple[SignedIn, ...]:
    """Open sessions for an account whose row is locked; the oldest beyond `SESSIONS_AT_MOST` end.

    To be called right before the commit. Raises `CredentialsUnavailable`.
    """
    keys = await signing.signing_keys(connection, now)
    opened: list[SignedIn] = []
    ended: list[Session] = []
    for grant in grants:
        if grant.alone:
            ended += await queries.delete_opaque_sessions(connection, account.id)
        opened.append(await _open(context, connection, account, grant, keys, now))
    ended += await queries.delete_surplus(connection, account.id, SESSIONS_AT_MOST)
    await credentials.revoke(context.cache, ended)
    return tuple(opened)


async def _open(
    context: Context,
    connection: Connection,
    account: Account,
    grant: Grant,
    keys: list[SigningKey],
    now: datetime,
) -> SignedIn:
    expires_at = now + grant.lifetime if grant.lifetime else None
    opaque = str(new_id()) if grant.kind is SessionKind.OPAQUE else None
    label = "".join(c for c in grant.label if c.isprintable())[:LABEL_LENGTH]
    opaque_digest = digest(opaque) if opaque else None
    session = Session(new_id(), account.id, grant.kind, label, opaque_digest, now, expires_at)
    await queries.insert_session(connection, session)
    await context.cache.put(credentials.name_of_session(session), account.identity(session.id, expires_at))
    return SignedIn(account, session.id, opaque or signing.sign_session(keys, session), expires_at)


async def open_for(context: Context, identity: Identity, grant: Grant) -> SignedIn:
    """Open another session for someone who is signed in. Raises `TokenRevoked` when the account is gone."""
    now = clock.now()
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        return (await open_sessions(context, connection, account, (grant,), now))[0]


async def refresh(context: Context, identity: Identity) -> SignedIn:
    """Replace the session of a signed token by a new one of five days; of two at once, one succeeds.

    Raises `TokenRevoked`, `CredentialsUnavailable`.
    """
    now = clock.now()
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        old = await queries.delete_session(connection, account.id, identity.credential_id)
        if old is None:
            raise TokenRevoked
        opened = await open_sessions(context, connection, account, (Grant.token(old.label),), now)
        await credentials.revoke(context.cache, [old])
        return opened[0]


async def log_out(context: Context, identity: Identity) -> None:
    """End the session that `identity` was shown by. Raises `TokenRevoked`, `CredentialsUnavailable`."""
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        ended = await queries.delete_session(connection, account.id, identity.credential_id)
        if ended is None:
            raise TokenRevoked
        await credentials.revoke(context.cache, [ended])


async def end_session(context: Context, identity: Identity, session_id: UUID) -> None:
    """End one of one's own sessions. Raises `SessionNotFound`, `CredentialsUnavailable`."""
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        ended = await queries.delete_session(connection, account.id, session_id)
        if ended is None:
            raise SessionNotFound
        await credentials.revoke(context.cache, [ended])


async def end_other_sessions(context: Context, identity: Identity) -> None:
    """End all of one's own sessions but the present one. Raises `CredentialsUnavailable`."""
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        ended = await queries.delete_sessions(connection, account.id, keep=identity.credential_id)
        await credentials.revoke(context.cache, ended)


async def list_sessions(context: Context, identity: Identity) -> list[Session]:
    """One's own living sessions, the newest first."""
    async with context.db.connection() as connection:
        return await queries.sessions_of_account(connection, identity.account_id, clock.now())


async def lock_own(connection: Connection, identity: Identity) -> Account:
    """The account behind `identity`, locked. Raises `TokenRevoked` when it is gone."""
    account = await accounts.lock_account(connection, identity.account_id)
    if account is None:
        raise TokenRevoked
    return account
