"""SQL on blobs: one function, one statement."""

from datetime import timedelta
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value
from upload_service.content.model import Blob


async def is_blob_object(connection: Connection, object_key: str) -> bool:
    """Whether a blob is kept in this object."""
    return (
        await fetch_value(connection, "select 1 from blob where object_key = %(key)s", {"key": object_key}) is not None
    )


async def get_blob(connection: Connection, blob_id: UUID) -> Blob | None:
    statement = "select id, object_key, size, sha256 from blob where id = %(id)s"
    return await fetch_one(connection, Blob, statement, {"id": blob_id})


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


async def drop_reference(connection: Connection, blob_id: UUID) -> None:
    """Give up one reference; the grace period starts with the last one."""
    await connection.execute(
        "update blob set refs = refs - 1, unreferenced_at = now() where id = %(id)s", {"id": blob_id}
    )


async def condemn_blobs(connection: Connection, grace: timedelta, limit: int) -> int:
    """Mark blobs for removal that had no reference for the whole grace period; returns their number.

    From then on no file can take a reference on them.
    """
    statement = """
        update blob set state = 'removing'
        where refs = 0 and state = 'ready' and unreferenced_at < now() - %(grace)s
            and id in (
                select id from blob where refs = 0 and state = 'ready' and unreferenced_at < now() - %(grace)s
                order by unreferenced_at limit %(limit)s for update skip locked)
    """
    return await count(connection, statement, {"grace": grace, "limit": limit})


async def condemned_blobs(connection: Connection, limit: int) -> list[Blob]:
    """Blobs that are marked for removal."""
    statement = "select id, object_key, size, sha256 from blob where refs = 0 and state = 'removing' limit %(limit)s"
    return await fetch_all(connection, Blob, statement, {"limit": limit})


async def delete_blob(connection: Connection, blob_id: UUID) -> None:
    await connection.execute("delete from blob where id = %(id)s and state = 'removing'", {"id": blob_id})
