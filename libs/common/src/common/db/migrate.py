"""Migrations are plain SQL files, `0001_name.sql` and so on. Each is applied once, in order, under a lock.

    python -m common.db.migrate services/upload/migrations

reads `DATABASE_URL`. With `ADMIN_DATABASE_URL` it first creates the role and the database that `DATABASE_URL` names.
Both may be given as `…_FILE`. A file that was already applied must not change: its digest is compared.

A file runs in a transaction, so it is applied whole or not at all, and holds its locks to the end. One that would hold
a large table for seconds begins with the line `-- Each statement alone.`: its statements, each of which ends at the end
of a line, are committed one by one, so they may build indexes `concurrently`. After a death it begins again, so each
has to be repeatable.
"""

import argparse
import hashlib
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from common import logging
from common.settings import Settings

# An arbitrary constant that every process uses.
MIGRATION_LOCK = 0x57415953
PROVISION_LOCK = 0x57415954
ALONE = "-- Each statement alone.\n"
LOCK_PAUSE = 0.1
"""Seconds between two tries to get the lock."""

_log = logging.get(__name__)


class MigrationError(Exception):
    """The database and the migration files do not fit together."""


class MigrationSettings(Settings):
    """The database to migrate, and an administrator's URL if the database may not exist yet."""

    database_url: SecretStr
    admin_database_url: SecretStr | None = None


def provision(admin_url: str, database_url: str) -> None:
    """Create the role and the database of `database_url`. If the role exists, set its password to that of the URL."""
    wanted = conninfo_to_dict(database_url)
    role, password, name = str(wanted["user"]), str(wanted["password"]), str(wanted["dbname"])
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [PROVISION_LOCK])
        exists = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
        verb = sql.SQL("alter" if exists else "create")
        connection.execute(
            sql.SQL("{} role {} login password {}").format(verb, sql.Identifier(role), sql.Literal(password))
        )
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(
                sql.SQL("create database {} owner {} encoding 'UTF8' template template0").format(
                    sql.Identifier(name), sql.Identifier(role)
                )
            )
            connection.execute(sql.SQL("revoke connect on database {} from public").format(sql.Identifier(name)))


def migrate(database_url: str, folder: Path) -> list[str]:
    """Apply the new files in `folder` and return their names.

    Each file runs in its own transaction, or each of its statements does. Raises `MigrationError` when an applied file
    has changed or is missing.
    """
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
    applied_now: list[str] = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        _wait_for_lock(connection)
        connection.execute(
            "create table if not exists migration ("
            " name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
        )
        applied = dict(connection.execute("select name, sha256 from migration").fetchall())
        for name in sorted(set(applied) - set(files)):
            raise MigrationError(f"{name} was applied to this database but is not in {folder}")
        for name, text in files.items():
            digest = hashlib.sha256(text.encode()).hexdigest()
            if name in applied:
                if applied[name] != digest:
                    raise MigrationError(f"{name} has changed since it was applied")
                continue
            for statement in statements_alone(text):
                connection.execute(statement.encode())
            with connection.transaction():
                if not text.startswith(ALONE):
                    connection.execute(text.encode())
                connection.execute("insert into migration (name, sha256) values (%s, %s)", [name, digest])
            applied_now.append(name)
    return applied_now


def statements_alone(text: str) -> list[str]:
    """The statements of a file that are committed one by one; none if it runs in a transaction."""
    if not text.startswith(ALONE):
        return []
    return [statement for statement in re.split(r"(?<=;)\n", text) if statement.strip()]


def _wait_for_lock(connection: psycopg.Connection) -> None:
    """Wait until no other process migrates; not within PostgreSQL: building an index would wait for this, too."""
    while True:
        found = connection.execute("select pg_try_advisory_lock(%s)", [MIGRATION_LOCK]).fetchone()
        if found and found[0]:
            return
        time.sleep(LOCK_PAUSE)


def main() -> int:
    parser = argparse.ArgumentParser(description="Bring a service's database up to date.")
    parser.add_argument("folder", type=Path, help="the service's migrations folder")
    folder: Path = parser.parse_args().folder
    settings = MigrationSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    logging.configure(level=settings.log_level, format=settings.log_format, service="migrate")
    url = settings.database_url.get_secret_value()
    try:
        if settings.admin_database_url:
            provision(settings.admin_database_url.get_secret_value(), url)
        tell_applied(folder.parent.name, migrate(url, folder))
    except MigrationError as error:
        _log.error("not migrated", database=folder.parent.name, error=str(error))
        return 1
    return 0


def tell_applied(database: str, names: Sequence[str]) -> None:
    """Log what `migrate` applied, in one line: a new database takes twenty of them."""
    if names:
        _log.info("migrations applied", database=database, count=len(names), last=names[-1])


if __name__ == "__main__":
    sys.exit(main())
