"""The statements about the table of the audit log, which each service has where administrators act."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from common.audit import Act, Author, Entry, Wanted, entry_of
from common.db import Connection
from common.db.rows import count, fetch_all
from common.pages import Cursor

NAME_LENGTH = 200
"""The part of a name that is compared."""

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


async def list_entries(connection: Connection, wanted: Wanted, after: Cursor | None, limit: int) -> list[Entry]:
    """Up to `limit` of the entries wanted that come after the cursor, the newest first."""
    conditions, parameters = _conditions(wanted)
    if after:
        conditions.append("(at, id) < (%(after_at)s, %(after_id)s)")
        parameters |= {"after_at": after.created_at, "after_id": after.id}
    statement: LiteralString = _part(conditions)
    if wanted.target is not None:
        # Each part reads an index in the order of the list, which a condition with `or` could not.
        by_id: LiteralString = _part([*conditions, "target_id = %(target)s"])
        by_name: LiteralString = _part([*conditions, "left(lower(target_name), 200) = lower(%(target_name)s)"])
        statement = f"({by_id}) union ({by_name}) order by at desc, id desc limit %(limit)s"
    return await fetch_all(connection, Entry, statement, {**parameters, "limit": limit})


def _part(conditions: Sequence[LiteralString]) -> LiteralString:
    where: LiteralString = f"where {' and '.join(conditions)}" if conditions else ""
    return f"select {_COLUMNS} from audit_entry {where} order by at desc, id desc limit %(limit)s"


def _conditions(wanted: Wanted) -> tuple[list[LiteralString], dict[str, Any]]:
    """The conditions of all values but the target, and the parameters of all."""
    account, target = _id(wanted.actor), _id(wanted.target)
    conditions: dict[LiteralString, bool] = {
        "account_id = %(account)s": account is not None,
        "left(lower(account_name), 200) = lower(%(name)s)": account is None and wanted.actor is not None,
        "split_part(act, '.', 1) = %(family)s": wanted.act is not None,
        "act = %(act)s": wanted.act is not None and "." in wanted.act,
        "address = %(address)s": wanted.address is not None,
        "at >= %(since)s": wanted.since is not None,
        "at < %(until)s": wanted.until is not None,
    }
    parameters = {
        "account": account,
        "name": wanted.actor,
        "act": wanted.act,
        "family": wanted.act and wanted.act.partition(".")[0],
        "target": str(target) if target else wanted.target,
        "target_name": wanted.target,
        "address": wanted.address,
        "since": wanted.since,
        "until": wanted.until,
    }
    return [condition for condition, applies in conditions.items() if applies], parameters


def _id(text: str | None) -> UUID | None:
    """The id that an actor or a target is named by. An account's name that has the form of one is taken for it."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


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
