"""API keys: a key and its token, by which programs are known without signing in."""

from dataclasses import replace
from uuid import UUID

from auth_service.accounts import credentials
from auth_service.context import Context
from auth_service.directory.model import API_KEYS_AT_MOST, ApiKey, KeyPair, TooManyKeys
from auth_service.keys import queries as api_keys
from auth_service.sessions.opening import lock_own
from common import clock
from common.credentials import digest
from common.db import Connection
from common.errors import NotFound
from common.identity import Identity
from common.ids import new_id

HINT_LENGTH = 4


class KeyNotFound(NotFound):
    """There is no such API key."""

    code = "key_not_found"


async def create_key(context: Context, identity: Identity, name: str) -> tuple[ApiKey, KeyPair]:
    """Make a key; the pair is never to be seen again. Raises `TooManyKeys`."""
    pair = KeyPair.new()
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        if len(await api_keys.keys_of_account(connection, account.id)) >= API_KEYS_AT_MOST:
            raise TooManyKeys
        empty = ApiKey(new_id(), account.id, name, b"", b"", "", clock.now())
        key = _with_pair(empty, pair)
        await api_keys.insert_key(connection, key)
    return key, pair


async def regenerate_key(context: Context, identity: Identity, key_id: UUID) -> tuple[ApiKey, KeyPair]:
    """Replace a key's pair: the old one is worth nothing from now on. Raises `KeyNotFound`."""
    pair = KeyPair.new()
    async with context.db.transaction() as connection:
        old = await _lock_key(connection, identity, key_id)
        key = replace(_with_pair(old, pair), created_at=clock.now())
        await api_keys.replace_key(connection, key)
        await context.cache.revoke([credentials.name_of_key(old)])
    return key, pair


async def revoke_key(context: Context, identity: Identity, key_id: UUID) -> None:
    """Delete a key. Raises `KeyNotFound`."""
    async with context.db.transaction() as connection:
        key = await _lock_key(connection, identity, key_id)
        await api_keys.delete_key(connection, key.id)
        await context.cache.revoke([credentials.name_of_key(key)])


async def list_keys(context: Context, identity: Identity) -> list[ApiKey]:
    """One's own keys, the newest first."""
    async with context.db.connection() as connection:
        return await api_keys.keys_of_account(connection, identity.account_id)


async def _lock_key(connection: Connection, identity: Identity, key_id: UUID) -> ApiKey:
    account = await lock_own(connection, identity)
    keys = await api_keys.keys_of_account(connection, account.id)
    key = next((key for key in keys if key.id == key_id), None)
    if key is None:
        raise KeyNotFound
    return key


def _with_pair(key: ApiKey, pair: KeyPair) -> ApiKey:
    hint = pair.api_key[:HINT_LENGTH]
    return replace(key, key_digest=digest(pair.api_key), token_digest=digest(pair.api_token), hint=hint)
