"""The table of API keys."""

from dataclasses import asdict
from typing import Any, LiteralString
from uuid import UUID

from auth_service.keys.model import ApiKey
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from common.identity import Identity, Role

_COLUMNS: LiteralString = "id, account_id, name, key_digest, token_digest, hint, created_at"


def _holder(token_digest: bytes, role: str, **row: Any) -> tuple[bytes, Identity]:
    return token_digest, Identity(role=Role(role), expires_at=None, **row)


async def insert_key(connection: Connection, key: ApiKey) -> None:
    """Add a key."""
    statement = """
        insert into api_key (id, account_id, name, key_digest, token_digest, hint, created_at)
        values (%(id)s, %(account_id)s, %(name)s, %(key_digest)s, %(token_digest)s, %(hint)s, %(created_at)s)
    """
    await connection.execute(statement, asdict(key))


async def holder_of_key(connection: Connection, key_digest: bytes) -> tuple[bytes, Identity] | None:
    """The digest of the token that belongs to this key, and the account of both."""
    statement = """
        select api_key.token_digest, account.id as account_id, account.name, account.role, api_key.id as credential_id
        from api_key join account on account.id = api_key.account_id and account.suspended_at is null
        where api_key.key_digest = %(key_digest)s
    """
    return await fetch_one(connection, _holder, statement, {"key_digest": key_digest})


async def keys_of_account(connection: Connection, account_id: UUID) -> list[ApiKey]:
    """The account's keys, the newest first."""
    statement: LiteralString = f"""
        select {_COLUMNS} from api_key where account_id = %(account_id)s order by created_at desc, id
    """
    return await fetch_all(connection, ApiKey, statement, {"account_id": account_id})


async def replace_key(connection: Connection, key: ApiKey) -> None:
    """Replace the pair of the key with this id."""
    statement = """
        update api_key set key_digest = %(key_digest)s, token_digest = %(token_digest)s, hint = %(hint)s,
            created_at = %(created_at)s
        where id = %(id)s
    """
    await connection.execute(statement, asdict(key))


async def delete_key(connection: Connection, key_id: UUID) -> int:
    """Delete a key."""
    return await count(connection, "delete from api_key where id = %(key_id)s", {"key_id": key_id})
