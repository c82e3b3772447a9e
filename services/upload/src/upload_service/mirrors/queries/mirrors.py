"""SQL on mirrors and on who may use them: one function, one statement."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from upload_service.mirrors.model import Mirror

COLUMNS: LiteralString = """id, name, kind, options, link_pattern, accounts, is_default, is_enabled, parallel,
    created_at, changed_at, removed_at, probed_at, probe_error, failures, open_until"""
# Which mirrors an account may use.
USABLE: LiteralString = "removed_at is null and is_enabled and (accounts is null or %(account)s = any(accounts))"
# Which mirrors are asked for anything now, and for how much at once: one that failed last gets one thing at a time.
ASKED: LiteralString = "(is_enabled or removed_at is not null) and (open_until is null or open_until <= now())"
AT_ONCE: LiteralString = "(case when failures > 0 then 1 else parallel end)"


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
    """The mirror, also one that is being removed."""
    return await fetch_one(connection, Mirror, f"select {COLUMNS} from mirror where id = %(id)s", {"id": mirror_id})


async def lock_mirror(connection: Connection, mirror_id: int) -> Mirror | None:
    """The mirror, held still: whoever wants a file there has said so, or comes after the end of the transaction."""
    statement: LiteralString = f"select {COLUMNS} from mirror where id = %(id)s for update"
    return await fetch_one(connection, Mirror, statement, {"id": mirror_id})


async def lock_claims(connection: Connection, mirror_id: int) -> Mirror | None:
    """The mirror, held so that its replicas are claimed one after the other."""
    statement: LiteralString = f"select {COLUMNS} from mirror where id = %(id)s for no key update"
    return await fetch_one(connection, Mirror, statement, {"id": mirror_id})


async def all_mirrors(connection: Connection) -> list[Mirror]:
    """Every mirror, also those that are being removed, the oldest first."""
    return await fetch_all(connection, Mirror, f"select {COLUMNS} from mirror order by id", {})


async def usable_mirrors(connection: Connection, account: UUID) -> list[Mirror]:
    """The mirrors that an account may use."""
    statement: LiteralString = f"select {COLUMNS} from mirror where {USABLE} order by id"
    return await fetch_all(connection, Mirror, statement, {"account": account})


async def update_mirror(connection: Connection, mirror_id: int, values: dict[str, Any]) -> Mirror | None:
    """The mirror as it is now; None when another one has its name.

    Its breaker is closed, for what was wrong may be mended.
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


async def mark_removed(connection: Connection, mirror_id: int) -> None:
    """Say that the mirror is being removed: no file goes there any more."""
    await connection.execute(
        "update mirror set removed_at = coalesce(removed_at, now()) where id = %(id)s", {"id": mirror_id}
    )


async def delete_removed(connection: Connection) -> int:
    """Delete the mirrors that are being removed and have no replicas left."""
    statement = """
        delete from mirror
        where removed_at is not null and not exists (select from replica where mirror_id = mirror.id)
    """
    return await count(connection, statement, {})


async def note_probe(connection: Connection, mirror_id: int, error: str | None) -> None:
    """Remember what a probe found."""
    await connection.execute(
        "update mirror set probed_at = now(), probe_error = %(error)s where id = %(id)s",
        {"id": mirror_id, "error": error},
    )


async def note_success(connection: Connection, mirror_id: int) -> None:
    """The mirror did what it was asked to: close its breaker."""
    await connection.execute(
        """
        update mirror set failures = 0, open_until = null
        where id = %(id)s and (failures > 0 or open_until is not null)
        """,
        {"id": mirror_id},
    )


async def note_failure(connection: Connection, mirror_id: int) -> int:
    """Count a failure of the mirror itself; how many there were in a row, or 0 while its breaker is open.

    What was under way when it opened fails with it, and says nothing new.
    """
    cursor = await connection.execute(
        """
        update mirror set failures = failures + 1
        where id = %(id)s and (open_until is null or open_until <= now())
        returning failures
        """,
        {"id": mirror_id},
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def open_breaker(connection: Connection, mirror_id: int, wait: timedelta) -> None:
    """Leave the mirror alone for a while."""
    await connection.execute(
        "update mirror set open_until = now() + %(wait)s where id = %(id)s", {"id": mirror_id, "wait": wait}
    )


async def end_break(connection: Connection, mirror_id: int) -> None:
    """Let the mirror be tried again now, with one thing at a time until that succeeds."""
    await connection.execute("update mirror set open_until = null where id = %(id)s", {"id": mirror_id})


async def get_choice(connection: Connection, account: UUID) -> list[int] | None:
    """The mirrors that an account chose for its files; None: it has not chosen."""
    statement = "select mirror_ids from mirror_choice where account = %(account)s"
    row = await (await connection.execute(statement, {"account": account})).fetchone()
    return list(row[0]) if row else None


async def set_choice(connection: Connection, account: UUID, mirror_ids: Sequence[int]) -> None:
    await connection.execute(
        """
        insert into mirror_choice (account, mirror_ids) values (%(account)s, %(ids)s)
        on conflict (account) do update set mirror_ids = excluded.mirror_ids
        """,
        {"account": account, "ids": list(mirror_ids)},
    )


async def delete_choice(connection: Connection, account: UUID) -> None:
    """Let the default mirrors hold again."""
    await connection.execute("delete from mirror_choice where account = %(account)s", {"account": account})


async def forget_account(connection: Connection, account: UUID) -> None:
    """Take an account that is no more out of every list of who may use a mirror."""
    await connection.execute(
        "update mirror set accounts = array_remove(accounts, %(account)s) where %(account)s = any(accounts)",
        {"account": account},
    )


async def want_mirrors(connection: Connection, file_id: UUID, owner: UUID, mirror_ids: Sequence[int] | None) -> None:
    """Say on which mirrors a file is wanted, of those that its owner may use; None: those of the owner's choice.

    None of them is removed before the end of the transaction.
    """
    statement: LiteralString = f"""
        insert into file_mirror (file_id, mirror_id)
        select %(file_id)s, mirror.id
        from mirror left join mirror_choice on account = %(account)s
        where {USABLE} and case
            when %(ids)s::integer[] is not null then mirror.id = any(%(ids)s)
            when mirror_choice.account is not null then mirror.id = any(mirror_ids)
            else is_default
        end
        for key share of mirror
        on conflict do nothing
    """
    ids = None if mirror_ids is None else list(mirror_ids)
    await connection.execute(statement, {"file_id": file_id, "account": owner, "ids": ids})


async def unwant_mirror(connection: Connection, file_id: UUID, mirror_id: int) -> bool:
    """Say that a file is not wanted on a mirror any more; False when it was not."""
    statement = "delete from file_mirror where file_id = %(file_id)s and mirror_id = %(mirror_id)s"
    return await count(connection, statement, {"file_id": file_id, "mirror_id": mirror_id}) == 1


async def unwant_everywhere(connection: Connection, mirror_id: int) -> None:
    """Say that no file is wanted on this mirror any more."""
    await connection.execute("delete from file_mirror where mirror_id = %(id)s", {"id": mirror_id})


async def has_room(connection: Connection, mirror_id: int) -> bool:
    """Whether the mirror may be asked for one thing more."""
    statement: LiteralString = f"""
        select 1 from mirror
        where id = %(id)s and {ASKED}
            and {AT_ONCE} > (select count(*) from replica where mirror_id = %(id)s and lease_until >= now())
    """
    return await (await connection.execute(statement, {"id": mirror_id})).fetchone() is not None
