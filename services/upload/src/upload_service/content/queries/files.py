"""SQL on files: one function, one statement.

A file whose time is over is as good as gone: it is found only by those who clear it away.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from common.db import Connection
from upload_service.content.model import KEEP, EndedFor, File, FileChange, FileState

FILE_COLUMNS = """id, blob_id, name, size, state, owner, created_at, expires_at, password_hash,
    (select sha256 from blob where blob.id = blob_id) as sha256"""
LIVING = "(expires_at is null or expires_at > now())"


async def insert_file(connection: Connection, file_id: UUID, name: str, size: int, owner: UUID | None) -> None:
    """A file that waits for its content to be verified."""
    await connection.execute(
        """
        insert into file (id, name, size, state, owner) values (%(id)s, %(name)s, %(size)s, 'pending', %(owner)s)
        """,
        {"id": file_id, "name": name, "size": size, "owner": owner},
    )


async def get_file(connection: Connection, file_id: UUID) -> File | None:
    """The file, unless its time is over."""
    async with connection.cursor(row_factory=class_row(File)) as cursor:
        await cursor.execute(f"select {FILE_COLUMNS} from file where id = %(id)s and {LIVING}", {"id": file_id})
        return await cursor.fetchone()


async def lock_file(connection: Connection, file_id: UUID) -> File | None:
    """The file, whether its time is over or not, held still until the end of the transaction."""
    async with connection.cursor(row_factory=class_row(File)) as cursor:
        await cursor.execute(f"select {FILE_COLUMNS} from file where id = %(id)s for update", {"id": file_id})
        return await cursor.fetchone()


async def settle_file(connection: Connection, file_id: UUID, state: FileState, blob_id: UUID | None) -> bool:
    """Say what became of a pending file; False when it has been released meanwhile."""
    cursor = await connection.execute(
        "update file set state = %(state)s, blob_id = %(blob_id)s where id = %(id)s and state = 'pending'",
        {"id": file_id, "state": state, "blob_id": blob_id},
    )
    return cursor.rowcount == 1


async def files_of(connection: Connection, owner: UUID, after: tuple[datetime, UUID] | None, limit: int) -> list[File]:
    """An account's files, the newest first; `after`: moment and id of the last one that is known already."""
    async with connection.cursor(row_factory=class_row(File)) as cursor:
        await cursor.execute(
            f"""
            select {FILE_COLUMNS} from file
            where owner = %(owner)s and {LIVING}
                and (%(moment)s::timestamptz is null or (created_at, id) < (%(moment)s, %(id)s::uuid))
            order by created_at desc, id desc limit %(limit)s
            """,
            {"owner": owner, "moment": after and after[0], "id": after and after[1], "limit": limit},
        )
        return await cursor.fetchall()


async def change_file(connection: Connection, file: File, change: FileChange) -> File | None:
    """The file as it is now; None when it has ended or has another owner meanwhile. No moment before now is kept."""
    async with connection.cursor(row_factory=class_row(File)) as cursor:
        await cursor.execute(
            f"""
            update file set
                name = case when %(keep_name)s then name else %(name)s end,
                password_hash = case when %(keep_password)s then password_hash else %(password_hash)s end,
                expires_at = case
                    when %(keep_expiry)s then expires_at
                    when %(expires_at)s::timestamptz is not null then greatest(%(expires_at)s, now())
                end
            where id = %(id)s and owner is not distinct from %(owner)s and {LIVING}
            returning {FILE_COLUMNS}
            """,
            {
                "id": file.id,
                "owner": file.owner,
                "keep_name": change.name is KEEP,
                "name": None if change.name is KEEP else change.name,
                "keep_password": change.password_hash is KEEP,
                "password_hash": None if change.password_hash is KEEP else change.password_hash,
                "keep_expiry": change.expires_at is KEEP,
                "expires_at": None if change.expires_at is KEEP else change.expires_at,
            },
        )
        return await cursor.fetchone()


async def adopt_file(connection: Connection, file_id: UUID, owner: UUID) -> bool:
    """Make nobody's file an account's; False when it is another's, or gone."""
    cursor = await connection.execute(
        f"""
        update file set owner = %(owner)s
        where id = %(id)s and (owner is null or owner = %(owner)s) and {LIVING}
        """,
        {"id": file_id, "owner": owner},
    )
    return cursor.rowcount == 1


async def end_file(connection: Connection, file_id: UUID, ended_for: EndedFor | None = None) -> bool:
    """Say that the file's time is over now, by whose word or what for; False when it was already."""
    cursor = await connection.execute(
        f"update file set expires_at = now(), ended_for = %(ended_for)s where id = %(id)s and {LIVING}",
        {"id": file_id, "ended_for": ended_for},
    )
    return cursor.rowcount == 1


async def end_files_of(connection: Connection, owner: UUID) -> None:
    """Say that the time of all files of an account is over now."""
    await connection.execute(
        f"update file set expires_at = now() where owner = %(owner)s and {LIVING}", {"owner": owner}
    )


async def ended_files(connection: Connection, limit: int) -> list[tuple[UUID, EndedFor | None]]:
    """Files whose time is over, the longest ago first, and why."""
    cursor = await connection.execute(
        "select id, ended_for from file where expires_at <= now() order by expires_at limit %(limit)s",
        {"limit": limit},
    )
    return [(file_id, ended_for) for file_id, ended_for in await cursor.fetchall()]


async def why_ended(connection: Connection, file_id: UUID) -> EndedFor | None:
    """By whose word a file ended, or what for; None: nobody's."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select ended_for from file where id = %(id)s", {"id": file_id})
        return await cursor.fetchone()


async def delete_file(connection: Connection, file_id: UUID) -> UUID | None:
    """Delete a file and return the blob it named, if any."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("delete from file where id = %(id)s returning blob_id", {"id": file_id})
        return await cursor.fetchone()


async def unclaimed_files(connection: Connection, age: timedelta, limit: int) -> list[UUID]:
    """Files that no share is known to hold although they are old enough."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select id from file where claimed_at is null and created_at < now() - %(age)s
            order by created_at limit %(limit)s
            """,
            {"age": age, "limit": limit},
        )
        return await cursor.fetchall()


async def claim_files(connection: Connection, file_ids: Sequence[UUID]) -> None:
    await connection.execute("update file set claimed_at = now() where id = any(%(ids)s)", {"ids": list(file_ids)})
