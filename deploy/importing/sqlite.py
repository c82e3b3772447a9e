"""Reading the SQLite database of another system, which may go on meanwhile: nothing is written, and no lock stays."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from deploy.importing.model import Unreadable

BATCH = 500


def opened(path: Path) -> sqlite3.Connection:
    """Open the database for reading. Raises `sqlite3.Error`."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    database = sqlite3.connect(address, uri=True)
    try:
        database.execute("select 1 from sqlite_master limit 1").fetchone()
    except sqlite3.OperationalError as error:
        database.close()
        # A database in WAL mode needs a file beside it even to be read, which a folder that is mounted read-only cannot
        # get. Without the log, no other program has it open, and nothing changes it.
        if error.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN or Path(f"{path}-wal").exists():
            raise
        database = sqlite3.connect(f"{address}&immutable=1", uri=True)
    database.text_factory = _decode
    return database


def rows(path: Path, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The rows of a table in the order of their ids, some at a time, so that an hour of copying holds no lock.

    Columns that the table lacks are null. Raises `Unreadable`.
    """
    after = -1
    while True:
        try:
            with closing(opened(path)) as database:
                known = columns_of(database, table)
                wanted = ", ".join(name if name in known else f"null as {name}" for name in columns)
                statement = f"select rowid, {wanted} from {table} where rowid > ? order by rowid limit ?"
                batch = database.execute(statement, [after, BATCH]).fetchall()
        except sqlite3.Error as error:
            raise Unreadable(f"{path}: {error}") from None
        if not batch:
            return
        for row in batch:
            yield dict(zip(columns, row[1:], strict=True))
        after = batch[-1][0]


def columns_of(database: sqlite3.Connection, table: str) -> set[str]:
    """The names of a table's columns. Raises `sqlite3.Error`."""
    return {row[1] for row in database.execute(f"pragma table_info({table})")}


def _decode(raw: bytes) -> str:
    return raw.decode(errors="replace")
