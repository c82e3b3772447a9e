"""The four databases: one moment of all of them, their dumps, and their restoration."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from common.db.migrate import provision
from deploy.backup.errors import BackupError
from deploy.backup.systems import SERVICES, System
from deploy.backup.tls import relayed
from upload_service.content.queries.blobs import REMOVAL_LOCK

# A share names files, a file its owner: the database that is read first names nothing that is younger than the others.
ORDER = ("share", "chat", "upload", "auth")
_PATIENT: tuple[LiteralString, ...] = (
    # A backup that is killed with its machine lets go within a minute.
    "set tcp_keepalives_idle = 20",
    "set tcp_keepalives_interval = 10",
    "set tcp_keepalives_count = 4",
    "set lock_timeout = '10s'",
    "set idle_in_transaction_session_timeout = 0",
    "set idle_session_timeout = 0",
)


@dataclass(frozen=True, slots=True)
class Moment:
    """All databases as they were at one moment. No content is removed from the store while it is held."""

    connections: dict[str, AsyncConnection[TupleRow]]
    snapshots: dict[str, str]
    hold: AsyncConnection[TupleRow]

    async def migrations(self) -> dict[str, list[str]]:
        """The migrations that each database has."""
        return {name: await _applied(connection) for name, connection in self.connections.items()}

    async def let_go(self) -> None:
        """End the moment, so that what has changed since does not have to be kept, but hold contents back further."""
        for connection in self.connections.values():
            await connection.execute("rollback")

    async def still_holds(self) -> None:
        """Raise `BackupError` if contents may have been removed meanwhile."""
        try:
            await self.hold.execute("select 1")
        except psycopg.Error:
            raise BackupError("the connection to PostgreSQL broke off, so contents may be missing; try again") from None


@asynccontextmanager
async def moment(system: System) -> AsyncGenerator[Moment]:
    """Hold the removal of contents back, then hold a moment of all databases, for the block.

    Both end with their connections, so a backup that is killed holds nothing back. Raises `BackupError`.
    """
    try:
        async with AsyncExitStack() as opened:
            hold = await _connect(system, "upload", opened)
            try:
                # It waits for a sweep that is deciding at this moment; what that condemns is no content of this moment.
                await hold.execute("select pg_advisory_lock(%s)", [REMOVAL_LOCK])
            except psycopg.errors.LockNotAvailable:
                raise BackupError("another backup of this system is running") from None
            connections = {name: await _connect(system, name, opened) for name in ORDER}
            snapshots = {name: await _begin(connection) for name, connection in connections.items()}
            yield Moment(connections, snapshots, hold)
    except psycopg.Error as error:
        raise BackupError(f"PostgreSQL: {_first_line(error)}; try again") from None


async def _begin(connection: AsyncConnection[TupleRow]) -> str:
    """Begin a transaction that sees this moment, and return the name by which others share it."""
    await connection.execute("begin transaction isolation level repeatable read, read only")
    found = await (await connection.execute("select pg_export_snapshot()")).fetchone()
    assert found is not None, "the function always answers"
    return found[0]


def _first_line(error: psycopg.Error) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


async def _connect(system: System, database: str, opened: AsyncExitStack) -> AsyncConnection[TupleRow]:
    try:
        connection = await AsyncConnection.connect(system.admin_url(database), autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise BackupError(f"the database {database} cannot be opened: {_first_line(error)}") from None
    await opened.enter_async_context(connection)
    for statement in _PATIENT:
        await connection.execute(statement)
    return connection


async def _applied(connection: AsyncConnection[TupleRow]) -> list[str]:
    cursor = await connection.execute("select name from migration order by name")
    return [row[0] for row in await cursor.fetchall()]


async def dump(system: System, held: Moment, target: Path) -> list[str]:
    """Write the dump of each database into the folder `target`; returns the names of the files."""
    for name in SERVICES:
        await _run(
            system,
            name,
            *("pg_dump", "--format=custom", "--no-password", "--lock-wait-timeout=60000"),
            *(f"--snapshot={held.snapshots[name]}", f"--file={target / name}.dump"),
        )
    return [f"{name}.dump" for name in SERVICES]


async def refuse_used(system: System) -> None:
    """Raise `BackupError` unless there is no database of ours yet."""
    try:
        async with await AsyncConnection.connect(system.database_admin_url, connect_timeout=10) as connection:
            cursor = await connection.execute(
                "select datname from pg_database where datname = any(%s)", [list(SERVICES)]
            )
            used = [row[0] for row in await cursor.fetchall()]
    except psycopg.OperationalError as error:
        raise BackupError(f"PostgreSQL cannot be reached: {_first_line(error)}") from None
    if used:
        raise BackupError(f"the system is not empty: PostgreSQL has the database {used[0]!r}")


async def restore(system: System, source: Path) -> None:
    """Create the roles and databases, and fill them from the dumps."""
    for name in SERVICES:
        url = system.database_url(name, system.credentials[f"postgres_{name}"])
        try:
            await asyncio.to_thread(provision, system.database_admin_url, url)
        except psycopg.Error as error:
            raise BackupError(f"the database {name} cannot be made: {_first_line(error)}") from None
        await _run(
            system,
            name,
            *("pg_restore", "--no-password", "--exit-on-error", "--single-transaction", "--no-owner"),
            *("--no-privileges", f"--role={name}", f"--dbname={name}", str(source / f"{name}.dump")),
        )


def later_migrations(has: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]) -> list[str]:
    """The migrations of a backup that this version does not have."""
    return [f"{name}/{one}" for name, applied in has.items() for one in applied if one not in known.get(name, ())]


async def _run(system: System, database: str, program: str, *arguments: str) -> None:
    async with relayed(system.variables(database)) as variables:
        process = await asyncio.create_subprocess_exec(
            str(system.programs(program)),
            *arguments,
            env=variables,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or [f"status {process.returncode}"]
        raise BackupError(f"the database {database}: {lines[0]}")
