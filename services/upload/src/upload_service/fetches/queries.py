"""SQL on fetches: one function, one statement. The database's clock judges leases.

The functions that record progress or an outcome do so only for the worker that has the claim.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value, fetch_values
from upload_service.fetches.model import Fetch

COLUMNS: LiteralString = """id, owner, url, file_name, sha256, mirrors, terms, max_size, state, size, validator,
    bytes_done, session_id, file_id, share_code, error, detail, failures, most_stored, ends_at, created_at"""
_OPEN: LiteralString = "(state in ('queued', 'fetching'))"
_FREE: LiteralString = "(lease_until is null or lease_until < now())"
_DUE: LiteralString = "(retry_at is null or retry_at <= now())"
_RUNNING: LiteralString = f"{_OPEN} and lease_until >= now()"
# A settled fetch is not run again, so the user and password in its URL are deleted.
_SETTLED: LiteralString = r"""lease_until = null, changed_at = now(),
    url = regexp_replace(url, '^([A-Za-z]+://)[^/?#]*@', '\1')"""
# Fetches that may have left something, and those that were settled long ago and have left nothing.
_ABANDONED: LiteralString = "state in ('failed', 'canceled') and session_id is not null"
_FORGOTTEN: LiteralString = f"not {_OPEN} and session_id is null and changed_at < now() - %(age)s"
# Any constants will do, as long as every process uses the same ones.
_CLAIM_LOCK = 0x46455443
_OWNER_LOCK = 0x4645544F


async def lock_fetches_of(connection: Connection, owner: UUID) -> None:
    """Lock out other transactions that add a fetch for this account, so that counting and adding is a single step."""
    statement = "select pg_advisory_xact_lock(hashtextextended(%(owner)s::text, %(lock)s))"
    await connection.execute(statement, {"owner": owner, "lock": _OWNER_LOCK})


async def lock_claims(connection: Connection, at_once: int) -> bool:
    """Lock out other transactions that claim a fetch, so that counting and claiming is a single step.

    Returns False, and waits for nobody, while `at_once` are under way.
    """
    statement: LiteralString = f"""
        select pg_advisory_xact_lock(%(lock)s) is not null
        where (select count(*) from fetch_job where {_RUNNING}) < %(at_once)s
    """
    return bool(await fetch_value(connection, statement, {"lock": _CLAIM_LOCK, "at_once": at_once}))


async def insert_fetch(connection: Connection, values: dict[str, Any], most_open: int) -> Fetch | None:
    """A new fetch; None when its owner has `most_open` that are not settled. `lock_fetches_of` comes first."""
    statement: LiteralString = f"""
        insert into fetch_job (id, owner, url, file_name, sha256, mirrors, terms, max_size, ends_at)
        select %(id)s, %(owner)s, %(url)s, %(file_name)s, %(sha256)s, %(mirrors)s::integer[], %(terms)s, %(max_size)s,
            now() + %(lifetime)s
        where (select count(*) from fetch_job where owner = %(owner)s and {_OPEN}) < %(most_open)s
        returning {COLUMNS}
    """
    return await fetch_one(
        connection, Fetch, statement, {**values, "terms": Jsonb(values["terms"]), "most_open": most_open}
    )


async def get_fetch(connection: Connection, fetch_id: UUID) -> Fetch | None:
    return await fetch_one(connection, Fetch, f"select {COLUMNS} from fetch_job where id = %(id)s", {"id": fetch_id})


async def fetches_of(
    connection: Connection, owner: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[Fetch]:
    """An account's fetches, the newest first; `after`: creation time and id of the last one on the page before."""
    further: LiteralString = "and (created_at, id) < (%(moment)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {COLUMNS} from fetch_job where owner = %(owner)s {further}
        order by created_at desc, id desc limit %(limit)s
    """
    values = {"owner": owner, "moment": after and after[0], "id": after and after[1], "limit": limit}
    return await fetch_all(connection, Fetch, statement, values)


async def claim_fetch(
    connection: Connection, fetch_id: UUID, worker: UUID, lease: timedelta, *, at_once: int, at_once_each: int
) -> Fetch | None:
    """Give `worker` the claim; None when another one has it, it is settled or not due, or too many are under way.

    The fetch's time runs from the first claim. `lock_claims` comes first.
    """
    statement: LiteralString = f"""
        update fetch_job set state = 'fetching', worker = %(worker)s, lease_until = now() + %(lease)s,
            changed_at = now(), retry_at = null,
            ends_at = case when state = 'queued' then now() + (ends_at - created_at) else ends_at end
        where id = %(id)s and {_OPEN} and {_FREE} and {_DUE}
            and (select count(*) from fetch_job where {_RUNNING}) < %(at_once)s
            and (select count(*) from fetch_job as other where {_RUNNING} and owner = fetch_job.owner)
                < %(at_once_each)s
        returning {COLUMNS}
    """
    values = {"id": fetch_id, "worker": worker, "lease": lease, "at_once": at_once, "at_once_each": at_once_each}
    return await fetch_one(connection, Fetch, statement, values)


async def renew_claim(connection: Connection, fetch_id: UUID, worker: UUID, lease: timedelta, bytes_done: int) -> bool:
    """Renew the claim and record the progress; False when it was lost or the fetch was canceled."""
    statement = """
        update fetch_job set lease_until = now() + %(lease)s, bytes_done = %(bytes_done)s
        where id = %(id)s and worker = %(worker)s and state = 'fetching'
    """
    values = {"id": fetch_id, "worker": worker, "lease": lease, "bytes_done": bytes_done}
    return await count(connection, statement, values) == 1


async def set_session(
    connection: Connection,
    fetch_id: UUID,
    worker: UUID,
    session_id: UUID | None,
    size: int | None,
    validator: str | None,
    name: str | None,
) -> Fetch | None:
    """Record the session that takes the content, and what the server says of it; None when the claim was lost."""
    statement: LiteralString = f"""
        update fetch_job set session_id = %(session_id)s, size = %(size)s, validator = %(validator)s, bytes_done = 0,
            file_name = coalesce(file_name, %(name)s), changed_at = now()
        where id = %(id)s and worker = %(worker)s and state = 'fetching'
        returning {COLUMNS}
    """
    values = {"id": fetch_id, "worker": worker, "session_id": session_id, "size": size, "validator": validator}
    return await fetch_one(connection, Fetch, statement, {**values, "name": name})


async def mark_done(
    connection: Connection, fetch_id: UUID, worker: UUID, *, file_id: UUID, share_code: str, size: int
) -> bool:
    """Record that it is done; False when the claim was lost or the fetch was canceled."""
    statement: LiteralString = f"""
        update fetch_job set state = 'done', session_id = null, file_id = %(file_id)s, share_code = %(share_code)s,
            size = %(size)s, bytes_done = %(size)s, error = null, detail = null, {_SETTLED}
        where id = %(id)s and worker = %(worker)s and state = 'fetching'
    """
    values = {"id": fetch_id, "worker": worker, "file_id": file_id, "share_code": share_code, "size": size}
    return await count(connection, statement, values) == 1


async def mark_failed(connection: Connection, fetch_id: UUID, worker: UUID, error: str, detail: str) -> bool:
    """Record that it has failed for good; False when the claim was lost."""
    statement: LiteralString = f"""
        update fetch_job set state = 'failed', error = %(error)s, detail = %(detail)s, {_SETTLED}
        where id = %(id)s and worker = %(worker)s and state = 'fetching'
    """
    values = {"id": fetch_id, "worker": worker, "error": error, "detail": detail}
    return await count(connection, statement, values) == 1


async def put_off(
    connection: Connection,
    fetch_id: UUID,
    worker: UUID,
    error: str,
    detail: str,
    failures: int,
    most_stored: int,
    pause: timedelta,
) -> None:
    """End the claim, and record why an attempt failed and after which pause the next one is due."""
    await connection.execute(
        """
        update fetch_job set worker = null, lease_until = null, changed_at = now(), error = %(error)s,
            detail = %(detail)s, failures = %(failures)s, most_stored = %(most_stored)s, retry_at = now() + %(pause)s
        where id = %(id)s and worker = %(worker)s and state = 'fetching'
        """,
        {
            "id": fetch_id,
            "worker": worker,
            "error": error,
            "detail": detail,
            "failures": failures,
            "most_stored": most_stored,
            "pause": pause,
        },
    )


async def drop_claim(connection: Connection, fetch_id: UUID, worker: UUID) -> None:
    """End the claim, so that the next worker need not wait until it runs out."""
    await connection.execute(
        "update fetch_job set worker = null, lease_until = null where id = %(id)s and worker = %(worker)s",
        {"id": fetch_id, "worker": worker},
    )


async def mark_canceled(connection: Connection, fetch_id: UUID) -> Fetch | None:
    """The fetch, canceled; None when it is settled."""
    statement: LiteralString = f"""
        update fetch_job set state = 'canceled', {_SETTLED} where id = %(id)s and {_OPEN} returning {COLUMNS}
    """
    return await fetch_one(connection, Fetch, statement, {"id": fetch_id})


async def waiting_fetches(connection: Connection, limit: int) -> list[UUID]:
    """Fetches that are due and that no worker has, in the order of their turns.

    Each account's fetches are numbered, the running ones before the waiting ones. All firsts come before all seconds,
    so that an account with many fetches does not keep others waiting.
    """
    statement: LiteralString = f"""
        select id from (
            select id, changed_at, {_FREE} as is_free,
                row_number() over (partition by owner order by {_FREE}, changed_at, id) as place
            from fetch_job where {_OPEN} and {_DUE}) as line
        where is_free order by place, changed_at limit %(limit)s
    """
    return await fetch_values(connection, statement, {"limit": limit})


async def abandoned_fetches(connection: Connection, limit: int) -> list[Fetch]:
    """Fetches that have failed or were canceled and may have left something."""
    statement: LiteralString = f"""
        select {COLUMNS} from fetch_job where {_ABANDONED}
        order by changed_at limit %(limit)s
    """
    return await fetch_all(connection, Fetch, statement, {"limit": limit})


async def forget_sessions(connection: Connection, fetch_ids: Sequence[UUID]) -> None:
    """Record that settled fetches have left nothing."""
    statement: LiteralString = f"update fetch_job set session_id = null where id = any(%(ids)s) and not {_OPEN}"
    await connection.execute(statement, {"ids": list(fetch_ids)})


async def delete_fetches_of(connection: Connection, owner: UUID) -> None:
    """Delete all fetches of an account; those under way lose their claim."""
    await connection.execute("delete from fetch_job where owner = %(owner)s", {"owner": owner})


async def forget_fetches(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete up to `limit` fetches that were settled at least `age` ago. Returns their number."""
    statement: LiteralString = f"""
        delete from fetch_job where id = any(array(
            select id from fetch_job where {_FORGOTTEN} order by changed_at limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"age": age, "limit": limit})


async def count_waiting(connection: Connection) -> int:
    """The number of fetches that are due and that no worker has."""
    statement: LiteralString = f"select count(*) from fetch_job where {_OPEN} and {_FREE} and {_DUE}"
    return await fetch_value(connection, statement, {}) or 0


async def count_abandoned(connection: Connection) -> int:
    """The number of fetches that have failed or were canceled and may have left something."""
    return await fetch_value(connection, f"select count(*) from fetch_job where {_ABANDONED}", {}) or 0


async def count_forgotten(connection: Connection, age: timedelta) -> int:
    """The number of fetches that were settled at least `age` ago."""
    return await fetch_value(connection, f"select count(*) from fetch_job where {_FORGOTTEN}", {"age": age}) or 0
