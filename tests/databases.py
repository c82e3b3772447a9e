"""Databases for tests on one PostgreSQL: copies of templates, which are emptied and lent again.

A copy takes PostgreSQL a tenth of a second of processor time. Emptying one takes two milliseconds by a connection that
has done it before, and twenty by a new one, whose server knows no catalog yet: so one is kept for each database.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from common.db.migrate import migrate

LARGE = 128 * 1024
"""A database with a table of more bytes is not lent again: what was deleted from it would slow its next statements."""
TABLES = """
select coalesce(string_agg(format('delete from %I;', relname), ''), '') from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'migration'
"""
# Foreign keys need no check when everything goes.
EMPTY = """
begin; set local session_replication_role = replica; {}
select setval(seqrelid, seqstart, false) from pg_sequence; commit
"""
"""Deletes all rows, by what `TABLES` found, and lets all numbers begin again."""
STATE = """
select (select coalesce(max(pg_relation_size(oid)), 0) from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')),
    (select count(*) from pg_attribute), (select max(xmin::text::bigint) from pg_attribute),
    (select count(*) from pg_trigger), (select count(*) from pg_constraint), (select count(*) from pg_proc)
"""
"""The size of the largest table, and numbers that differ once the schema has been changed."""
ALONE = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
"""Cuts off whoever else is connected."""

Connection = psycopg.Connection[tuple[object, ...]]


class Databases:
    """Lends databases to which all migrations of a folder are applied, and which are empty otherwise."""

    def __init__(self, postgres_url: str) -> None:
        """The URL is an administrator's."""
        self._url = postgres_url
        _hash_once(postgres_url)
        self._templates: dict[Path, str] = {}
        self._free: defaultdict[Path, list[str]] = defaultdict(list)
        self._states: dict[Path, tuple[object, ...]] = {}
        self._emptying: dict[Path, bytes] = {}
        self._connections: dict[str, Connection] = {}

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()

    @contextmanager
    def lending(self) -> Generator[Callable[[Path], str]]:
        """A function that lends a database with the migrations in a folder. All are given back in the end."""
        lent: list[tuple[Path, str]] = []

        def lend(folder: Path) -> str:
            lent.append((folder, self.lend(folder)))
            return lent[-1][1]

        yield lend
        for folder, url in lent:
            self.give_back(folder, url)

    def lend(self, folder: Path) -> str:
        """The URL of a database with the migrations in `folder`."""
        if self._free[folder]:
            return self._free[folder].pop()
        if folder not in self._templates:
            self._make_template(folder)
        return self._url_of(self._create(self._templates[folder]))

    def give_back(self, folder: Path, url: str) -> None:
        """Empty the database for the next one who asks for it. Whatever is still connected to it is cut off."""
        connection = self._connected(url)
        largest, *state = _state(connection)
        if isinstance(largest, int) and largest <= LARGE and tuple(state) == self._states[folder]:
            connection.execute(self._emptying[folder])
            self._free[folder].append(url)
        else:
            self._connections.pop(url).close()
            self._drop(url)

    def _connected(self, url: str) -> Connection:
        """The only connection to a database, which is kept unless a test has cut it off."""
        if known := self._connections.get(url):
            with suppress(psycopg.OperationalError):
                known.execute(ALONE)
                return known
            known.close()
        self._connections[url] = psycopg.connect(url, autocommit=True)
        self._connections[url].execute(ALONE)
        return self._connections[url]

    def _make_template(self, folder: Path) -> None:
        name = self._create("template0")
        migrate(self._url_of(name), folder)
        with psycopg.connect(self._url_of(name), autocommit=True) as connection:
            _, *state = _state(connection)
            self._states[folder] = tuple(state)
            (tables,) = connection.execute(TABLES).fetchone() or ("",)
            self._emptying[folder] = EMPTY.replace("{}", str(tables)).encode()
        self._templates[folder] = name

    def _create(self, template: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        identifiers = sql.Identifier(name), sql.Identifier(template)
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {} encoding 'UTF8' template {}").format(*identifiers))
        return name

    def _drop(self, url: str) -> None:
        name = sql.Identifier(str(conninfo_to_dict(url)["dbname"]))
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(name))

    def _url_of(self, database: str) -> str:
        return make_conninfo(self._url, dbname=database)


def _hash_once(postgres_url: str) -> None:
    """Spare each connection the 4096 hashes on either side by which the administrator's password is proven."""
    known = conninfo_to_dict(postgres_url)
    role, password = sql.Identifier(str(known["user"])), sql.Literal(str(known["password"]))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("set scram_iterations = 1")
        connection.execute(sql.SQL("alter role {} password {}").format(role, password))


def _state(connection: Connection) -> tuple[object, ...]:
    return connection.execute(STATE).fetchone() or ()
