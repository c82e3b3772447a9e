"""Finds the traces that uploads leave in a running system: rows, objects and unfinished uploads."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis
from psycopg.conninfo import make_conninfo

from deploy.local import credentials, postgres, store, valkey
from deploy.local.stack import RunningStack

PATIENCE_SECONDS = 20
"""The longest wait until the traces of a broken connection are removed, some of them by a worker."""

# Rows of ended sessions are kept for a while so that their senders can be answered; they are no traces. Part rows of an
# open session are kept for cleaning up; they count as traces only if the part is stored or being written.
UPLOAD_ROWS = """
    select 'session ' || id from upload_session where state not in ('ready', 'corrupt', 'aborted', 'expired')
    union all select 'part ' || session_id || ' ' || index from part join upload_session on id = session_id
        where state not in ('ready', 'corrupt', 'aborted', 'expired') and (stored_at is not null or lease_until > now())
    union all select 'file ' || id from file where state <> 'corrupt'
    union all select 'blob ' || id from blob
"""
# The multipart upload of an open session exists from its first part until the session ends. It is no trace.
AWAITED_UPLOADS = "select multipart_id from upload_session where state = 'open' and layout <> 'stream'"
SHARE_ROWS = "select 'share ' || id from share"


class Traces:
    """Looks into the engines of a running stack with administrators' credentials."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack, self._known = stack, credentials.load(stack.folder)
        self._databases: dict[str, psycopg.Connection[Any]] = {}
        self._store = store.folder(stack.folder)

    def database(self, service: str) -> "psycopg.Connection[Any]":
        """A connection to the database of a service. It is kept until `close`, and opened again after a crash."""
        known = self._databases.get(service)
        if known is None or not _is_alive(known):
            url = postgres.admin_url(self._stack.ports["postgres"], self._known["postgres_admin"])
            self._databases[service] = psycopg.connect(make_conninfo(url, dbname=service), autocommit=True)
        return self._databases[service]

    def close(self) -> None:
        for connection in self._databases.values():
            connection.close()

    @property
    def broker_url(self) -> str:
        """The URL of the queue of tasks."""
        return valkey.url(self._stack.ports["valkey"], self._known["valkey"]).removesuffix("/0") + "/1"

    def cache(self) -> redis.Redis:
        address = valkey.url(self._stack.ports["valkey"], self._known["valkey"])
        return redis.Redis.from_url(address, decode_responses=True)

    def change(self, service: str, statement: str, *values: object) -> None:
        """Change exactly one row, to simulate the passing of time or an administrator's change."""
        assert self.database(service).execute(statement.encode(), values).rowcount == 1

    def ask(self, service: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self.database(service).execute(statement.encode(), values).fetchall()

    def all(self) -> set[str]:
        """The names of all traces."""
        rows = [*self.ask("upload", UPLOAD_ROWS), *self.ask("share", SHARE_ROWS)]
        objects = (f"object {path.name}" for path in (self._store / "objects").glob("*/*/*"))
        found = {path.name.rpartition("~")[2] for path in (self._store / "unfinished").iterdir()}
        unfinished = found - {row[0] for row in self.ask("upload", AWAITED_UPLOADS)}
        return {row[0] for row in rows} | set(objects) | {f"unfinished {upload_id}" for upload_id in unfinished}

    def age_unfinished(self) -> None:
        """Let it be long ago that the unfinished files of the store were written to, so that a sweep removes them."""
        for path in (self._store / "unfinished").iterdir():
            os.utime(path, (0, 0))

    @contextmanager
    def nothing_left(self, kind: str = "") -> Generator[None]:
        """Assert that soon after the block it has left no traces (or none whose names begin with `kind`)."""
        before = self.all()
        yield
        until = time.monotonic() + PATIENCE_SECONDS
        while left := {name for name in self.all() - before if name.startswith(kind)}:
            assert time.monotonic() < until, f"left behind: {sorted(left)}"
            time.sleep(0.1)


def _is_alive(connection: "psycopg.Connection[Any]") -> bool:
    try:
        connection.execute("select 1")
    except psycopg.OperationalError:
        connection.close()
        return False
    return True
