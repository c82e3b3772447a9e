"""PostgreSQL: a pool, a unit of work, and the driver's errors turned into ours in one place.

Use cases open connections and transactions; queries run on the connection they are given and never commit.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from common import tracing
from common.errors import Unavailable
from common.metrics import Gauge, Labels

Connection = AsyncConnection[TupleRow]

# A request that gets no connection within this many seconds is answered with 503.
ACQUIRE_SECONDS = 5.0
# A connection beyond the first is closed after this many seconds without use: each costs the server some megabytes.
IDLE_SECONDS = 60.0
# A connection that was used within this many seconds is assumed to be alive.
RESTED_SECONDS = 0.5


class DatabaseUnavailable(Unavailable):
    """The database is not answering."""


class Database:
    """The database of one service."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._drawn: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=pool_size,
            timeout=ACQUIRE_SECONDS,
            max_idle=IDLE_SECONDS,
            open=False,
            check=self._check,
            configure=_trace,
            kwargs={"autocommit": True, "connect_timeout": 5},
            reconnect_timeout=5,
            num_workers=2,
        )
        _OPENED.add(self)

    def numbers(self) -> dict[str, int]:
        """The numbers of the pool, as psycopg counts them since the process started."""
        return self._pool.get_stats()

    async def _check(self, connection: Connection) -> None:
        """Check a connection that was idle for a while before a request gets it. Raises an error if it is dead.

        Checking every time would double the round trips of requests in close succession.
        """
        drawn_before = self._drawn.get(connection, 0.0)
        self._drawn[connection] = time.monotonic()
        if time.monotonic() - drawn_before > RESTED_SECONDS:
            await AsyncConnectionPool.check_connection(connection)

    async def open(self) -> None:
        """Start the pool. It connects in the background, so that services start even while the database is down."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection in autocommit mode: each statement is its own transaction.

        Raises `DatabaseUnavailable` if none is available, or if it breaks.
        """
        task = asyncio.current_task()
        canceled_before = task.cancelling() if task else 0
        try:
            async with self._pool.connection() as connection:
                if task and task.cancelling() > canceled_before:
                    # The pool uses `asyncio.wait_for`, which before Python 3.12 loses a cancellation that arrives at
                    # the same moment as the connection.
                    raise asyncio.CancelledError
                yield connection
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise DatabaseUnavailable from error

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A unit of work: committed at the end of the block, rolled back when it raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncGenerator[bool]:
        """Whether nobody else holds the lock `name` of this database; the block holds it then, and a connection.

        PostgreSQL gives the lock up with the connection.
        """
        async with self.connection() as connection:
            cursor = await connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
            found = await cursor.fetchone()
            is_held = bool(found and found[0])
            try:
                yield is_held
            finally:
                if is_held:
                    await _unlock(connection, name)

    async def ready(self) -> None:
        """Raise `DatabaseUnavailable` unless the database answers."""
        async with self.connection() as connection:
            await connection.execute("select 1")


async def _trace(connection: Connection) -> None:
    """Add the statements of a connection to traces, if there are any."""
    if tracing.is_on():
        from common.db.traced import TracedCursor

        connection.cursor_factory = TracedCursor


_OPENED: WeakSet[Database] = WeakSet()


def _sum_of(name: str) -> Callable[[], dict[Labels, float]]:
    return lambda: {(): float(sum(database.numbers().get(name, 0) for database in list(_OPENED)))}


for _name, _meaning in (
    ("pool_size", "Connections to the database."),
    ("pool_available", "Connections to the database that nobody uses."),
    ("requests_waiting", "Users of the database who wait for a connection."),
    ("requests_queued", "Users who ever had to wait for a connection."),
    ("requests_wait_ms", "Milliseconds that users waited for a connection, together."),
    ("requests_errors", "Users who waited for a connection in vain."),
):
    Gauge(f"waystation_database_{_name}", _meaning, look=_sum_of(_name))


async def _unlock(connection: Connection, name: str) -> None:
    """Give up a lock. A connection that cannot be told so is closed."""
    try:
        await connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [name])
    except BaseException:
        await connection.close()
        raise


Params = dict[str, Any]
