"""All credentials of an account: looking one up, and keeping the cache of them right when the account changes."""

import hmac
from uuid import UUID

from auth_service.context import Context
from auth_service.directory.model import Account
from auth_service.directory.queries import note_visit
from auth_service.keys import queries as keys
from auth_service.sessions import queries as sessions
from common import clock
from common.db import Connection
from common.identity import Identity
from common.ids import parse_id

NAME_LENGTH = 256


class OwnCredentials:
    """The credentials for this service itself: a `CredentialSource` that asks no other service."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def credential(self, name: str) -> Identity | None:
        """The account behind a credential; None when there is none. Raises `DatabaseUnavailable`."""
        return await find_identity(self._context, name)


async def find_identity(context: Context, name: str) -> Identity | None:
    """The account behind the credential of this name (see `common.credentials`); None when there is none."""
    kind, *values = name[:NAME_LENGTH].split(":")
    async with context.db.connection() as connection:
        match kind, values:
            case "session", [session_id] if parsed := parse_id(session_id):
                identity = await sessions.identity_of_session(connection, parsed)
            case "opaque", [digest]:
                identity = await sessions.identity_of_opaque(connection, _bytes(digest))
            case "key", [key, token]:
                identity = await _identity_of_key(connection, _bytes(key), _bytes(token))
            case _:
                return None
        now = clock.now()
        if identity is None or identity.is_over(now):
            return None
        # Caches ask once a minute for each credential that is in use.
        await note_visit(connection, identity.account_id, now)
    return identity


async def update_all(context: Context, connection: Connection, account: Account) -> None:
    """Update the account's credentials in the cache, right before the commit. Raises `CredentialsUnavailable`."""
    living = await sessions.sessions_of_account(connection, account.id, clock.now())
    of_sessions = {one.credential_name: account.identity(one.id, one.expires_at) for one in living}
    found = await keys.keys_of_account(connection, account.id)
    of_keys = {key.credential_name: account.identity(key.id, None) for key in found}
    await context.cache.replace({**of_sessions, **of_keys})


async def revoke_all(context: Context, connection: Connection, account_id: UUID) -> None:
    """Revoke the account's credentials in the cache, right before the commit. Raises `CredentialsUnavailable`."""
    living = await sessions.sessions_of_account(connection, account_id, clock.now())
    names = [session.credential_name for session in living]
    names += [key.credential_name for key in await keys.keys_of_account(connection, account_id)]
    if names:
        await context.cache.revoke(names)


async def _identity_of_key(connection: Connection, key_digest: bytes, token_digest: bytes) -> Identity | None:
    holder = await keys.holder_of_key(connection, key_digest)
    if holder and hmac.compare_digest(holder[0], token_digest):
        return holder[1]
    return None


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
