"""The statements of the auth service: one function, one statement."""

from datetime import datetime

from psycopg.rows import class_row

from auth_service.model import SigningKey
from common.db import Connection

# Any constant will do, as long as every process uses the same.
SIGNING_KEY_LOCK = 0x57415955


async def valid_keys(connection: Connection, retired_after: datetime) -> list[SigningKey]:
    """The keys whose tokens may still be accepted, the newest first: not retired, or after that moment."""
    statement = """
        select kid, private_key, public_key, created_at, retired_at from signing_key
        where retired_at is null or retired_at > %(retired_after)s
        order by created_at desc, kid
    """
    async with connection.cursor(row_factory=class_row(SigningKey)) as cursor:
        await cursor.execute(statement, {"retired_after": retired_after})
        return await cursor.fetchall()


async def lock_keys(connection: Connection) -> None:
    """Keep other processes from making keys until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock(%(lock)s)", {"lock": SIGNING_KEY_LOCK})


async def insert_key(connection: Connection, key: SigningKey) -> None:
    """Add a key."""
    statement = """
        insert into signing_key (kid, private_key, public_key, created_at)
        values (%(kid)s, %(private_key)s, %(public_key)s, %(created_at)s)
    """
    parameters = {
        "kid": key.kid,
        "private_key": key.private_key,
        "public_key": key.public_key,
        "created_at": key.created_at,
    }
    await connection.execute(statement, parameters)
