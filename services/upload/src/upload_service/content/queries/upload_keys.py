"""SQL on the keys that are issued before an upload: one function, one statement."""

from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_one, fetch_value
from upload_service.content.model import UploadKey

_COLUMNS: LiteralString = "id, digest, account, credential, expires_at, session_id, expires_at <= now() as is_overdue"
_FORGOTTEN: LiteralString = "session_id is null and expires_at < now() - %(age)s"


async def insert_key(
    connection: Connection, *, key_id: UUID, digest: bytes, account: UUID, credential: UUID, lifetime: timedelta
) -> UploadKey:
    statement: LiteralString = f"""
        insert into upload_key (id, digest, account, credential, expires_at)
        values (%(id)s, %(digest)s, %(account)s, %(credential)s, now() + %(lifetime)s)
        returning {_COLUMNS}
    """
    values = {"id": key_id, "digest": digest, "account": account, "credential": credential, "lifetime": lifetime}
    key = await fetch_one(connection, UploadKey, statement, values)
    assert key is not None, "a row that is inserted is returned"
    return key


async def get_key(connection: Connection, key_id: UUID) -> UploadKey | None:
    statement: LiteralString = f"select {_COLUMNS} from upload_key where id = %(id)s"
    return await fetch_one(connection, UploadKey, statement, {"id": key_id})


async def set_session(connection: Connection, key_id: UUID, session_id: UUID) -> None:
    """Record the session that the last parts sent with this key went to."""
    await connection.execute(
        "update upload_key set session_id = %(session_id)s where id = %(id)s", {"id": key_id, "session_id": session_id}
    )


async def forget_keys(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete up to `limit` keys that expired longer ago than `age` and that no session is recorded for."""
    statement: LiteralString = f"""
        delete from upload_key where id = any(array(
            select id from upload_key where {_FORGOTTEN} limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"age": age, "limit": limit})


async def count_forgotten(connection: Connection, age: timedelta) -> int:
    """The number of such keys."""
    return await fetch_value(connection, f"select count(*) from upload_key where {_FORGOTTEN}", {"age": age}) or 0


async def delete_keys_of(connection: Connection, account: UUID) -> None:
    """Delete the keys that were issued to an account."""
    await connection.execute("delete from upload_key where account = %(account)s", {"account": account})
