"""Whose a credential is, and what is said of credentials in the cache that all services read."""

import hmac
from collections.abc import Iterable
from uuid import UUID

from auth_service.directory.model import Account, ApiKey, Session, SessionKind
from auth_service.keys import queries as api_keys
from auth_service.sessions import queries as sessions
from common import clock
from common.credentials import CredentialCache, key_name, session_name
from common.db import Connection, Database
from common.identity import Identity
from common.ids import parse_id

NAME_LENGTH = 256


class OwnCredentials:
    """The credentials, for this service itself: a `CredentialSource`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def credential(self, name: str) -> Identity | None:
        """Whose credential this is; None: nobody's. Raises `DatabaseUnavailable`."""
        async with self._database.connection() as connection:
            return await identity_of(connection, name)


async def identity_of(connection: Connection, name: str) -> Identity | None:
    """Whose credential goes by this name (see `common.credentials`); None: nobody's."""
    kind, *values = name[:NAME_LENGTH].split(":")
    match kind, values:
        case "session", [session_id] if parsed := parse_id(session_id):
            identity = await sessions.identity_of_session(connection, parsed)
        case "opaque", [digest]:
            identity = await sessions.identity_of_opaque(connection, _bytes(digest))
        case "key", [key, token]:
            identity = await _identity_of_key(connection, _bytes(key), _bytes(token))
        case _:
            return None
    return identity if identity and not identity.is_over(clock.now()) else None


async def _identity_of_key(connection: Connection, key_digest: bytes, token_digest: bytes) -> Identity | None:
    holder = await api_keys.holder_of_key(connection, key_digest)
    if holder and hmac.compare_digest(holder[0], token_digest):
        return holder[1]
    return None


def name_of_session(session: Session) -> str:
    """The name of a session's credential."""
    if session.kind is SessionKind.TOKEN:
        return session_name(session.id)
    assert session.opaque_digest is not None
    return f"opaque:{session.opaque_digest.hex()}"


def name_of_key(key: ApiKey) -> str:
    """The name of the credential that an API key and its token are."""
    return key_name(key.key_digest, key.token_digest)


async def revoke(cache: CredentialCache, ended: Iterable[Session]) -> None:
    """Say that these sessions are over, right before that is committed. Raises `CredentialsUnavailable`."""
    names = [name_of_session(session) for session in ended]
    if names:
        await cache.revoke(names)


async def tell_all(connection: Connection, cache: CredentialCache, account: Account) -> None:
    """Say in all of the account's credentials what it is from now on. Raises `CredentialsUnavailable`."""
    for session in await sessions.sessions_of_account(connection, account.id, clock.now()):
        await cache.put(name_of_session(session), account.identity(session.id, session.expires_at))
    for key in await api_keys.keys_of_account(connection, account.id):
        await cache.put(name_of_key(key), account.identity(key.id, None))


async def revoke_all(connection: Connection, cache: CredentialCache, account_id: UUID) -> None:
    """Say that nothing proves this account any more. Raises `CredentialsUnavailable`."""
    names = [name_of_session(s) for s in await sessions.sessions_of_account(connection, account_id, clock.now())]
    names += [name_of_key(key) for key in await api_keys.keys_of_account(connection, account_id)]
    if names:
        await cache.revoke(names)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
