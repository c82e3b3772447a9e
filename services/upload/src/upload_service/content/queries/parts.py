"""SQL on the parts of sessions and who may write them: one function, one statement."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from common.db import Connection
from upload_service.content.model import Part


async def reserve_part(connection: Connection, session_id: UUID, index: int, writer: UUID, lease: timedelta) -> bool:
    """Make `writer` the only one who may record this part.

    False when it is stored, or another writer is at it, or the session is not open. The session is held still for the
    moment: one that ends sees every writer that came before, and none comes after.
    """
    cursor = await connection.execute(
        """
        insert into part (session_id, index, writer, lease_until)
        select id, %(index)s, %(writer)s, now() + %(lease)s
        from upload_session where id = %(session_id)s and state = 'open' for share
        on conflict (session_id, index) do update set writer = excluded.writer, lease_until = excluded.lease_until
        where part.stored_at is null and part.lease_until < now()
        """,
        {"session_id": session_id, "index": index, "writer": writer, "lease": lease},
    )
    return cursor.rowcount == 1


async def extend_part(connection: Connection, session_id: UUID, index: int, writer: UUID, lease: timedelta) -> bool:
    """Renew a reservation; False when it was lost, or its session has ended."""
    cursor = await connection.execute(
        """
        update part set lease_until = now() + %(lease)s
        from upload_session
        where session_id = %(session_id)s and index = %(index)s and writer = %(writer)s
            and upload_session.id = session_id and upload_session.state = 'open'
        """,
        {"session_id": session_id, "index": index, "writer": writer, "lease": lease},
    )
    return cursor.rowcount == 1


async def record_part(connection: Connection, session_id: UUID, part: Part, writer: UUID, lifetime: timedelta) -> bool:
    """Say that the part is stored, and extend the session's life; False when the writer may not say so any more."""
    cursor = await connection.execute(
        """
        with session as (
            update upload_session set expires_at = now() + %(lifetime)s
            where id = %(session_id)s and state = 'open'
            returning id)
        update part set size = %(size)s, sha256 = %(sha256)s, etag = %(etag)s, multipart_id = null, stored_at = now()
        from session
        where session_id = session.id and index = %(index)s and writer = %(writer)s and stored_at is null
        """,
        {
            "session_id": session_id,
            "index": part.index,
            "writer": writer,
            "size": part.size,
            "sha256": part.sha256,
            "etag": part.etag,
            "lifetime": lifetime,
        },
    )
    return cursor.rowcount == 1


async def drop_part(connection: Connection, session_id: UUID, index: int, writer: UUID) -> None:
    """Give up a reservation whose writing failed, so that the next writer need not wait for its end."""
    await connection.execute(
        """
        update part set lease_until = '-infinity'
        where session_id = %(session_id)s and index = %(index)s and writer = %(writer)s and stored_at is null
        """,
        {"session_id": session_id, "index": index, "writer": writer},
    )


async def forget_parts(connection: Connection, session_id: UUID, indexes: Sequence[int]) -> None:
    """Forget parts that are not in the store as they were recorded; that they were written to is remembered."""
    await connection.execute(
        """
        update part set stored_at = null, kept = null, lease_until = '-infinity'
        where session_id = %(session_id)s and index = any(%(indexes)s)
        """,
        {"session_id": session_id, "indexes": list(indexes)},
    )


async def get_part(connection: Connection, session_id: UUID, index: int) -> Part | None:
    """The part, if it is stored."""
    async with connection.cursor(row_factory=class_row(Part)) as cursor:
        await cursor.execute(
            """
            select index, size, sha256, etag, kept from part
            where session_id = %(session_id)s and index = %(index)s and stored_at is not null
            """,
            {"session_id": session_id, "index": index},
        )
        return await cursor.fetchone()


async def stored_parts(connection: Connection, session_id: UUID) -> list[Part]:
    """The stored parts, in order."""
    async with connection.cursor(row_factory=class_row(Part)) as cursor:
        await cursor.execute(
            """
            select index, size, sha256, etag, kept from part
            where session_id = %(session_id)s and stored_at is not null order by index
            """,
            {"session_id": session_id},
        )
        return await cursor.fetchall()


async def reserved_indexes(connection: Connection, session_id: UUID) -> list[int]:
    """Every index that was ever written to, stored or not."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select index from part where session_id = %(id)s order by index", {"id": session_id})
        return await cursor.fetchall()


async def cut_parts(connection: Connection, session_id: UUID, before: int, at: int) -> list[int]:
    """Of the pieces before index `before`, keep only what lies before offset `at`; those that keep nothing any more."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            with laid as (
                select index, coalesce(kept, size) as length,
                    sum(coalesce(kept, size)) over (order by index) - coalesce(kept, size) as start
                from part where session_id = %(session_id)s and index < %(before)s and stored_at is not null),
            cut as (
                update part set kept = greatest(%(at)s - laid.start, 0)
                from laid
                where session_id = %(session_id)s and part.index = laid.index and laid.start + laid.length > %(at)s
                returning part.index, part.kept)
            select index from cut where kept = 0 order by index
            """,
            {"session_id": session_id, "before": before, "at": at},
        )
        return await cursor.fetchall()


async def set_part_multipart(
    connection: Connection, session_id: UUID, index: int, writer: UUID, multipart_id: str | None
) -> bool:
    """Record the multipart upload of a piece that is being written; False when the reservation was lost."""
    cursor = await connection.execute(
        """
        update part set multipart_id = %(multipart_id)s
        where session_id = %(session_id)s and index = %(index)s and writer = %(writer)s and stored_at is null
        """,
        {"session_id": session_id, "index": index, "writer": writer, "multipart_id": multipart_id},
    )
    return cursor.rowcount == 1


async def part_multiparts(connection: Connection, session_id: UUID) -> dict[int, str]:
    """The multipart uploads of pieces that were begun and of which nobody said that they are stored, by index."""
    cursor = await connection.execute(
        "select index, multipart_id from part where session_id = %(id)s and multipart_id is not null",
        {"id": session_id},
    )
    return dict(await cursor.fetchall())
