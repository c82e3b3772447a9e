"""The API keys of someone who is signed in: making, replacing, listing and revoking them."""

from dataclasses import replace
from uuid import UUID

from auth_service.context import Context
from auth_service.directory.lookups import lock_own
from auth_service.keys import queries
from auth_service.keys.model import API_KEYS_AT_MOST, HINT_LENGTH, ApiKey, KeyNotFound, KeyPair, TooManyKeys
from common import clock
from common.audit import Act, Author
from common.audit_log import record
from common.credentials import digest
from common.db import Connection
from common.identity import Identity
from common.ids import new_id


async def create_key(context: Context, author: Author, name: str) -> tuple[ApiKey, KeyPair]:
    """Make a key. The pair can never be read again. Raises `TooManyKeys`."""
    pair = KeyPair.new()
    async with context.db.transaction() as connection:
        account = await lock_own(connection, author.identity)
        if len(await queries.keys_of_account(connection, account.id)) >= API_KEYS_AT_MOST:
            raise TooManyKeys
        empty = ApiKey(new_id(), account.id, name, b"", b"", "", clock.now())
        key = _with_pair(empty, pair)
        await queries.insert_key(connection, key)
        await record(connection, author, [_act("key.create", key)])
    return key, pair


async def regenerate_key(context: Context, author: Author, key_id: UUID) -> tuple[ApiKey, KeyPair]:
    """Replace a key's pair; the old pair is no longer accepted. Raises `KeyNotFound`, `CredentialsUnavailable`."""
    pair = KeyPair.new()
    async with context.db.transaction() as connection:
        old = await _lock_key(connection, author.identity, key_id)
        key = replace(_with_pair(old, pair), created_at=clock.now())
        await queries.replace_key(connection, key)
        await record(connection, author, [_act("key.replace", key)])
        await context.cache.revoke([old.credential_name])
    return key, pair


async def revoke_key(context: Context, author: Author, key_id: UUID) -> None:
    """Delete a key. Raises `KeyNotFound`, `CredentialsUnavailable`."""
    async with context.db.transaction() as connection:
        key = await _lock_key(connection, author.identity, key_id)
        await queries.delete_key(connection, key.id)
        await record(connection, author, [_act("key.delete", key)])
        await context.cache.revoke([key.credential_name])


async def list_keys(context: Context, identity: Identity) -> list[ApiKey]:
    """The account's keys, the newest first."""
    async with context.db.connection() as connection:
        return await queries.keys_of_account(connection, identity.account_id)


async def _lock_key(connection: Connection, identity: Identity, key_id: UUID) -> ApiKey:
    account = await lock_own(connection, identity)
    keys = await queries.keys_of_account(connection, account.id)
    key = next((key for key in keys if key.id == key_id), None)
    if key is None:
        raise KeyNotFound
    return key


def _act(name: str, key: ApiKey) -> Act:
    return Act(name, "key", str(key.id), key.name)


def _with_pair(key: ApiKey, pair: KeyPair) -> ApiKey:
    hint = pair.api_key[:HINT_LENGTH]
    return replace(key, key_digest=digest(pair.api_key), token_digest=digest(pair.api_token), hint=hint)
