"""SQL on blobs: one function, one statement."""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value, fetch_values
from upload_service.content.model import Blob

REMOVAL_LOCK = 0x57415955
"""An arbitrary constant: the lock that a backup holds exclusively, so that no blob is condemned meanwhile."""


async def keys_of_blobs(connection: Connection, object_keys: Sequence[str]) -> set[str]:
    """Those of the objects in which a blob is kept."""
    statement = "select object_key from blob where object_key = any(%(keys)s)"
    return set(await fetch_values(connection, statement, {"keys": list(object_keys)}))


async def get_blob(connection: Connection, blob_id: UUID) -> Blob | None:
    statement = "select id, object_key, size, sha256 from blob where id = %(id)s"
    return await fetch_one(connection, Blob, statement, {"id": blob_id})


async def ready_blobs(connection: Connection, after: UUID | None, limit: int) -> list[Blob]:
    """Blobs that are not being removed, in the order of their ids; only those `after`."""
    further: LiteralString = "and id > %(after)s" if after else ""
    statement: LiteralString = f"""
        select id, object_key, size, sha256 from blob where state = 'ready' {further} order by id limit %(limit)s
    """
    return await fetch_all(connection, Blob, statement, {"after": after, "limit": limit})


async def count_ready(connection: Connection) -> int:
    return await fetch_value(connection, "select count(*) from blob where state = 'ready'", {}) or 0


async def lock_blob(connection: Connection, blob_id: UUID) -> None:
    """Lock the blob until the end of the transaction: no file is added to it or removed from it meanwhile."""
    await connection.execute("select 1 from blob where id = %(id)s for update", {"id": blob_id})


async def reference_content(connection: Connection, sha256: bytes, size: int) -> UUID | None:
    """Take a reference on the blob with this content, if there is one that is not being removed."""
    statement = """
        update blob set refs = refs + 1
        where sha256 = %(sha256)s and size = %(size)s and state = 'ready'
        returning id
    """
    return await fetch_value(connection, statement, {"sha256": sha256, "size": size})


async def insert_blob(connection: Connection, blob: Blob) -> bool:
    """Insert a blob with one reference; False when another one with this content came first."""
    statement = """
        insert into blob (id, object_key, size, sha256, refs)
        values (%(id)s, %(object_key)s, %(size)s, %(sha256)s, 1)
        on conflict (sha256, size) where state = 'ready' do nothing
    """
    values = {"id": blob.id, "object_key": blob.object_key, "size": blob.size, "sha256": blob.sha256}
    return await count(connection, statement, values) == 1


async def drop_references(connection: Connection, blob_ids: Sequence[UUID]) -> None:
    """Give up one reference for each time that a blob is named; the grace period starts with the last one."""
    statement = """
        with dropped as (select id, count(*) as number from unnest(%(ids)s::uuid[]) as id group by id)
        update blob set refs = refs - number, unreferenced_at = now() from dropped
        where blob.id = dropped.id
            and blob.id = any(array(select id from blob where id = any(%(ids)s) order by id for update))
    """
    await connection.execute(statement, {"ids": list(blob_ids)})


async def may_remove(connection: Connection) -> bool:
    """Whether blobs may be condemned in this transaction: not while a backup copies them."""
    statement = "select pg_try_advisory_xact_lock_shared(%(lock)s)"
    return bool(await fetch_value(connection, statement, {"lock": REMOVAL_LOCK}))


async def condemn_blobs(connection: Connection, grace: timedelta, limit: int) -> int:
    """Mark blobs for removal that had no reference for the whole grace period; returns their number.

    From then on no file can take a reference on them.
    """
    statement = """
        update blob set state = 'removing'
        where id = any(array(
            select id from blob where refs = 0 and state = 'ready' and unreferenced_at < now() - %(grace)s
            order by unreferenced_at limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"grace": grace, "limit": limit})


async def condemned_blobs(connection: Connection, limit: int) -> list[Blob]:
    """Blobs that are marked for removal."""
    statement = "select id, object_key, size, sha256 from blob where state = 'removing' limit %(limit)s"
    return await fetch_all(connection, Blob, statement, {"limit": limit})


async def delete_blobs(connection: Connection, blob_ids: Sequence[UUID]) -> None:
    """Delete the rows of blobs whose objects were removed."""
    await connection.execute("delete from blob where id = any(%(ids)s) and state = 'removing'", {"ids": list(blob_ids)})


async def count_garbage(connection: Connection, grace: timedelta) -> int:
    """The number of blobs that are to be removed, or are being removed."""
    statement = """
        select (select count(*) from blob where state = 'removing') + (
            select count(*) from blob where refs = 0 and state = 'ready' and unreferenced_at < now() - %(grace)s)
    """
    return await fetch_value(connection, statement, {"grace": grace}) or 0
