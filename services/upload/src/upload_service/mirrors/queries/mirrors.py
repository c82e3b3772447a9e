"""SQL on mirrors, as an administrator defines them: one function, one statement."""

from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from upload_service.mirrors.model import Mirror

COLUMNS: LiteralString = """id, name, kind, options, link_pattern, accounts, is_default, is_enabled, parallel,
    created_at, changed_at, removed_at, is_forgotten, probed_at, probe_error, failures, open_until"""


async def insert_mirror(connection: Connection, values: dict[str, Any]) -> Mirror | None:
    """A new mirror; None when another one has its name."""
    statement: LiteralString = f"""
        insert into mirror (name, kind, options, link_pattern, accounts, is_default, is_enabled, parallel)
        values (%(name)s, %(kind)s, %(options)s, %(link_pattern)s, %(accounts)s::uuid[], %(is_default)s, %(is_enabled)s,
            %(parallel)s)
        on conflict (lower(name)) where removed_at is null do nothing
        returning {COLUMNS}
    """
    return await fetch_one(connection, Mirror, statement, values)


async def get_mirror(connection: Connection, mirror_id: int) -> Mirror | None:
    """The mirror, also while it is being removed."""
    return await fetch_one(connection, Mirror, f"select {COLUMNS} from mirror where id = %(id)s", {"id": mirror_id})


async def lock_mirror(connection: Connection, mirror_id: int) -> Mirror | None:
    """The mirror, locked until the end of the transaction. Wishes for it are made before or after, not meanwhile."""
    statement: LiteralString = f"select {COLUMNS} from mirror where id = %(id)s for update"
    return await fetch_one(connection, Mirror, statement, {"id": mirror_id})


async def lock_claims(connection: Connection, mirror_id: int) -> Mirror | None:
    """The mirror, locked so that its replicas are claimed one after the other. Wishes for it do not wait."""
    statement: LiteralString = f"select {COLUMNS} from mirror where id = %(id)s for no key update"
    return await fetch_one(connection, Mirror, statement, {"id": mirror_id})


async def all_mirrors(connection: Connection) -> list[Mirror]:
    """Every mirror, the oldest first, including those that are being removed."""
    return await fetch_all(connection, Mirror, f"select {COLUMNS} from mirror order by id", {})


async def update_mirror(connection: Connection, mirror_id: int, values: dict[str, Any]) -> Mirror | None:
    """The mirror after the change; None when another one has its name.

    Its breaker is closed, because the change may have mended what was wrong.
    """
    statement: LiteralString = f"""
        update mirror set name = %(name)s, options = %(options)s, link_pattern = %(link_pattern)s,
            accounts = %(accounts)s::uuid[], is_default = %(is_default)s, is_enabled = %(is_enabled)s,
            parallel = %(parallel)s, changed_at = clock_timestamp(), failures = 0, open_until = null
        where id = %(id)s
        returning {COLUMNS}
    """
    try:
        return await fetch_one(connection, Mirror, statement, {**values, "id": mirror_id})
    except UniqueViolation:
        return None


async def mark_removed(connection: Connection, mirror_id: int, *, forget: bool) -> Mirror | None:
    """Record that the mirror is being removed: from now on no file can be wanted there. Returns it as it is then.

    `forget`: what is there stays; a mirror that is forgotten remains so.
    """
    statement: LiteralString = f"""
        update mirror set removed_at = coalesce(removed_at, now()), is_forgotten = is_forgotten or %(forget)s
        where id = %(id)s
        returning {COLUMNS}
    """
    return await fetch_one(connection, Mirror, statement, {"id": mirror_id, "forget": forget})


async def delete_removed(connection: Connection) -> int:
    """Delete the mirrors that are being removed and for which no replicas and wishes are left."""
    statement = """
        delete from mirror
        where removed_at is not null and not exists (select from replica where mirror_id = mirror.id)
            and not exists (select from file_mirror where mirror_id = mirror.id)
    """
    return await count(connection, statement, {})


async def forget_account(connection: Connection, account: UUID) -> None:
    """Delete an account that has ended from every list of accounts that may use a mirror."""
    await connection.execute(
        "update mirror set accounts = array_remove(accounts, %(account)s) where %(account)s = any(accounts)",
        {"account": account},
    )
