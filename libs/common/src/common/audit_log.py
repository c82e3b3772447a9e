"""The statements about the table of the audit log, which each service has where administrators act."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import LiteralString

from psycopg.types.json import Jsonb

from common.audit import Act, Author, Entry, entry_of
from common.db import Connection
from common.db.rows import count, fetch_all
from common.pages import Cursor

_COLUMNS: LiteralString = (
    "id, at, act, account_id, account_name, credential_id, address, request_id, target_kind, target_id, target_name,"
    " old, new"
)


async def record(connection: Connection, author: Author, acts: Sequence[Act]) -> None:
    """Record acts, in the transaction of the acts themselves."""
    await insert_entries(connection, [entry_of(author, act) for act in acts])


async def insert_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries."""
    statement: LiteralString = f"""
        insert into audit_entry ({_COLUMNS})
        values (%(id)s, %(at)s, %(act)s, %(account_id)s, %(account_name)s, %(credential_id)s, %(address)s,
                %(request_id)s, %(target_kind)s, %(target_id)s, %(target_name)s, %(old)s, %(new)s)
    """
    rows = [{**asdict(entry), "old": _json(entry.old), "new": _json(entry.new)} for entry in entries]
    async with connection.cursor() as cursor:
        await cursor.executemany(statement, rows)


async def list_entries(connection: Connection, after: Cursor | None, limit: int) -> list[Entry]:
    """Up to `limit` entries that come after the cursor, the newest first."""
    further: LiteralString = "where (at, id) < (%(created_at)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {_COLUMNS} from audit_entry {further} order by at desc, id desc limit %(limit)s
    """
    parameters = {"created_at": after and after.created_at, "id": after and after.id, "limit": limit}
    return await fetch_all(connection, Entry, statement, parameters)


async def delete_entries(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` entries from before a moment. Returns their number."""
    statement: LiteralString = """
        delete from audit_entry where id = any(array(
            select id from audit_entry where at < %(before)s order by at limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"before": before, "limit": limit})


def _json(values: object) -> Jsonb | None:
    return None if values is None else Jsonb(values)
