"""What uploads leave behind in a running system: rows, objects and unfinished uploads."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import redis
from minio import Minio
from psycopg.conninfo import make_conninfo

from deploy.local import credentials, postgres, valkey
from deploy.local.stack import RunningStack

BUCKET = "waystation"
PATIENCE_SECONDS = 20
"""What a client's disconnection leaves is removed after the client has gone, some of it by a worker."""

# Ended sessions are remembered for a while so that their senders can be answered; nothing hangs on them. An open one
# remembers what was ever written to, so that it can be cleaned up: a part is one that is stored, or being written.
UPLOAD_ROWS = """
    select 'session ' || id from upload_session where state not in ('ready', 'corrupt', 'aborted', 'expired')
    union all select 'part ' || session_id || ' ' || index from part join upload_session on id = session_id
        where state not in ('ready', 'corrupt', 'aborted', 'expired') and (stored_at is not null or lease_until > now())
    union all select 'file ' || id from file where state <> 'corrupt'
    union all select 'blob ' || id from blob
"""
SHARE_ROWS = "select 'share ' || id from share"


@dataclass(frozen=True)
class Traces:
    """Looks behind the scenes of a running stack, with its administrators' credentials."""

    stack: RunningStack

    def database(self, service: str) -> "psycopg.Connection[Any]":
        known = credentials.load(self.stack.folder)
        url = postgres.admin_url(self.stack.ports["postgres"], known["postgres_admin"])
        return psycopg.connect(make_conninfo(url, dbname=service), autocommit=True)

    def cache(self) -> "redis.Redis[str]":
        password = credentials.load(self.stack.folder)["valkey"]
        return redis.Redis.from_url(valkey.url(self.stack.ports["valkey"], password), decode_responses=True)

    def change(self, service: str, statement: str, *values: object) -> None:
        """Change exactly one row, as time or an administrator would."""
        with self.database(service) as connection:
            assert connection.execute(statement, values).rowcount == 1

    def ask(self, service: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database(service) as connection:
            return connection.execute(statement, values).fetchall()

    def all(self) -> set[str]:
        """The name of everything that is there."""
        rows = [*self.ask("upload", UPLOAD_ROWS), *self.ask("share", SHARE_ROWS)]
        store = self._store()
        objects = (f"object {found.object_name}" for found in store.list_objects(BUCKET, recursive=True))
        unfinished = store._list_multipart_uploads(BUCKET).uploads
        return {row[0] for row in rows} | set(objects) | {f"unfinished {found.upload_id}" for found in unfinished}

    @contextmanager
    def nothing_left(self, kind: str = "") -> Generator[None]:
        """Assert that the block leaves nothing (of one kind), at the latest a moment after it."""
        before = self.all()
        yield
        until = time.monotonic() + PATIENCE_SECONDS
        while left := {name for name in self.all() - before if name.startswith(kind)}:
            assert time.monotonic() < until, f"left behind: {sorted(left)}"
            time.sleep(0.1)

    def _store(self) -> Minio:
        known = credentials.load(self.stack.folder)
        address = f"127.0.0.1:{self.stack.ports['store']}"
        return Minio(address, known["store_access_key"], known["store_secret_key"], secure=False, region="us-east-1")
