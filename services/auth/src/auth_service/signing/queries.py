"""The table of signing keys."""

from dataclasses import asdict
from datetime import datetime

from auth_service.signing.model import SigningKey
from common.db import Connection
from common.db.rows import count, fetch_all

# Any constant will do, as long as every process uses the same.
SIGNING_KEY_LOCK = 0x57415955


async def published_keys(connection: Connection, retired_after: datetime) -> list[SigningKey]:
    """The keys that are not retired, or were retired after that moment, the newest first."""
    statement = """
        select kid, private_key, public_key, created_at, retired_at from signing_key
        where retired_at is null or retired_at > %(retired_after)s
        order by created_at desc, kid
    """
    return await fetch_all(connection, SigningKey, statement, {"retired_after": retired_after})


async def lock_keys(connection: Connection) -> None:
    """Keep other processes from adding keys until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock(%(lock)s)", {"lock": SIGNING_KEY_LOCK})


async def insert_key(connection: Connection, key: SigningKey) -> None:
    """Add a key."""
    statement = """
        insert into signing_key (kid, private_key, public_key, created_at)
        values (%(kid)s, %(private_key)s, %(public_key)s, %(created_at)s)
    """
    await connection.execute(statement, asdict(key))


async def retire_keys(connection: Connection, retired_at: datetime) -> None:
    """Let all present keys sign until that moment only."""
    statement = "update signing_key set retired_at = %(retired_at)s where retired_at is null"
    await connection.execute(statement, {"retired_at": retired_at})


async def delete_keys(connection: Connection, retired_before: datetime) -> int:
    """Delete the keys that were retired before that moment. Returns how many."""
    statement = "delete from signing_key where retired_at <= %(retired_before)s"
    return await count(connection, statement, {"retired_before": retired_before})
