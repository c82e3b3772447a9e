"""SQL on replicas as a whole: planned for a file, ended, tried or checked again, counted. One function, one statement.

The work on a single replica is in `claimed`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_value, fetch_values
from upload_service.mirrors.model import Replica
from upload_service.mirrors.queries.removal import END

# Files that have not ended and have their content.
_LIVING_READY: LiteralString = "file.state = 'ready' and (file.expires_at is null or file.expires_at > now())"
# Replicas that can be read, on mirrors that are in use.
_READABLE: LiteralString = "state = 'verified' and is_enabled and removed_at is null"
# Replicas that were removed long ago, or from a mirror that is being removed itself.
_FORGOTTEN: LiteralString = """state = 'removed' and (changed_at < now() - %(age)s
    or exists (select from mirror where mirror.id = mirror_id and removed_at is not null))"""


async def plan_replicas(connection: Connection, file_id: UUID) -> None:
    """Queue a replica on every mirror where the file is wanted and has none.

    If a mirror is just being removed, this waits for the removal and then skips it, because it locks the mirror's row.
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


async def end_unwanted(connection: Connection, blob_ids: Sequence[UUID]) -> list[UUID]:
    """End the replicas of these blobs that no file wants any longer; returns their ids. They are still to be removed.

    The caller holds the locks on the blobs' rows, so no wish for them is made meanwhile.
    """
    statement: LiteralString = f"""
        update replica set {END}
        where blob_id = any(%(blob_ids)s) and not exists (
            select from file_mirror join file on file.id = file_id
            where file.blob_id = replica.blob_id and file_mirror.mirror_id = replica.mirror_id)
        returning id
    """
    return await fetch_values(connection, statement, {"blob_ids": list(blob_ids)})


async def forget_removed(connection: Connection, age: timedelta, limit: int) -> int:
    """Forget up to `limit` replicas that were removed at least `age` ago, or from a mirror that is being removed."""
    statement: LiteralString = f"""
        delete from replica where id = any(array(
            select id from replica where {_FORGOTTEN} limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"age": age, "limit": limit})


async def count_forgotten(connection: Connection, age: timedelta) -> int:
    """The number of replicas that are to be forgotten."""
    statement: LiteralString = f"select count(*) from replica where {_FORGOTTEN}"
    return await fetch_value(connection, statement, {"age": age}) or 0


async def try_again(connection: Connection, file_id: UUID, mirror_id: int) -> bool:
    """Make a file's replica due now, to be copied or checked; False when there is none."""
    statement = """
        update replica set due_at = now(), attempts = 0
        from file join file_mirror on file_id = file.id join mirror on mirror.id = mirror_id
        where file.id = %(file_id)s and mirror.id = %(mirror_id)s and removed_at is null
            and replica.blob_id = file.blob_id and replica.mirror_id = mirror.id
            and replica.state in ('queued', 'failed', 'verified')
    """
    return await count(connection, statement, {"file_id": file_id, "mirror_id": mirror_id}) == 1


async def check_soon(connection: Connection, replica_id: UUID) -> None:
    """Have a verified replica checked soon."""
    await connection.execute(
        "update replica set due_at = now() where id = %(id)s and state = 'verified'", {"id": replica_id}
    )


async def readable_replicas(connection: Connection, blob_id: UUID) -> list[Replica]:
    """The verified replicas of a blob. Those that are not in doubt and on mirrors that are well come first."""
    statement: LiteralString = f"""
        select replica.id, blob_id, mirror_id, state, url, bytes_done, attempts, error, due_at, replica.changed_at,
            verified_at
        from replica join mirror on mirror.id = mirror_id
        where blob_id = %(blob_id)s and {_READABLE}
        order by due_at <= now() or (replica.changed_at < doubted_at) is true, open_until > now() is true,
            probe_error is not null, verified_at desc
    """
    return await fetch_all(connection, Replica, statement, {"blob_id": blob_id})


async def is_mirrored(connection: Connection, blob_id: UUID) -> bool:
    """Whether any mirror that is in use has the blob."""
    statement: LiteralString = f"""
        select true from replica join mirror on mirror.id = mirror_id
        where blob_id = %(blob_id)s and {_READABLE} limit 1
    """
    return bool(await fetch_value(connection, statement, {"blob_id": blob_id}))


async def any_readable(connection: Connection) -> bool:
    """Whether any mirror that is in use has any blob."""
    statement: LiteralString = f"""
        select true from replica join mirror on mirror.id = mirror_id where {_READABLE} limit 1
    """
    return bool(await fetch_value(connection, statement, {}))


async def count_by_state(connection: Connection, mirror_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """The number of replicas on each of these mirrors, by state."""

    def row(mirror_id: int, state: str, number: int) -> tuple[int, str, int]:
        return mirror_id, state, number

    statement = """
        select mirror_id, state, count(*) as number from replica where mirror_id = any(%(ids)s) group by 1, 2
    """
    counts: dict[int, dict[str, int]] = {}
    for mirror_id, state, number in await fetch_all(connection, row, statement, {"ids": list(mirror_ids)}):
        counts.setdefault(mirror_id, {})[state] = number
    return counts
