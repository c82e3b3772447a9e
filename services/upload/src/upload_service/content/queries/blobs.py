"""SQL on blobs: one function, one statement."""

from datetime import timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from common.db import Connection
from upload_service.content.model import Blob


async def is_blob_object(connection: Connection, object_key: str) -> bool:
    """Whether a blob is kept in this object."""
    cursor = await connection.execute("select 1 from blob where object_key = %(key)s", {"key": object_key})
    return await cursor.fetchone() is not None


async def get_blob(connection: Connection, blob_id: UUID) -> Blob | None:
    async with connection.cursor(row_factory=class_row(Blob)) as cursor:
        await cursor.execute("select id, object_key, size, sha256 from blob where id = %(id)s", {"id": blob_id})
        return await cursor.fetchone()


async def lock_blob(connection: Connection, blob_id: UUID) -> None:
    """Hold the blob still until the end of the transaction: no file comes to it or leaves it meanwhile."""
    await connection.execute("select 1 from blob where id = %(id)s for update", {"id": blob_id})


async def reference_content(connection: Connection, sha256: bytes, size: int) -> UUID | None:
    """Take a reference on the blob with this content, if there is one that is not being removed."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            update blob set refs = refs + 1
            where sha256 = %(sha256)s and size = %(size)s and state = 'ready'
            returning id
            """,
            {"sha256": sha256, "size": size},
        )
        return await cursor.fetchone()


async def insert_blob(connection: Connection, blob: Blob) -> bool:
    """A new blob with one reference; False when another one with this content came first."""
    cursor = await connection.execute(
        """
        insert into blob (id, object_key, size, sha256, refs)
        values (%(id)s, %(object_key)s, %(size)s, %(sha256)s, 1)
        on conflict (sha256, size) where state = 'ready' do nothing
        """,
        {"id": blob.id, "object_key": blob.object_key, "size": blob.size, "sha256": blob.sha256},
    )
    return cursor.rowcount == 1


async def drop_reference(connection: Connection, blob_id: UUID) -> None:
    """Give up one reference; the clock of the grace period starts with the last."""
    await connection.execute(
        "update blob set refs = refs - 1, unreferenced_at = now() where id = %(id)s", {"id": blob_id}
    )


async def condemn_blobs(connection: Connection, grace: timedelta, limit: int) -> int:
    """Decide which blobs go: unreferenced for the whole grace period. No file can take a reference on them any more."""
    cursor = await connection.execute(
        """
        update blob set state = 'removing'
        where refs = 0 and state = 'ready' and unreferenced_at < now() - %(grace)s
            and id in (
                select id from blob where refs = 0 and state = 'ready' and unreferenced_at < now() - %(grace)s
                order by unreferenced_at limit %(limit)s for update skip locked)
        """,
        {"grace": grace, "limit": limit},
    )
    return cursor.rowcount


async def condemned_blobs(connection: Connection, limit: int) -> list[Blob]:
    async with connection.cursor(row_factory=class_row(Blob)) as cursor:
        await cursor.execute(
            "select id, object_key, size, sha256 from blob where refs = 0 and state = 'removing' limit %(limit)s",
            {"limit": limit},
        )
        return await cursor.fetchall()


async def delete_blob(connection: Connection, blob_id: UUID) -> None:
    await connection.execute("delete from blob where id = %(id)s and state = 'removing'", {"id": blob_id})
