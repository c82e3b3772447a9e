"""SQL on the work on single replicas: which are due, who works on one, and the outcome. One function, one statement.

A worker claims a replica by a lease, which the database's clock judges. The functions that record an outcome do so
only for the worker that has the claim, while the replica is in the state in which it was claimed.
"""

from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_one, fetch_value, fetch_values
from upload_service.mirrors.model import Replica, ReplicaState
from upload_service.mirrors.queries.health import ASKED, AT_ONCE

COLUMNS: LiteralString = """id, blob_id, mirror_id, state, url, bytes_done, attempts, error, due_at, changed_at,
    verified_at"""
_FREE: LiteralString = "(lease_until is null or lease_until < now())"


async def due_for_file(connection: Connection, file_id: UUID) -> list[UUID]:
    """The replicas of a file's content that are due now."""
    statement: LiteralString = f"""
        select replica.id from replica join file on file.blob_id = replica.blob_id
        where file.id = %(file_id)s and due_at <= now() and {_FREE}
    """
    return await fetch_values(connection, statement, {"file_id": file_id})


async def due_replicas(connection: Connection, mirror_id: int | None = None) -> list[UUID]:
    """Replicas that are due now: for each mirror that is well, as many as it has room for.

    Copies and removals come before checks. `mirror_id`: only on this mirror.
    """
    statement: LiteralString = f"""
        select due.id
        from mirror
        cross join lateral (
            select greatest(0, {AT_ONCE} - count(*)) as free
            from replica where mirror_id = mirror.id and lease_until >= now()) as room
        cross join lateral (
            (select id, due_at, false as is_check from replica
            where mirror_id = mirror.id and state <> 'verified' and due_at <= now() and {_FREE}
            order by due_at limit free)
            union all
            (select id, due_at, true from replica
            where mirror_id = mirror.id and state = 'verified' and due_at <= now() and {_FREE}
            order by due_at limit free)
            order by is_check, due_at limit free) as due
        where {ASKED} and (%(mirror_id)s::integer is null or mirror.id = %(mirror_id)s)
    """
    return await fetch_values(connection, statement, {"mirror_id": mirror_id})


async def count_due(connection: Connection) -> int:
    """The number of replicas that are due, also those on mirrors that are not well or have no room."""
    statement: LiteralString = f"""
        select sum(number) from mirror
        cross join lateral (
            select count(*) as number from replica
            where mirror_id = mirror.id and state <> 'verified' and due_at <= now() and {_FREE}
            union all
            select count(*) from replica
            where mirror_id = mirror.id and state = 'verified' and due_at <= now() and {_FREE}) as due
    """
    return int(await fetch_value(connection, statement, {}) or 0)


async def mirror_of(connection: Connection, replica_id: UUID) -> int | None:
    """The id of the mirror that a replica is on."""
    return await fetch_value(connection, "select mirror_id from replica where id = %(id)s", {"id": replica_id})


async def claim_replica(
    connection: Connection, replica_id: UUID, worker: UUID, lease: timedelta, *, only_ended: bool = False
) -> Replica | None:
    """Give `worker` the claim on a replica; None when nothing is due, or another worker has it.

    `only_ended`: also None unless it has ended and is to be removed.
    """
    statement: LiteralString = f"""
        update replica set worker = %(worker)s, lease_until = now() + %(lease)s, changed_at = now(),
            state = case when state in ('queued', 'failed') then 'copying' else state end,
            bytes_done = case when state in ('queued', 'failed', 'copying') then 0 else bytes_done end
        where id = %(id)s and due_at <= now() and {_FREE} and (state = 'removing' or not %(only_ended)s)
        returning {COLUMNS}
    """
    values = {"id": replica_id, "worker": worker, "lease": lease, "only_ended": only_ended}
    return await fetch_one(connection, Replica, statement, values)


async def renew_claim(
    connection: Connection, replica: Replica, worker: UUID, lease: timedelta, bytes_done: int
) -> bool:
    """Renew the claim and record the progress; False when the claim was lost, or the replica has ended meanwhile."""
    statement = """
        update replica set lease_until = now() + %(lease)s,
            bytes_done = case when state = 'copying' then %(bytes_done)s else bytes_done end
        where id = %(id)s and worker = %(worker)s and state = %(state)s and lease_until is not null
    """
    values = {"id": replica.id, "worker": worker, "lease": lease, "state": replica.state, "bytes_done": bytes_done}
    return await count(connection, statement, values) == 1


async def drop_claim(connection: Connection, replica_id: UUID, worker: UUID) -> None:
    """End the claim, so that the next worker need not wait until it runs out."""
    await connection.execute(
        "update replica set lease_until = null where id = %(id)s and worker = %(worker)s",
        {"id": replica_id, "worker": worker},
    )


async def set_url(connection: Connection, replica: Replica, worker: UUID, url: str) -> bool:
    """Record the URL that the mirror gave, even before the content is proven or when the replica has ended meanwhile.

    False when another worker has the replica.
    """
    statement = "update replica set url = %(url)s where id = %(id)s and worker = %(worker)s"
    return await count(connection, statement, {"id": replica.id, "worker": worker, "url": url}) == 1


async def mark_verified(
    connection: Connection, replica: Replica, worker: UUID, url: str | None, due_in: timedelta
) -> bool:
    """Record that the replica is there and equal; False when the claim was lost.

    `due_in`: the time until its next check.
    """
    statement = """
        update replica set state = 'verified', url = %(url)s, attempts = 0, error = null, due_at = now() + %(due_in)s,
            lease_until = null, changed_at = now(), verified_at = now(),
            bytes_done = (select size from blob where blob.id = blob_id)
        where id = %(id)s and worker = %(worker)s and state = %(expected)s
    """
    values = {"id": replica.id, "worker": worker, "expected": replica.state, "url": url, "due_in": due_in}
    return await count(connection, statement, values) == 1


async def mark_damaged(connection: Connection, replica: Replica, worker: UUID, error: str) -> None:
    """Queue a verified replica to be copied again, because it is lost or damaged."""
    statement = """
        update replica set state = 'queued', attempts = 0, error = %(error)s, due_at = now(), lease_until = null,
            changed_at = now()
        where id = %(id)s and worker = %(worker)s and state = 'verified'
    """
    await connection.execute(statement, {"id": replica.id, "worker": worker, "error": error})


async def mark_removed(connection: Connection, replica: Replica, worker: UUID) -> bool:
    """Record that nothing is there any longer; False when the claim was lost."""
    statement = """
        update replica set state = 'removed', url = null, bytes_done = 0, attempts = 0, error = null,
            due_at = null, lease_until = null, changed_at = now()
        where id = %(id)s and worker = %(worker)s and state = %(expected)s
    """
    values = {"id": replica.id, "worker": worker, "expected": replica.state}
    return await count(connection, statement, values) == 1


async def mark_failed(
    connection: Connection,
    replica: Replica,
    worker: UUID,
    *,
    state: ReplicaState,
    attempts: int,
    error: str,
    due_in: timedelta,
) -> bool:
    """Record a failed attempt and when the next one is due; False when the claim was lost."""
    statement = """
        update replica set state = %(state)s, attempts = %(attempts)s, error = %(error)s, due_at = now() + %(due_in)s,
            lease_until = null, changed_at = now()
        where id = %(id)s and worker = %(worker)s and state = %(expected)s
    """
    values = {"id": replica.id, "worker": worker, "expected": replica.state, "state": state, "attempts": attempts}
    return await count(connection, statement, {**values, "error": error, "due_in": due_in}) == 1
