"""SQL on replicas: one function, one statement. The database's clock judges leases and what is due."""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from psycopg.rows import scalar_row

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from upload_service.mirrors.model import Replica, ReplicaState
from upload_service.mirrors.queries.mirrors import ASKED, AT_ONCE

COLUMNS: LiteralString = """id, blob_id, mirror_id, state, url, bytes_done, attempts, error, due_at, changed_at,
    verified_at"""
_FREE: LiteralString = "(lease_until is null or lease_until < now())"
# There is no way back: whoever removes it late, removes nothing that was copied since.
_CONDEMNED: LiteralString = """state = 'removing', blob_id = null, due_at = now(), attempts = 0, error = null,
    changed_at = now()"""
# Files that are there, with their content.
_LIVING_READY: LiteralString = "file.state = 'ready' and (file.expires_at is null or file.expires_at > now())"


async def plan_replicas(connection: Connection, file_id: UUID) -> None:
    """Queue the replicas of a file that are wanted and not there.

    A mirror that is being removed is waited for, and then takes none: its row is held, and looked at again.
    """
    statement: LiteralString = f"""
        insert into replica (id, blob_id, mirror_id)
        select gen_random_uuid(), file.blob_id, file_mirror.mirror_id
        from file_mirror join file on file.id = file_id join mirror on mirror.id = mirror_id
        where file_id = %(file_id)s and {_LIVING_READY} and removed_at is null
        for key share of mirror
        on conflict (blob_id, mirror_id) do nothing
    """
    await connection.execute(statement, {"file_id": file_id})


async def condemn_replicas(connection: Connection, blob_id: UUID) -> list[UUID]:
    """Have the replicas of a blob removed that no file wants any more; which.

    The caller holds the blob's row, so that no wish for them is being made meanwhile.
    """
    statement: LiteralString = f"""
        update replica set {_CONDEMNED}
        where blob_id = %(blob_id)s and not exists (
            select from file_mirror join file on file.id = file_id
            where file.blob_id = %(blob_id)s and file_mirror.mirror_id = replica.mirror_id)
        returning id
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(statement, {"blob_id": blob_id})
        return await cursor.fetchall()


async def condemn_mirror(connection: Connection, mirror_id: int) -> None:
    """Have every replica on a mirror removed."""
    statement: LiteralString = f"""
        update replica set {_CONDEMNED} where mirror_id = %(id)s and state not in ('removing', 'removed')
    """
    await connection.execute(statement, {"id": mirror_id})


async def forget_mirror(connection: Connection, mirror_id: int) -> None:
    """Forget all replicas on a mirror, whatever is there."""
    await connection.execute("delete from replica where mirror_id = %(id)s", {"id": mirror_id})


async def forget_removed(connection: Connection, age: timedelta) -> int:
    """Forget what was removed long enough ago, or from a mirror that is being removed itself."""
    statement = """
        delete from replica where state = 'removed' and (changed_at < now() - %(age)s
            or exists (select from mirror where mirror.id = mirror_id and removed_at is not null))
    """
    return await count(connection, statement, {"age": age})


async def due_for_file(connection: Connection, file_id: UUID) -> list[UUID]:
    """The replicas of a file's content with which something is to be done now."""
    statement: LiteralString = f"""
        select replica.id from replica join file on file.blob_id = replica.blob_id
        where file.id = %(file_id)s and due_at <= now() and {_FREE}
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(statement, {"file_id": file_id})
        return await cursor.fetchall()


async def due_replicas(connection: Connection, mirror_id: int | None = None) -> list[UUID]:
    """Replicas with which something is to be done now: of each mirror that is well, as many as it has room for.

    Copies and removals come before checks. `mirror_id`: of this mirror alone.
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
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(statement, {"mirror_id": mirror_id})
        return await cursor.fetchall()


async def mirror_of(connection: Connection, replica_id: UUID) -> int | None:
    """On which mirror a replica is."""
    row = await (
        await connection.execute("select mirror_id from replica where id = %(id)s", {"id": replica_id})
    ).fetchone()
    return row[0] if row else None


async def claim_replica(connection: Connection, replica_id: UUID, worker: UUID, lease: timedelta) -> Replica | None:
    """Make `worker` the one who works on the replica; None when nothing is due, or another one is at it."""
    statement: LiteralString = f"""
        update replica set worker = %(worker)s, lease_until = now() + %(lease)s, changed_at = now(),
            state = case when state in ('queued', 'failed') then 'copying' else state end,
            bytes_done = case when state in ('queued', 'failed', 'copying') then 0 else bytes_done end
        where id = %(id)s and due_at <= now() and {_FREE}
        returning {COLUMNS}
    """
    return await fetch_one(connection, Replica, statement, {"id": replica_id, "worker": worker, "lease": lease})


async def extend_replica(
    connection: Connection, replica: Replica, worker: UUID, lease: timedelta, bytes_done: int
) -> bool:
    """Renew the claim; False when it was lost, or something else is to be done with the replica now."""
    statement = """
        update replica set lease_until = now() + %(lease)s,
            bytes_done = case when state = 'copying' then %(bytes_done)s else bytes_done end
        where id = %(id)s and worker = %(worker)s and state = %(state)s and lease_until is not null
    """
    values = {"id": replica.id, "worker": worker, "lease": lease, "state": replica.state, "bytes_done": bytes_done}
    return await count(connection, statement, values) == 1


async def verify_replica(
    connection: Connection, replica: Replica, worker: UUID, url: str | None, due_in: timedelta
) -> bool:
    """Say that it is there and equal; False when that is not this worker's to say any more.

    `due_in`: when it is checked again.
    """
    statement = """
        update replica set state = 'verified', url = %(url)s, attempts = 0, error = null, due_at = now() + %(due_in)s,
            lease_until = null, changed_at = now(), verified_at = now(),
            bytes_done = (select size from blob where blob.id = blob_id)
        where id = %(id)s and worker = %(worker)s and state = %(expected)s
    """
    values = {"id": replica.id, "worker": worker, "expected": replica.state, "url": url, "due_in": due_in}
    return await count(connection, statement, values) == 1


async def remove_replica(connection: Connection, replica: Replica, worker: UUID) -> bool:
    """Say that nothing is there any more; False when that is not this worker's to say any more."""
    statement = """
        update replica set state = 'removed', url = null, bytes_done = 0, attempts = 0, error = null,
            due_at = null, lease_until = null, changed_at = now()
        where id = %(id)s and worker = %(worker)s and state = %(expected)s
    """
    values = {"id": replica.id, "worker": worker, "expected": replica.state}
    return await count(connection, statement, values) == 1


async def note_url(connection: Connection, replica: Replica, worker: UUID, url: str) -> bool:
    """Remember where the mirror put it, before it is known to be whole, also of what is to be removed by now.

    False when another worker has it.
    """
    statement = "update replica set url = %(url)s where id = %(id)s and worker = %(worker)s"
    return await count(connection, statement, {"id": replica.id, "worker": worker, "url": url}) == 1


async def fail_replica(
    connection: Connection,
    replica: Replica,
    worker: UUID,
    *,
    state: ReplicaState,
    attempts: int,
    error: str,
    due_in: timedelta,
) -> bool:
    """Say that an attempt failed, and when the next one is due; False when something else is to be done by now."""
    statement = """
        update replica set state = %(state)s, attempts = %(attempts)s, error = %(error)s, due_at = now() + %(due_in)s,
            lease_until = null, changed_at = now()
        where id = %(id)s and worker = %(worker)s and state = %(expected)s
    """
    values = {"id": replica.id, "worker": worker, "expected": replica.state, "state": state, "attempts": attempts}
    return await count(connection, statement, {**values, "error": error, "due_in": due_in}) == 1


async def requeue_replica(connection: Connection, replica: Replica, worker: UUID, error: str) -> None:
    """Have a replica that was verified and is not as it should be copied anew."""
    statement = """
        update replica set state = 'queued', attempts = 0, error = %(error)s, due_at = now(), lease_until = null,
            changed_at = now()
        where id = %(id)s and worker = %(worker)s and state = 'verified'
    """
    await connection.execute(statement, {"id": replica.id, "worker": worker, "error": error})


async def drop_claim(connection: Connection, replica_id: UUID, worker: UUID) -> None:
    """Give the claim up, so that the next worker need not wait for its end."""
    await connection.execute(
        "update replica set lease_until = null where id = %(id)s and worker = %(worker)s",
        {"id": replica_id, "worker": worker},
    )


async def retry_replica(connection: Connection, file_id: UUID, mirror_id: int) -> bool:
    """Try a file's replica again now that has failed, or check one that is verified; False when there is none."""
    statement = """
        update replica set due_at = now(), attempts = 0
        from file join file_mirror on file_id = file.id
        where file.id = %(file_id)s and file_mirror.mirror_id = %(mirror_id)s and replica.blob_id = file.blob_id
            and replica.mirror_id = file_mirror.mirror_id and replica.state in ('queued', 'failed', 'verified')
    """
    return await count(connection, statement, {"file_id": file_id, "mirror_id": mirror_id}) == 1


async def doubt_replica(connection: Connection, replica_id: UUID) -> None:
    """Have a verified replica checked soon."""
    await connection.execute(
        "update replica set due_at = now() where id = %(id)s and state = 'verified'", {"id": replica_id}
    )


async def doubt_mirror(connection: Connection, mirror_id: int) -> None:
    """Have all that was verified on a mirror checked, and break off whatever is being done there."""
    statement = """
        update replica set due_at = case when state = 'verified' then now() else due_at end,
            worker = null, lease_until = null
        where mirror_id = %(id)s and (state = 'verified' or lease_until is not null)
    """
    await connection.execute(statement, {"id": mirror_id})


async def wake_replicas(connection: Connection, mirror_id: int) -> None:
    """Have everything tried again now that failed on a mirror, as if for the first time."""
    statement = """
        update replica set due_at = now(), attempts = 0
        where mirror_id = %(id)s and error is not null and due_at > now() and lease_until is null
    """
    await connection.execute(statement, {"id": mirror_id})


async def verified_replicas(connection: Connection, blob_id: UUID) -> list[Replica]:
    """The replicas that hold a blob, those that nobody doubts and that are on mirrors that are well first."""
    statement: LiteralString = """
        select replica.id, blob_id, mirror_id, state, url, bytes_done, attempts, error, due_at, replica.changed_at,
            verified_at
        from replica join mirror on mirror.id = mirror_id
        where blob_id = %(blob_id)s and state = 'verified' and is_enabled and removed_at is null
        order by due_at <= now(), open_until > now() is true, probe_error is not null, verified_at desc
    """
    return await fetch_all(connection, Replica, statement, {"blob_id": blob_id})


async def is_mirrored(connection: Connection, blob_id: UUID) -> bool:
    """Whether any mirror that is in use has the blob."""
    statement = """
        select 1 from replica join mirror on mirror.id = mirror_id
        where blob_id = %(blob_id)s and state = 'verified' and is_enabled and removed_at is null limit 1
    """
    return await (await connection.execute(statement, {"blob_id": blob_id})).fetchone() is not None


async def wanted_replicas(connection: Connection, file_id: UUID) -> list[tuple[int, Replica | None]]:
    """The mirrors that a file is wanted on, by id, each with its replica if there is one yet."""
    statement: LiteralString = """
        select file_mirror.mirror_id as wanted_on, replica.id, blob_id, replica.mirror_id, state, url, bytes_done,
            attempts, error, due_at, changed_at, verified_at
        from file_mirror left join replica on replica.mirror_id = file_mirror.mirror_id
            and replica.blob_id = (select blob_id from file where id = %(file_id)s)
        where file_id = %(file_id)s order by wanted_on
    """

    def row(wanted_on: int, **values: object) -> tuple[int, Replica | None]:
        return wanted_on, None if values["id"] is None else Replica(**values)  # pyright: ignore[reportArgumentType]

    return await fetch_all(connection, row, statement, {"file_id": file_id})


async def count_by_state(connection: Connection, mirror_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many replicas each of these mirrors has, by state."""
    cursor = await connection.execute(
        "select mirror_id, state, count(*) from replica where mirror_id = any(%(ids)s) group by 1, 2",
        {"ids": list(mirror_ids)},
    )
    found: dict[int, dict[str, int]] = {}
    for mirror_id, state, number in await cursor.fetchall():
        found.setdefault(mirror_id, {})[state] = number
    return found
